//! Captions that are lists of texts, as those of Flickr30k and COCO: the first text is the caption.

use crate::dataset::Dataset;
use std::borrow::Cow;

/// The caption that a cell holds: its text, or of a list of texts the first one that is not blank.
pub fn caption_of(cell: &str) -> Cow<'_, str> {
    match texts_of(cell) {
        Some(texts) => Cow::Owned(texts.into_iter().next().unwrap_or_default()),
        None => Cow::Borrowed(cell),
    }
}

impl Dataset {
    /// Says how many rows have several captions in a column, of which one is used.
    pub fn several_captions_note(&self, column: usize) -> Option<String> {
        let has_several = |row: &usize| texts_of(self.cell(*row, column)).is_some_and(|texts| texts.len() > 1);
        let n = (0..self.len()).filter(has_several).count();
        (n > 0).then(|| {
            format!(
                "{n} of {} rows have a list of several texts as their {}, of which the first is used; write a row for each \
                 to use all: {}",
                self.len(),
                self.columns()[column],
                self.path().display()
            )
        })
    }
}

/// The texts of a cell that is a JSON list of texts, without blank and missing ones.
fn texts_of(cell: &str) -> Option<Vec<String>> {
    if !cell.trim_start().starts_with('[') {
        return None;
    }
    let texts: Vec<Option<String>> = serde_json::from_str(cell).ok()?;
    Some(texts.into_iter().flatten().filter(|text| !text.trim().is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn of_a_list_of_texts_the_first_is_the_caption() {
        for (cell, caption) in [
            (r#"["a mole"]"#, "a mole"),
            (r#" [null, " ", "a \"mole\"", "a wart"] "#, "a \"mole\""),
            ("[]", ""),
            ("a mole", "a mole"),
            ("[1, 0]", "[1, 0]"),
            ("[a] mole", "[a] mole"),
        ] {
            assert_eq!(caption_of(cell), caption, "{cell}");
        }
    }

    #[test]
    fn rows_with_several_captions_are_counted() {
        let lines = "{\"image\": \"a\", \"captions\": [\"x\", \"y\"]}\n{\"image\": \"b\", \"captions\": [\"z\"]}\n";
        let data = Dataset::of_bytes(lines.as_bytes(), Path::new("t.jsonl")).unwrap();
        let note = data.several_captions_note(data.caption_column(None).unwrap()).unwrap();
        assert!(note.starts_with("1 of 2 rows have a list of several texts as their captions"), "{note}");
        assert_eq!(data.several_captions_note(0), None);
    }
}
