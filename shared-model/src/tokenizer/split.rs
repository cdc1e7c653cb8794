//! CLIP's split of a cleaned text into pieces, each of which byte-pair encoding merges by itself.
//!
//! The reference's pattern (`regex` package, `IGNORECASE`,
//! <https://github.com/mlfoundations/open_clip/blob/89fb801/src/open_clip/tokenizer.py>), written out:
//! `<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`

use crate::text_cleaning::{is_letter, is_number};

/// Text that stands for the id of the start, wherever a piece begins with it.
pub const START_OF_TEXT: &str = "<start_of_text>";

/// Text that stands for the id of the end, wherever a piece begins with it.
pub const END_OF_TEXT: &str = "<end_of_text>";

/// What the pattern tries first.
const LITERALS: [&str; 9] = [START_OF_TEXT, END_OF_TEXT, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// The pieces of `text`, first to last.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_separator);
        let piece;
        (piece, rest) = rest.split_at(piece_len(rest)?);
        Some(piece)
    })
}

/// Length in bytes of the piece that `text` starts with; `None` at its end.
fn piece_len(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if let Some(len) = LITERALS.iter().find_map(|literal| literal_len(text, literal)) {
        return Some(len);
    }
    if is_number(first) {
        return Some(first.len_utf8());
    }
    let ends: fn(char) -> bool = match is_letter(first) {
        true => |c| !is_letter(c),
        false => |c| is_letter(c) || is_number(c) || is_separator(c),
    };
    Some(text.find(ends).unwrap_or(text.len()))
}

/// Length of `literal` at the start of `text`, in either case; that of `s` includes the long `ſ`.
fn literal_len(text: &str, literal: &str) -> Option<usize> {
    let mut chars = text.chars();
    let mut len = 0;
    for expected in literal.chars() {
        let c = chars.next()?;
        let is_same = c.eq_ignore_ascii_case(&expected) || (expected == 's' && c == 'ſ');
        if !is_same {
            return None;
        }
        len += c.len_utf8();
    }
    Some(len)
}

/// What belongs to no piece: white space and, an oddity of `[^\p{L}]` in `IGNORECASE` mode, the combining iota,
/// whose upper case is a letter.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || c == '\u{345}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        pieces(text).collect()
    }

    #[test]
    fn splits_as_the_reference_does() {
        // >>> tokenizer.pat.findall(text)
        assert_eq!(split("it's  5.25mm,ok"), ["it", "'s", "5", ".", "2", "5", "mm", ",", "ok"]);
        assert_eq!(split("'re'x '' don'T"), ["'re", "'", "x", "''", "don", "'T"]);
        assert_eq!(split("²½ⅷ1️⃣"), ["²", "½", "ⅷ", "1", "\u{fe0f}\u{20e3}"]);
        assert_eq!(split("e\u{301}a\u{345}'ſ"), ["e", "\u{301}", "a", "'ſ"]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn special_tokens_count_where_a_piece_begins() {
        assert_eq!(split("a<start_of_text><END_OF_TEXT>"), ["a", START_OF_TEXT, "<END_OF_TEXT>"]);
        assert_eq!(split("!<end_of_text>"), ["!<", "end", "_", "of", "_", "text", ">"]);
    }
}
