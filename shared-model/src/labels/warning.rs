//! What a person should know of how their labels were read.

use std::fmt;

/// Names that a warning lists.
const MAX_LISTED: usize = 5;

/// Something about labels that may not be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelWarning {
    /// Spellings of labels that were there before; they are left out.
    Joined { names: Vec<String> },
    /// There is one label only.
    Single { name: String },
    /// The first label is the word that heads a table's column of labels.
    Header { name: String },
    /// Every line has this character, equally often, and was taken as one label.
    Separated { separator: char },
    /// Lines of a file that begin with # or // were left out.
    Comments { n_lines: usize },
    /// The labels keep the numbers before them, which have gaps.
    Numbered { name: String },
}

impl LabelWarning {
    pub(super) fn joined(&self) -> Option<&[String]> {
        match self {
            Self::Joined { names } => Some(names),
            _ => None,
        }
    }
}

impl fmt::Display for LabelWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined { names } => write!(f, "listed more than once, counted once: {}", quoted(names)),
            Self::Single { name } => {
                write!(
                    f,
                    "{name:?} is the only label, so it gets 100 % whatever the photo shows; give at least two"
                )
            }
            Self::Header { name } => {
                write!(f, "the first label is {name:?}; if that is the heading of the list, remove it")
            }
            Self::Separated { separator } => {
                let separator = match separator {
                    ',' => "a comma",
                    ';' => "a semicolon",
                    _ => "a vertical bar",
                };
                write!(f, "every line has {separator}; each line was taken as one label")
            }
            Self::Comments { n_lines } => write!(f, "lines that begin with # or // are left out: {n_lines}"),
            Self::Numbered { name } => {
                write!(f, "the numbers stay in the labels, as in {name:?}: they do not count 1, 2, 3")
            }
        }
    }
}

/// Names in quotation marks, the first few of many.
pub(super) fn quoted(names: &[String]) -> String {
    let listed: Vec<String> = names.iter().take(MAX_LISTED).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(MAX_LISTED);
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    listed.join(", ") + &and_more
}
