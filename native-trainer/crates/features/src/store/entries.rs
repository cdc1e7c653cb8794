//! The entries of a catalog: writing, and reading without trusting any byte.

use super::frames::{Broken, Frames};
use crate::identity::Identity;
use crate::reading::Stamp;

/// Entry of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// The row of its feature.
    Row(u64),
    /// It is no image that can be read.
    Problem(String),
}

/// The first bytes of a catalog, before its frames.
pub const MAGIC: &[u8; 16] = b"dermake features";
const IDENTITY: u8 = 0;
const ROWS: u8 = 1;
const FILE: u8 = 2;
const GONE: u8 = 3;
/// The row of a file that is no readable image.
const NO_ROW: u64 = u64::MAX;

/// An entry of a catalog; later entries replace earlier ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry<'a> {
    /// The identity of the features, as JSON. Always the first entry.
    Identity(&'a [u8]),
    /// The next rows of the features file: the SHA-256 of their contents, and the CRC-32 of the rows' bytes.
    Rows { contents: &'a [[u8; 32]], crc32: u32 },
    /// Result of a file: a row, or a problem.
    File { name: &'a str, stamp: Stamp, found: Result<u64, &'a str> },
    /// A file is there no more.
    Gone { name: &'a str },
}

impl<'a> Entry<'a> {
    pub fn of_file(name: &'a str, stamp: Stamp, known: &'a Known) -> Self {
        let found = match known {
            Known::Row(row) => Ok(*row),
            Known::Problem(problem) => Err(problem.as_str()),
        };
        Self::File { name, stamp, found }
    }

    /// Appends the entry to the content of a frame.
    pub fn write(&self, frame: &mut Vec<u8>) {
        let bytes = |frame: &mut Vec<u8>, bytes: &[u8]| {
            frame.extend((bytes.len() as u64).to_le_bytes());
            frame.extend(bytes);
        };
        match self {
            Self::Identity(json) => {
                frame.push(IDENTITY);
                bytes(frame, json);
            }
            Self::Rows { contents, crc32 } => {
                frame.push(ROWS);
                frame.extend(crc32.to_le_bytes());
                bytes(frame, contents.as_flattened());
            }
            Self::File { name, stamp, found } => {
                frame.push(FILE);
                for number in [stamp.bytes, stamp.modified_ns, found.unwrap_or(NO_ROW)] {
                    frame.extend(number.to_le_bytes());
                }
                bytes(frame, name.as_bytes());
                bytes(frame, found.err().unwrap_or_default().as_bytes());
            }
            Self::Gone { name } => {
                frame.push(GONE);
                bytes(frame, name.as_bytes());
            }
        }
    }

    /// Takes an entry from the front of `rest`; `None` if there is none of a known form.
    fn read(rest: &mut &'a [u8]) -> Option<Self> {
        Some(match take(rest, 1)?[0] {
            IDENTITY => Self::Identity(take_bytes(rest)?),
            ROWS => {
                let crc32 = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
                let (contents, others) = take_bytes(rest)?.as_chunks();
                others.is_empty().then_some(Self::Rows { contents, crc32 })?
            }
            FILE => {
                let (bytes, modified_ns, row) = (take_number(rest)?, take_number(rest)?, take_number(rest)?);
                let (name, problem) = (take_text(rest)?, take_text(rest)?);
                let found = if row == NO_ROW { Err(problem) } else { Ok(row) };
                Self::File { name, stamp: Stamp { bytes, modified_ns }, found }
            }
            GONE => Self::Gone { name: take_text(rest)? },
            _ => return None,
        })
    }
}

fn take<'a>(rest: &mut &'a [u8], n_bytes: usize) -> Option<&'a [u8]> {
    let (taken, others) = rest.split_at_checked(n_bytes)?;
    *rest = others;
    Some(taken)
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?))
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n_bytes = usize::try_from(take_number(rest)?).ok()?;
    take(rest, n_bytes)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take_bytes(rest)?).ok()
}

/// Rows of the features file that were written together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chunk {
    pub first_row: u64,
    pub n_rows: u64,
    pub crc32: u32,
}

/// The state after all entries of a catalog, without the files.
#[derive(Debug)]
pub struct Totals {
    pub identity: Identity,
    pub chunks: Vec<Chunk>,
    pub n_rows: u64,
    pub n_entries: usize,
    /// Bytes of the catalog up to the end of its last whole frame.
    pub whole_bytes: u64,
    /// Whether an incomplete frame follows them.
    pub is_cut_short: bool,
}

/// Reads a catalog; calls `visit` with each entry and the number of rows before it.
///
/// # Errors
/// If the catalog is damaged; a missing end is not an error.
pub fn read_all<'a>(bytes: &'a [u8], mut visit: impl FnMut(&Entry<'a>, u64)) -> Result<Totals, &'static str> {
    if bytes.is_empty() {
        return Err("its catalog is empty");
    }
    if !bytes.starts_with(MAGIC) {
        return Err("its catalog is none");
    }
    let mut frames = Frames::new(bytes, MAGIC.len());
    let (mut identity, mut chunks, mut n_rows, mut n_entries, mut is_cut_short) = (None, Vec::new(), 0, 0, false);
    for frame in frames.by_ref() {
        let mut rest = match frame {
            Ok(content) => content,
            Err(Broken::CutShort) => {
                is_cut_short = true;
                break;
            }
            Err(Broken::Changed) => return Err("its catalog is not what was written"),
        };
        while !rest.is_empty() {
            let entry = Entry::read(&mut rest).ok_or("its catalog has entries of no known form")?;
            match (&entry, &identity) {
                (Entry::Identity(json), None) => {
                    let read: Identity = serde_json::from_slice(json).map_err(|_| "its catalog names no model")?;
                    identity = Some(read);
                }
                (Entry::Identity(_), Some(_)) | (_, None) => return Err("its catalog names no model at its head"),
                (Entry::File { found: Ok(row), .. }, _) if *row >= n_rows => {
                    return Err("its catalog names rows that are not there");
                }
                _ => {}
            }
            visit(&entry, n_rows);
            if let Entry::Rows { contents, crc32 } = entry {
                let n_more = contents.len() as u64;
                chunks.push(Chunk { first_row: n_rows, n_rows: n_more, crc32 });
                n_rows += n_more;
            }
            n_entries += 1;
        }
    }
    let identity = identity.ok_or("its catalog ends before it names a model")?;
    Ok(Totals { identity, chunks, n_rows, n_entries, whole_bytes: frames.whole_bytes() as u64, is_cut_short })
}
