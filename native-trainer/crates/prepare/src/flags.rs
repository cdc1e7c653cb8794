//! What a person should look at in a row: it stays in the table. The flags of images come from `image_flags`.

use crate::words::{Kind, Words};
use regex::Regex;
use serde::Serialize;
use std::sync::LazyLock;

/// A reason to look at a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Most of its common words are of another language, or its letters are not Latin.
    NotEnglish,
    /// It names the case or picture of another figure.
    AnotherImage,
    /// It describes several panels, of which the image may be one.
    SeveralPanels,
    /// It describes what no photo of the skin shows: histology, radiology.
    NotAPhoto,
    /// The image shows a face.
    Face,
    /// Text is burnt into the image.
    TextInImage,
}

/// Common words of English, in the spelling of [`crate::words`].
const ENGLISH: [&str; 40] = [
    "the", "of", "and", "with", "on", "in", "a", "an", "is", "are", "was", "were", "this", "that", "to", "for",
    "no", "not", "from", "at", "by", "i", "my", "it", "patient", "skin", "showing", "show", "after", "without",
    "has", "have", "or", "over", "left", "right", "be", "as", "image", "there",
];

/// Common words of other languages of medicine that are no English words.
const FOREIGN: [&str; 69] = [
    // Spanish and Portuguese
    "el", "la", "los", "las", "una", "con", "del", "por", "para", "paciente", "piel", "lesion", "lesione", "en",
    "que", "uma", "com", "da", "do", "pele", "dos", "em", "sobre", "presenta", "placa", // French
    "le", "les", "une", "des", "du", "et", "avec", "sur", "est", "dans", "chez", "peau", "patiente", "aux",
    // German
    "der", "die", "das", "und", "mit", "ein", "eine", "einer", "eines", "bei", "von", "auf", "ist", "haut", "nach",
    "im", "am", "zur", "den", // Italian and Dutch
    "il", "gli", "della", "delle", "di", "sono", "cute", "het", "een", "van", "met",
];

static ANOTHER_IMAGE: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"(?i)\b(?:same (?:patient|case|lesion|child|man|woman|subject) (?:as|shown|seen|depicted)|(?:patient|case|lesion) (?:in|from|of|shown in) (?:figures?|fig\.?|image|photo) \d|(?:previous|preceding|next|following|adjacent|other) (?:figure|image|photo|picture|slide)|(?:as|see|compare(?: with)?) (?:in )?(?:figures?|fig\.?) \d)",
    )
});
static PANELS: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"(?s)(?:\(a\)|\ba[):.,]\s).*(?:\(b\)|\bb[):.,]\s)|(?:\(A\)|\bA[):.,]\s).*(?:\(B\)|\bB[):.,]\s)|(?i)\b(?:left|top|upper) (?:panel|image|photo|picture)\b",
    )
});
static NOT_A_PHOTO: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"(?i)\b(?:h(?:a?ematoxylin)?\s?(?:&|and)\s?e(?:osin)?(?: stain\w*)?|original magnification|immunohistochemi\w+ (?:stain\w*|show\w*|of)|photomicrograph|histologic(?:al)? section|(?:ct|mri|pet|x-?ray|ultrasound|radiograph\w*) (?:scan|image|of|show\w*))\b|(?:^|[(,;]\s?|magnification,?\s)[x×]\s?\d{2,3}\b",
    )
});

fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the tests use every rule")
}

/// Returns what a person should look at in a caption, in order.
pub fn flags(caption: &str, words: &Words) -> Vec<Flag> {
    let is_english = is_english(caption, words);
    let found = [
        (!is_english, Flag::NotEnglish),
        (ANOTHER_IMAGE.is_match(caption), Flag::AnotherImage),
        (PANELS.is_match(caption), Flag::SeveralPanels),
        (NOT_A_PHOTO.is_match(caption), Flag::NotAPhoto),
    ];
    found.into_iter().filter_map(|(is_so, flag)| is_so.then_some(flag)).collect()
}

/// Short captions of terms alone are taken for English: "Psoriasis vulgaris" is the same in many languages.
fn is_english(caption: &str, words: &Words) -> bool {
    let n_letters = caption.chars().filter(|c| c.is_alphabetic()).count();
    let n_latin = caption.chars().filter(|&c| c.is_alphabetic() && c < '\u{250}').count();
    if 2 * n_latin < n_letters {
        return false;
    }
    let n_of = |list: &[&str]| {
        let is_of = |at: &usize| words.words[*at].kind == Kind::Word && list.contains(&words.word(*at));
        (0..words.words.len()).filter(is_of).count()
    };
    let n_foreign = n_of(&FOREIGN);
    n_foreign < 2 || n_foreign <= n_of(&ENGLISH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lexicon;

    #[test]
    fn captions_to_look_at_are_flagged() {
        let lexicon = Lexicon::new(None);
        for (caption, expected) in [
            ("Erythematous plaque on the elbow of a patient with psoriasis.", vec![]),
            ("Psoriasis vulgaris", vec![]),
            ("Café-au-lait macule en coup de sabre", vec![]),
            ("Placa eritematosa con escamas en el codo de un paciente", vec![Flag::NotEnglish]),
            ("Plaque érythémateuse du coude avec des squames", vec![Flag::NotEnglish]),
            ("Erythematöse Plaques mit Schuppung an den Ellenbogen", vec![Flag::NotEnglish]),
            ("左前臂红斑鳞屑性斑块", vec![Flag::NotEnglish]),
            ("Same patient as in Figure 2, after treatment", vec![Flag::AnotherImage]),
            ("(A) Nodule of the nose. (B) Dermoscopy.", vec![Flag::SeveralPanels]),
            ("Hematoxylin and eosin, original magnification ×100", vec![Flag::NotAPhoto]),
            ("A plaque, 3 x 4 cm, on the arm", vec![]),
        ] {
            assert_eq!(flags(caption, &lexicon.words(caption)), expected, "{caption}");
        }
    }
}
