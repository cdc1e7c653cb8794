//! A file of frames, each checked: its length, the CRC-32 of the length, the CRC-32 of the content, the content.

/// Bytes before a frame's content.
const HEAD_BYTES: usize = 12;

/// A frame that holds `content`.
pub fn framed(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a frame is one save, far below 4 GiB").to_le_bytes();
    let mut frame = Vec::with_capacity(HEAD_BYTES + content.len());
    frame.extend(length);
    frame.extend(crc32fast::hash(&length).to_le_bytes());
    frame.extend(crc32fast::hash(content).to_le_bytes());
    frame.extend(content);
    frame
}

/// What is found in place of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The file ends before the frame does, as after a kill or a full disk.
    CutShort,
    /// The frame is not what was written.
    Changed,
}

/// The contents of frames, one after the other; a broken one is the last.
pub struct Frames<'a> {
    bytes: &'a [u8],
    /// Start of the next frame.
    at: usize,
    is_over: bool,
}

impl<'a> Frames<'a> {
    /// Frames from byte `start` on.
    pub fn new(bytes: &'a [u8], start: usize) -> Self {
        Self { bytes, at: start, is_over: false }
    }

    /// Bytes up to the end of the last whole frame.
    pub fn whole_bytes(&self) -> usize {
        self.at
    }

    fn read(&mut self) -> Result<&'a [u8], Broken> {
        let rest = &self.bytes[self.at..];
        let (head, content) = rest.split_at_checked(HEAD_BYTES).ok_or(Broken::CutShort)?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if crc32fast::hash(&head[..4]) != number(4) {
            return Err(Broken::Changed);
        }
        let content = content.get(..number(0) as usize).ok_or(Broken::CutShort)?;
        if crc32fast::hash(content) != number(8) {
            return Err(Broken::Changed);
        }
        self.at += HEAD_BYTES + content.len();
        Ok(content)
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<&'a [u8], Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over || self.at >= self.bytes.len() {
            return None;
        }
        let frame = self.read();
        self.is_over = frame.is_err();
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_every_change_is_seen() {
        let file = [framed(b"one"), framed(b""), framed(b"three")].concat();
        let read = |bytes: &[u8]| Frames::new(bytes, 0).map(|frame| frame.map(<[u8]>::to_vec)).collect::<Vec<_>>();
        assert_eq!(read(&file), [Ok(b"one".to_vec()), Ok(vec![]), Ok(b"three".to_vec())]);
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1 << (at % 8);
            assert_eq!(read(&changed).last(), Some(&Err(Broken::Changed)), "byte {at}");
            let is_between_frames = [0, 15, 27].contains(&at);
            let end = read(&file[..at]).pop();
            assert_eq!(end == Some(Err(Broken::CutShort)), !is_between_frames, "cut at {at}: {end:?}");
        }
    }
}
