//! Text cleaning before tokenization, equal to open_clip's
//! (<https://github.com/mlfoundations/open_clip/blob/89fb801/src/open_clip/tokenizer.py>): ftfy's `fix_text`,
//! Python's `html.unescape` twice, then white space collapsed, and what else [`TextCleaning`] names.
//!
//! Written without a regex engine: its Unicode tables would add 430 kB (gzipped) to the page. Equal for every
//! character of Unicode 14, which the reference's Python 3.11 knows; newer ones follow the Rust release that compiles this.

mod characters;
mod ftfy;
mod html;
mod windows_1252;

use crate::config::TextCleaning;
use crate::{Error, Result};
use std::borrow::Cow;

pub(crate) use characters::{is_letter, is_number};

/// Longest text that is looked at, in bytes; far beyond any caption.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Cleans one caption as CLIP's tokenizer does: repaired, unescaped, single spaces, lower case.
///
/// # Errors
/// [`Error::TextTooLong`] over [`MAX_TEXT_BYTES`].
pub fn clean(text: &str) -> Result<String> {
    clean_as(text, TextCleaning::Lower).map(Cow::into_owned)
}

/// Cleans one caption as `cleaning` says.
///
/// # Errors
/// [`Error::TextTooLong`] over [`MAX_TEXT_BYTES`].
pub(crate) fn clean_as(text: &str, cleaning: TextCleaning) -> Result<Cow<'_, str>> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Error::TextTooLong { bytes: text.len(), limit_bytes: MAX_TEXT_BYTES });
    }
    Ok(match cleaning {
        TextCleaning::None => Cow::Borrowed(text),
        TextCleaning::Whitespace => Cow::Owned(collapse_white_space(&repair(text))),
        TextCleaning::Lower => Cow::Owned(collapse_white_space(&repair(text)).to_lowercase()),
        TextCleaning::Canonicalize => {
            let text = remove_punctuation(&repair(text).replace('_', " ")).to_lowercase();
            Cow::Owned(collapse_white_space(&text))
        }
    })
}

/// Removes Python's `string.punctuation`.
pub(crate) fn remove_punctuation(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_punctuation(), "")
}

fn repair(text: &str) -> String {
    let text = ftfy::fix_text(text);
    let text = html::unescape(&text);
    html::unescape(&text).into()
}

/// Python's `" ".join(text.split())`.
pub(crate) fn collapse_white_space(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split(characters::is_white_space).filter(|word| !word.is_empty()) {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        clean(text).unwrap()
    }

    #[test]
    fn repairs_unescapes_collapses_and_lowers() {
        assert_eq!(cleaned("SjÃ¶gren"), "sjögren");
        assert_eq!(cleaned("“Köbner” &amp;amp;\t\u{1c}sign\u{3000}"), "\"köbner\" & sign");
        assert_eq!(cleaned(" \n "), "");
    }

    #[test]
    fn lowers_the_final_sigma() {
        assert_eq!(cleaned("ΝΟΣΟΣ"), "νοσος");
    }

    #[test]
    fn refuses_long_text() {
        assert!(clean(&"a".repeat(MAX_TEXT_BYTES)).is_ok());
        let err = clean(&"a".repeat(MAX_TEXT_BYTES + 1)).unwrap_err();
        assert!(matches!(err, Error::TextTooLong { bytes, limit_bytes } if bytes == limit_bytes + 1));
    }
}
