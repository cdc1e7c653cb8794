//! The names that people give to columns.

use dermake_files::table_file::{IMAGE_COLUMNS, find_column};

/// Columns of the label, the most usual first.
pub const LABEL_COLUMNS: [&str; 20] = [
    "label",
    "labels",
    "label_name",
    "class",
    "class_name",
    "class_label",
    "diagnosis",
    "diagnostic",
    "diagnosis_name",
    "dx",
    "disease",
    "disease_name",
    "disease_label",
    "condition",
    "category",
    "target",
    "ground_truth",
    "true_label",
    "cls",
    "y",
];

/// Columns of the caption, the most usual first.
pub const CAPTION_COLUMNS: [&str; 16] = [
    "truncated_caption",
    "caption",
    "captions",
    "text",
    "description",
    "image_caption",
    "image_description",
    "caption_zh_polish_en",
    "caption_en",
    "sentence",
    "report",
    "findings",
    "title",
    "txt",
    "prompt",
    "alt_text",
];

/// Columns of images that are bytes in the file itself.
const IMAGE_BYTES_COLUMNS: [&str; 8] = ["image", "img", "jpg", "jpeg", "png", "image_bytes", "bytes", "picture"];

/// The column that says to which part of the data a row belongs.
pub const SPLIT_COLUMN: &str = "split";

/// The part to train on, as [`split_of`] names it.
pub const TRAIN: &str = "train";
/// The part to choose settings by.
pub const VALIDATION: &str = "validation";
/// The part to report figures of.
pub const TEST: &str = "test";

/// The column of the label, of data that do not name their columns otherwise.
pub const LABEL_COLUMN: &str = "label";
/// The column of the caption, of the same data.
pub const CAPTION_COLUMN: &str = "caption";

/// The part of the data that the name of a file or folder, or a cell, means: `train-00000-of-00002.parquet`, `val`.
pub fn split_of(name: &str) -> Option<&'static str> {
    let word: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
    match word.to_ascii_lowercase().as_str() {
        "train" | "training" => Some(TRAIN),
        "test" | "testing" => Some(TEST),
        "val" | "valid" | "validation" | "dev" => Some(VALIDATION),
        _ => None,
    }
}

/// Returns whether two names mean one part of the data: the same text in any case, or words for one part, such as `val` and
/// `validation`.
pub fn is_same_part(a: &str, b: &str) -> bool {
    let of_word = |name: &str| split_of(name).filter(|_| name.chars().all(|c| c.is_ascii_alphabetic()));
    let (a, b) = (a.trim(), b.trim());
    a.eq_ignore_ascii_case(b) || of_word(a).is_some_and(|part| of_word(b) == Some(part))
}

/// Which rows are of a part, by the parts that they name: if none names it, all are.
pub fn are_of_part(parts: &[Option<&str>], part: &str) -> Vec<bool> {
    let is_named = parts.contains(&Some(part));
    parts.iter().map(|of_row| !is_named || *of_row == Some(part)).collect()
}

/// The first of these names that a header has: as written, in another case, or with other marks between its words
/// ("Image Path" for `image_path`).
pub fn find_usual(header: &[String], names: &[&str]) -> Option<usize> {
    let as_written = names.iter().find_map(|name| find_column(header, name));
    as_written
        .or_else(|| names.iter().find_map(|name| header.iter().position(|column| plain(column) == plain(name))))
}

/// The column that usually has the image's name.
pub fn find_image(header: &[String]) -> Option<usize> {
    find_usual(header, &IMAGE_COLUMNS)
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns whether a column of this name may hold an image's bytes.
pub(crate) fn may_hold_bytes(name: &str) -> bool {
    IMAGE_BYTES_COLUMNS.iter().any(|usual| usual.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_usual_names_in_any_spelling() {
        let header = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(find_image(&header(&["id", "Image Path"])), Some(1));
        assert_eq!(find_image(&header(&["imagePath", "FILENAME"])), Some(1), "a name in another case comes first");
        assert_eq!(find_usual(&header(&["a", "Class-Name", "dx"]), &LABEL_COLUMNS), Some(2));
        assert_eq!(find_usual(&header(&["a", "b"]), &CAPTION_COLUMNS), None);
    }

    #[test]
    fn parts_of_the_data_are_known_by_the_first_word() {
        let split =
            ["train", "Validation", "test-00000-of-00001.parquet", "val2", "trainee", "nevus"].map(split_of);
        assert_eq!(split, [Some("train"), Some("validation"), Some("test"), Some("validation"), None, None]);
    }

    #[test]
    fn words_for_one_part_are_the_same_and_parts_with_other_names_are_not() {
        for (a, b) in [("validation", "val"), ("Valid", "DEV "), ("train", "training"), ("fold 1", "Fold 1")] {
            assert!(is_same_part(a, b) && is_same_part(b, a), "{a} {b}");
        }
        for (a, b) in
            [("val", "val2"), ("test", "test_external"), ("train", "test"), ("fold1", "fold2"), ("", "val")]
        {
            assert!(!is_same_part(a, b) && !is_same_part(b, a), "{a} {b}");
        }
    }
}
