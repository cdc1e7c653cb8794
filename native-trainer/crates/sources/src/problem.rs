//! What is wrong with single rows.

use std::fmt;

/// Something wrong with one row. The row is in the data set nevertheless, with the cells that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// Index of the row in the data set, the first is 0.
    pub row: usize,
    pub fault: RowFault,
}

/// The kinds of fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// The row has more cells than the header, and text in them.
    TooManyCells { expected: usize, found: usize, advice: String },
    /// The row has fewer cells than the header has names.
    TooFewCells { expected: usize, found: usize, advice: String },
    /// A cell is not UTF-8; bytes that are none were replaced.
    NotUtf8 { column: usize },
    /// The row or its text file cannot be read.
    Unreadable { detail: String },
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyCells { expected, found, advice } | Self::TooFewCells { expected, found, advice } => {
                write!(f, "the row has {found} cells, the header {expected}; {advice}")
            }
            Self::NotUtf8 { column } => write!(f, "cell {} is not UTF-8 text; save it again as UTF-8", column + 1),
            Self::Unreadable { detail } => f.write_str(detail),
        }
    }
}
