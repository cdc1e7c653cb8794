//! Warnings about labels that may be mistakes.

use std::fmt;

/// Names that a warning lists.
const MAX_LISTED: usize = 5;

/// Something about labels that may be a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelWarning {
    /// Other spellings of labels were left out.
    Joined {
        /// The spellings that were left out.
        names: Vec<String>,
    },
    /// There is only one label.
    Single {
        /// The label.
        name: String,
    },
    /// The first label looks like the heading of a column.
    Header {
        /// The label.
        name: String,
    },
    /// Every line has a separator, equally often, and was read as one label.
    Separated {
        /// The separator.
        separator: char,
    },
    /// Lines of a file that begin with # or // were left out.
    Comments {
        /// How many lines.
        n_lines: usize,
    },
    /// The labels keep the numbers before them, because the numbers have gaps.
    Numbered {
        /// The first label.
        name: String,
    },
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

/// Returns names in quotation marks; of many, the first ones.
pub(super) fn quoted(names: &[String]) -> String {
    let listed: Vec<String> = names.iter().take(MAX_LISTED).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(MAX_LISTED);
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    listed.join(", ") + &and_more
}
