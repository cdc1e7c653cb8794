//! Caption masks, written in the table as Python lists of 0 and 1.
//!
//! The reference evaluates these cells as Python code; here they are parsed, so that a table can never run anything.

use shared_model::text_file::shortened;
use std::fmt;

/// Most entries that a mask may have: more than any table has captions.
pub const MAX_MASK_LEN: usize = 64;

/// Why a cell is no mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaskError {
    /// The cell is empty, or has a word that means a missing value.
    Missing,
    /// The cell is not a list in brackets or parentheses.
    NotAList { found: String },
    /// An entry, counted from 1, is neither 0 nor 1.
    Entry { position: usize, found: String },
    /// There are more than [`MAX_MASK_LEN`] entries.
    TooLong,
}

impl fmt::Display for MaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("expected a list of 0 and 1, found nothing"),
            Self::NotAList { found } => write!(f, "expected a list of 0 and 1 such as [1, 0], found {found:?}"),
            Self::Entry { position, found } => write!(f, "entry {position} is {found:?}, expected 0 or 1"),
            Self::TooLong => write!(f, "expected a list of 0 and 1, found more than {MAX_MASK_LEN} entries"),
        }
    }
}

/// Parses `[1, 1, 0]`; also accepts parentheses, `True` and `False`, `1.0` and `0.0`, and a comma before the end.
///
/// # Errors
/// [`MaskError`] if the cell is no list, or has another entry than 0 and 1.
pub fn parse_mask(cell: &str) -> Result<Vec<bool>, MaskError> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Err(MaskError::Missing);
    }
    let inside = |open, close| cell.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    let Some(list) = inside('[', ']').or_else(|| inside('(', ')')) else {
        return Err(MaskError::NotAList { found: shortened(cell) });
    };
    if list.trim().is_empty() {
        return Ok(Vec::new());
    }
    let list = list.trim_end();
    let mut mask = Vec::new();
    for (entry, position) in list.strip_suffix(',').unwrap_or(list).split(',').zip(1..) {
        if position > MAX_MASK_LEN {
            return Err(MaskError::TooLong);
        }
        let entry = entry.trim();
        mask.push(parse_entry(entry).ok_or_else(|| MaskError::Entry { position, found: shortened(entry) })?);
    }
    Ok(mask)
}

fn parse_entry(entry: &str) -> Option<bool> {
    match entry {
        "1" | "True" => Some(true),
        "0" | "False" => Some(false),
        _ => match entry.parse::<f64>() {
            Ok(1.0) => Some(true),
            Ok(0.0) => Some(false),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_zeros_and_ones_in_every_spelling() {
        let expected = Ok(vec![true, true, false]);
        for cell in [
            "[1, 1, 0]",
            "[1,1,0]",
            "  [ 1 ,1 , 0 ] ",
            "(1, 1, 0)",
            "[1, 1, 0,]",
            "[True, True, False]",
            "[1.0, 1., 0.0]",
            "(True, 1, 0.0, )",
        ] {
            assert_eq!(parse_mask(cell), expected, "{cell}");
        }
        assert_eq!(parse_mask("[]"), Ok(vec![]));
        assert_eq!(parse_mask("[ ]"), Ok(vec![]));
    }

    #[test]
    fn anything_else_is_an_error_that_says_what_was_found() {
        for (cell, expected) in [
            ("", "found nothing"),
            ("  ", "found nothing"),
            ("1, 0", "\"1, 0\""),
            ("[1, 0)", "\"[1, 0)\""),
            ("[1, 2]", "entry 2 is \"2\""),
            ("[1, -1]", "entry 2 is \"-1\""),
            ("[1,, 0]", "entry 2 is \"\""),
            ("[,]", "entry 1 is \"\""),
            ("[1 0]", "entry 1 is \"1 0\""),
            ("[nan]", "entry 1 is \"nan\""),
            ("[0.5]", "entry 1 is \"0.5\""),
            ("[true]", "entry 1 is \"true\""),
            ("[[1], 0]", "entry 1 is \"[1]\""),
            ("__import__('os').system('true')", "__import__"),
            ("[__import__('os')]", "entry 1 is \"__import__('os')\""),
        ] {
            let message = parse_mask(cell).unwrap_err().to_string();
            assert!(message.contains(expected), "{cell}: {message}");
        }
    }

    #[test]
    fn absurd_cells_stay_short() {
        let long = format!("[{}]", vec!["1"; MAX_MASK_LEN + 1].join(", "));
        assert_eq!(parse_mask(&long), Err(MaskError::TooLong));
        assert!(parse_mask(&"é".repeat(10_000)).unwrap_err().to_string().len() < 200);
    }
}
