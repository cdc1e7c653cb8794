//! Words for numbers, sizes, tones and people.

use crate::case::{Case, Sex};

/// Longest caption, by [`estimated_tokens`]; CLIP's own count stays under 60 then.
pub const TOKEN_BUDGET: usize = 47;

pub fn count(n: usize) -> &'static str {
    match n {
        0 => "no",
        1 => "a single",
        2 => "two",
        3 => "three",
        4 => "four",
        5 => "five",
        6 => "six",
        7..=9 => "several",
        10..=15 => "many",
        _ => "numerous",
    }
}

/// By the width of the lesion as a share of the picture.
pub fn size(width: f32) -> &'static str {
    match width {
        w if w < 0.11 => "small",
        w if w < 0.30 => "medium-sized",
        _ => "large",
    }
}

pub fn tone(fitzpatrick: u8) -> &'static str {
    match fitzpatrick {
        1 => "very fair",
        2 => "fair",
        3 => "olive",
        4 => "light brown",
        5 => "brown",
        _ => "dark",
    }
}

pub fn roman(fitzpatrick: u8) -> &'static str {
    ["I", "II", "III", "IV", "V", "VI"][usize::from(fitzpatrick.clamp(1, 6)) - 1]
}

/// "62-year-old woman".
pub fn person(case: &Case) -> String {
    let noun = match (case.sex, case.age < 16) {
        (Sex::Female, false) => "woman",
        (Sex::Male, false) => "man",
        (Sex::Female, true) => "girl",
        (Sex::Male, true) => "boy",
    };
    format!("{}-year-old {noun}", case.age)
}

/// "a" or "an" before the word, and the word; numbers by how they are spoken.
pub fn with_article(word: &str) -> String {
    let is_vowel = word.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O'])
        || word.starts_with('8')
        || word.starts_with("11-")
        || word.starts_with("18-")
        || ["SK", "SCC", "umb"].iter().any(|start| word.starts_with(start));
    format!("{} {word}", if is_vowel { "an" } else { "a" })
}

pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// "a, b and c".
pub fn list(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// An upper guess of how many tokens CLIP's tokenizer makes: long medical words fall apart into syllables.
pub fn estimated_tokens(text: &str) -> usize {
    let marks = text.chars().filter(|c| !c.is_alphabetic() && !c.is_whitespace()).count();
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    marks + words.map(|word| 1 + word.len().saturating_sub(3) / 5).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_well() {
        assert_eq!(list(&["red", "brown", "black"]), "red, brown and black");
        assert_eq!(with_article("80-year-old man"), "an 80-year-old man");
        assert_eq!(with_article("18-year-old man"), "an 18-year-old man");
        assert_eq!(with_article("1-year-old girl"), "a 1-year-old girl");
        assert_eq!(capitalized("nevus"), "Nevus");
    }
}
