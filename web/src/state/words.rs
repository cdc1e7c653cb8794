//! Words of the visitor's own that the model is given, for a map or a search.

/// Most characters of them.
pub const MAX_WORDS_CHARS: usize = 200;

/// The words in a text, without white space around them; `None` without a letter or digit.
pub(super) fn words_in(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|words| words.chars().any(char::is_alphanumeric))
}
