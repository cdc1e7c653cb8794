//! Problems of one row of a training table.

use super::mask::MaskError;
use dermake_process::print::shown;
use std::fmt;

/// Something wrong with one row: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// Index of the row in the table, the first is 0.
    pub row: usize,
    /// Line of the file on which the row starts, the header's is 1; `None` if the file has no lines.
    pub line: Option<u64>,
    /// Name of the column; empty if the problem is the whole row's.
    pub column: String,
    /// The problem.
    pub kind: ProblemKind,
}

/// The kinds of problem that a row can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The row has more fields than the header.
    TooManyFields { expected: usize, found: usize },
    /// The row, or a text file of its image, cannot be read.
    RowUnreadable { detail: String },
    /// A cell is not UTF-8.
    NotUtf8,
    /// The cell of the image's name is empty.
    NoImageName,
    /// There is no such file.
    ImageMissing { path: String },
    /// The name fits several files.
    ImageAmbiguous { names: Vec<String>, path: String },
    /// The file is there, but is no image that can be decoded.
    ImageUnreadable { path: String, detail: String },
    /// A mask cannot be parsed.
    Mask(MaskError),
    /// A mask has another number of entries than the table has captions for it.
    MaskLength { expected: usize, found: usize },
    /// The mask counts a caption that is not there.
    EmptyCaption,
    /// The caption is beyond what the tokenizer looks at.
    CaptionRefused { detail: String },
    /// The caption does not fit into the context and is cut. A warning: the row is used.
    CaptionCut { tokens: usize, room: usize },
    /// An earlier row has the same image, captions and masks; a warning, the row is used.
    RepeatedRow { row: usize, line: Option<u64> },
}

impl ProblemKind {
    /// Whether training uses the row nevertheless.
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::CaptionCut { .. } | Self::RepeatedRow { .. })
    }

    /// A key for programs that read the report.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooManyFields { .. } => "too_many_fields",
            Self::RowUnreadable { .. } => "row_unreadable",
            Self::NotUtf8 => "not_utf8",
            Self::NoImageName => "no_image_name",
            Self::ImageMissing { .. } => "image_missing",
            Self::ImageAmbiguous { .. } => "image_ambiguous",
            Self::ImageUnreadable { .. } => "image_unreadable",
            Self::Mask(_) => "mask_unreadable",
            Self::MaskLength { .. } => "mask_length",
            Self::EmptyCaption => "empty_caption",
            Self::CaptionRefused { .. } => "caption_refused",
            Self::CaptionCut { .. } => "caption_cut",
            Self::RepeatedRow { .. } => "repeated_row",
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyFields { expected, found } => {
                write!(f, "the row has {found} fields, the header {expected}")
            }
            Self::RowUnreadable { detail } => f.write_str(&shown(detail)),
            Self::NotUtf8 => f.write_str("the cell is not UTF-8 text"),
            Self::NoImageName => f.write_str("the image has no name"),
            Self::ImageMissing { path } => write!(f, "the image does not exist: {}", shown(path)),
            Self::ImageAmbiguous { names, path } => {
                write!(f, "the name fits several files ({}): {}", shown(&names.join(", ")), shown(path))
            }
            Self::ImageUnreadable { path, detail } => write!(f, "unreadable image: {detail}: {}", shown(path)),
            Self::Mask(error) => write!(f, "no mask: {error}"),
            Self::MaskLength { expected, found } => {
                write!(f, "the mask has {found} entries, expected {expected}")
            }
            Self::EmptyCaption => f.write_str("the caption is empty, but its mask is 1"),
            Self::CaptionRefused { detail } => write!(f, "the caption cannot be tokenized: {detail}"),
            Self::CaptionCut { tokens, room } => {
                write!(f, "the caption has {tokens} tokens, of which the first {room} are used")
            }
            Self::RepeatedRow { line: Some(line), .. } => write!(f, "the row repeats that of line {line}"),
            Self::RepeatedRow { row, line: None } => write!(f, "the row repeats row {}", row + 1),
        }
    }
}

impl fmt::Display for RowProblem {
    /// `row 3 (line 4), column sub_caption_mask: …`, rows counted from 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row + 1)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        if !self.column.is_empty() {
            write!(f, ", column {}", self.column)?;
        }
        write!(f, ": {}", self.kind)
    }
}
