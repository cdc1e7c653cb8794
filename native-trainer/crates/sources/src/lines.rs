//! Lines of a table, counted.

/// Counts lines up to the starts of records: the reader's own count stops before empty lines and inside CR LF.
pub(crate) struct LineCounter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    /// Starts at the first of `bytes`, which is on line `line`.
    pub fn new(bytes: &'a [u8], line: u64) -> Self {
        Self { bytes, at: 0, line }
    }

    /// The line on which the record starts that the reader began to look for at byte `start`.
    pub fn line_of(&mut self, start: u64) -> u64 {
        let start = (start as usize).min(self.bytes.len());
        if start < self.at {
            return self.line; // counted already
        }
        let is_break = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        let start = start + self.bytes[start..].iter().take_while(is_break).count();
        // CR LF is one end of a line, and so is a CR by itself.
        let ends_line = |&at: &usize| match self.bytes[at] {
            b'\n' => true,
            b'\r' => self.bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        self.line += (self.at..start).filter(ends_line).count() as u64;
        self.at = start;
        self.line
    }
}
