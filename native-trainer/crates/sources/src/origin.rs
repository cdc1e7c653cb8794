//! Where a row came from, for messages.

use std::fmt;
use std::path::Path;

/// The place of a row: `row 3 (line 4) of data/train.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The file that has the row. Of a folder of images, the image.
    pub file: &'a Path,
    /// Row of the file, from 1; `None` where the file is the row.
    pub row: Option<usize>,
    /// Line of a text file on which the row starts, from 1.
    pub line: Option<u64>,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}")?;
            if let Some(line) = self.line {
                write!(f, " (line {line})")?;
            }
            f.write_str(" of ")?;
        }
        write!(f, "{}", self.file.display())
    }
}
