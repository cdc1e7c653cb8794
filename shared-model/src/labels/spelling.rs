//! Spellings of one label: what may differ between two names that mean the same.

use icu_normalizer::ComposingNormalizerBorrowed;

/// Returns the name without invisible characters and without the white space around it.
pub fn cleaned(name: &str) -> String {
    let visible: String = name.chars().filter(|&c| !is_invisible(c)).collect();
    visible.trim().to_owned()
}

/// Returns what all spellings of a label have in common.
///
/// Case, white space, Unicode's normal form, full-width letters and invisible characters do not count. The model
/// reads such names alike, so they would share their probability.
pub fn spelling_key(name: &str) -> String {
    let visible: String = name.chars().filter(|&c| !is_invisible(c) && !is_joiner(c)).map(half_width).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&words.join(" ").to_lowercase()).into_owned()
}

/// Characters without a shape that text from web pages and office programs brings along: zero-width spaces, byte order
/// marks, soft hyphens, marks of writing direction.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}' | '\u{feff}'
    )
}

/// Zero-width joiner and non-joiner: a name keeps them, as scripts and emoji need them.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// The ASCII character of a full-width one.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_label_have_one_key() {
        for name in
            ["Bowen’s  Disease", "BOWEN’S DISEASE", " bowen’s\u{a0}disease\u{200b}", "bowen’s d\u{ad}isease"]
        {
            assert_eq!(spelling_key(name), "bowen’s disease", "{name:?}");
        }
        assert_eq!(spelling_key("Sjo\u{308}gren"), spelling_key("sj\u{f6}gren"));
        assert_eq!(spelling_key("ＡＣＮＥ"), "acne");
        assert_ne!(spelling_key("acne"), spelling_key("acné"));
    }

    #[test]
    fn a_cleaned_name_keeps_what_can_be_seen() {
        assert_eq!(cleaned("\u{feff} Acne\u{200b}, red "), "Acne, red");
        assert_eq!(cleaned("\u{200b} "), "");
        assert_eq!(cleaned("می\u{200c}خواهم"), "می\u{200c}خواهم");
    }
}
