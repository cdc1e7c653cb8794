//! CLIP's split of a text into pieces, each of which byte-pair encoding merges by itself.
//!
//! The pattern is written out, because a regex engine's Unicode tables would add 430 kB (gzipped) to the page.

use crate::text_cleaning::{is_letter, is_number};

/// Text that is encoded as the id of the start token, wherever a piece of [`Pattern::OpenClip`] begins with it.
pub(super) const START_OF_TEXT: &str = "<start_of_text>";

/// Text that is encoded as the id of the end token, wherever a piece of [`Pattern::OpenClip`] begins with it.
pub(super) const END_OF_TEXT: &str = "<end_of_text>";

/// What the pattern tries after the special tokens.
const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// CLIP's pattern, as one of two libraries has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Of the `regex` package in either case
    /// (<https://github.com/mlfoundations/open_clip/blob/89fb801/src/open_clip/tokenizer.py>):
    /// `<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`
    OpenClip,
    /// Of `tokenizers`, in the case as it is, with `<|startoftext|>` and `<|endoftext|>`.
    Transformers,
}

impl Pattern {
    /// The pieces of `text`, first to last.
    pub(super) fn pieces(self, text: &str) -> impl Iterator<Item = &str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|c| self.is_separator(c));
            let piece;
            (piece, rest) = rest.split_at(self.piece_len(rest)?);
            Some(piece)
        })
    }

    /// Length in bytes of the piece that `text` starts with; `None` at its end.
    fn piece_len(self, text: &str) -> Option<usize> {
        let first = text.chars().next()?;
        if let Some(len) = self.literal_len(text) {
            return Some(len);
        }
        if is_number(first) {
            return Some(first.len_utf8());
        }
        let is_other = |c| is_letter(c) || is_number(c) || self.is_separator(c);
        let len = match is_letter(first) {
            true => text.find(|c| !is_letter(c)),
            false => text.find(is_other),
        };
        Some(len.unwrap_or(text.len()))
    }

    /// Length of the special token or the contraction that `text` starts with.
    fn literal_len(self, text: &str) -> Option<usize> {
        // Most pieces are words; no literal starts with a letter.
        if !text.starts_with(['<', '\'']) {
            return None;
        }
        let special = match self {
            Self::OpenClip => [START_OF_TEXT, END_OF_TEXT],
            Self::Transformers => ["<|startoftext|>", "<|endoftext|>"],
        };
        let mut literals = special.into_iter().chain(CONTRACTIONS);
        match self {
            Self::OpenClip => literals.find_map(|literal| len_in_either_case(text, literal)),
            Self::Transformers => literals.find(|literal| text.starts_with(literal)).map(str::len),
        }
    }

    /// What belongs to no piece: white space and, an oddity of `[^\p{L}]` in `IGNORECASE` mode, the combining iota,
    /// whose upper case is a letter.
    fn is_separator(self, c: char) -> bool {
        c.is_whitespace() || (c == '\u{345}' && self == Self::OpenClip)
    }
}

/// Length of `literal` at the start of `text`, in either case; that of `s` includes the long `ſ`.
fn len_in_either_case(text: &str, literal: &str) -> Option<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        Pattern::OpenClip.pieces(text).collect()
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

    // >>> pattern =
    // re.compile(r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""")
    // >>> pattern.findall(text)
    #[test]
    fn the_pattern_of_transformers_knows_case_and_its_own_special_tokens() {
        let split = |text| Pattern::Transformers.pieces(text).collect::<Vec<_>>();
        assert_eq!(split("don't DON'T"), ["don", "'t", "DON", "'", "T"]);
        assert_eq!(split("a\u{345}'ſ"), ["a", "\u{345}'", "ſ"]);
        assert_eq!(
            split("<|endoftext|>!<end_of_text>"),
            ["<|endoftext|>", "!<", "end", "_", "of", "_", "text", ">"]
        );
        assert_eq!(split(".<|startoftext|>"), [".<|", "startoftext", "|>"]);
    }
}
