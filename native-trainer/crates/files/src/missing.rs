//! Cells without a value, as other programs write them into tables.

use std::collections::BTreeMap;

/// What pandas reads as missing by default, besides an empty cell (`pandas._libs.parsers.STR_NA_VALUES`).
const MISSING_WORDS: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// The word for a missing value that a cell is, in pandas' spelling: `None` is one, and `none` is a word like others.
pub fn missing_word(cell: &str) -> Option<&'static str> {
    MISSING_WORDS.into_iter().find(|word| *word == cell)
}

/// Returns whether a cell has no value: it is blank, or a word for a missing one.
pub fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    cell.is_empty() || missing_word(cell).is_some()
}

/// Says which cells are words for missing values: "2 say NA, 1 says nan". `None` if none is.
pub fn missing_words_in(cells: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in cells.into_iter().filter_map(|cell| missing_word(cell.as_ref().trim())) {
        *counts.entry(word).or_default() += 1;
    }
    let say = |(word, n): (&&str, &usize)| format!("{n} {} {word}", if *n == 1 { "says" } else { "say" });
    let said: Vec<String> = counts.iter().map(say).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The same behind a sentence: " (2 say NA, 1 says nan)"; empty if none is.
pub fn in_brackets(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    missing_words_in(cells).map_or_else(String::new, |words| format!(" ({words})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_pandas_and_no_others() {
        for cell in ["", " \t", "nan", "NaN", " NA ", "N/A", "null", "None", "<NA>"] {
            assert!(is_missing(cell), "{cell:?}");
        }
        for cell in ["none", "Nan", "na", "unknown", "-", "0", "no nan", "N/A."] {
            assert!(!is_missing(cell), "{cell:?}");
        }
        assert_eq!(missing_word(" nan"), None, "pandas does not trim");
    }

    #[test]
    fn missing_words_are_counted() {
        let said = missing_words_in(["NA", "acne", "nan ", "", "NA", "none"]);
        assert_eq!(said.as_deref(), Some("2 say NA, 1 says nan"));
        assert_eq!(missing_words_in(["acne", ""]), None);
    }
}
