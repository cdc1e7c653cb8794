//! Chunks of a WebP file. The decoder would allocate the length that a chunk announces.

/// Returns the content of the first chunk of this name in a file of the extended format.
pub(super) fn chunk<'a>(bytes: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    const HEADER_BYTES: usize = 12; // RIFF, length, WEBP
    let mut rest = bytes.get(HEADER_BYTES..).filter(|chunks| chunks.starts_with(b"VP8X"))?;
    loop {
        let (name, content) = rest.split_first_chunk::<4>()?;
        let (&length, content) = content.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let (chunk, behind) = content.split_at_checked(length)?;
        if name == wanted {
            return Some(chunk);
        }
        // A chunk of odd length is followed by a padding byte.
        rest = behind.get(length % 2..)?;
    }
}
