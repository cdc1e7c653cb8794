//! Completeness of JPEG files, by their markers, and repair of a missing end marker.
//!
//! Some cameras and uploads omit the end-of-image marker, and a video or a note may follow the pixels directly. To find
//! out whether all pixels are present, the file is decoded with one bits after the pixels, which are not a valid code.

/// The scans of a file, found by its markers.
pub(super) struct Scans {
    /// Whether there is an end-of-image marker. A file that lacks only its last bytes may decode without an error.
    pub reaches_end: bool,
    /// Offset of the first marker after the last scan that the pixels need, and whether it is the end marker.
    behind_pixels: Option<(usize, bool)>,
    components: Vec<Component>,
    is_progressive: bool,
}

/// One color component of the frame.
struct Component {
    id: u8,
    /// For each coefficient, how many low bits are in no scan yet; `None` before the first scan.
    bits_to_come: [Option<u8>; 64],
}

/// A run of equal bytes after the last scan of at least this length is the rest of an interrupted download or copy.
const MIN_FILL_BYTES: usize = 8;

impl Scans {
    pub fn of(bytes: &[u8]) -> Self {
        let mut scans =
            Self { reaches_end: false, behind_pixels: None, components: Vec::new(), is_progressive: false };
        let mut rest = bytes.get(2..).unwrap_or_default();
        while let Some(marker_at) = rest.iter().position(|&byte| byte == 0xff) {
            rest = &rest[marker_at..];
            let Some(code_at) = rest.iter().position(|&byte| byte != 0xff) else { break };
            let code = rest[code_at];
            if scans.behind_pixels.is_none() && !matches!(code, 0x00 | 0xd0..=0xd7) && scans.are_all_begun() {
                scans.behind_pixels = Some((bytes.len() - rest.len(), code == 0xd9));
            }
            rest = &rest[code_at + 1..];
            match code {
                0xd9 => {
                    scans.reaches_end = true;
                    break;
                }
                // A stuffed 0xff, TEM, restart markers and SOI have no length; all others have one.
                0x00 | 0x01 | 0xd0..=0xd8 => {}
                _ => {
                    let Some(&length) = rest.first_chunk() else { break };
                    let length = usize::from(u16::from_be_bytes(length));
                    scans.note(code, rest.get(2..length).unwrap_or_default());
                    rest = rest.get(length..).unwrap_or_default();
                }
            }
        }
        scans
    }

    fn note(&mut self, code: u8, segment: &[u8]) {
        match code {
            // The first frame header: depth, height, width, then id, sampling and table of each component.
            0xc0..=0xc2 if self.components.is_empty() => {
                self.is_progressive = code == 0xc2;
                let components = segment.get(6..).unwrap_or_default().as_chunks::<3>().0;
                self.components =
                    components.iter().map(|&[id, ..]| Component { id, bits_to_come: [None; 64] }).collect();
            }
            0xda => self.note_scan(segment),
            _ => {}
        }
    }

    fn note_scan(&mut self, segment: &[u8]) {
        let Some((&n_components, rest)) = segment.split_first() else { return };
        let Some((ids, &[from, to, bits])) = rest.split_at_checked(2 * usize::from(n_components)) else { return };
        let (range, low_bits) = if self.is_progressive { (from..=to, bits & 15) } else { (0..=63, 0) };
        for component in &mut self.components {
            if ids.as_chunks::<2>().0.iter().any(|&[id, _]| id == component.id) {
                let sent = component.bits_to_come.iter_mut().zip(0..).filter(|(_, at)| range.contains(at));
                sent.for_each(|(bits_to_come, _)| *bits_to_come = Some(low_bits));
            }
        }
    }

    /// Returns the file up to the end of the pixels, with an end marker; `None` when scans are missing or the file has
    /// its marker.
    pub fn with_end_marker(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self.behind_pixels {
            Some((_, true)) => None,
            Some((at, false)) => Some(ended(&bytes[..at])),
            None => self.are_all_begun().then(|| ended(bytes)),
        }
    }

    /// Returns whether there are scans of every bit of every coefficient of every component.
    fn are_all_begun(&self) -> bool {
        let is_begun = |component: &Component| component.bits_to_come.iter().all(|bits| *bits == Some(0));
        !self.components.is_empty() && self.components.iter().all(is_begun)
    }
}

/// Appends one bits and an end marker.
///
/// No code word consists of ones only, so a decoder that needs more bits fails. A run of zeros at the end is removed:
/// encoders fill the last byte of a scan with ones.
fn ended(bytes: &[u8]) -> Vec<u8> {
    const FILL_PAIRS: usize = 64;
    let n_zeros = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
    let n_dropped = if n_zeros >= MIN_FILL_BYTES { n_zeros } else { 0 };
    let mut whole = bytes[..bytes.len() - n_dropped].to_vec();
    whole.extend([0xff, 0x00].repeat(FILL_PAIRS));
    whole.extend([0xff, 0xd9]);
    whole
}
