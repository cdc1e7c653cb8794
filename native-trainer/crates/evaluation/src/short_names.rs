//! The short names of classes in the ISIC challenges and HAM10000, and the labels that they abbreviate.
//!
//! Source: the descriptions of ISIC 2018 (task 3) and ISIC 2019, <https://challenge.isic-archive.com>.

use dermake_sources::Dataset;
use shared_model::labels::spelling_key;
use std::collections::BTreeMap;

/// Each short name with the labels that it abbreviates; the first is used where nobody names labels.
const SHORT_NAMES: [(&str, &[&str]); 10] = [
    ("MEL", &["melanoma", "malignant melanoma"]),
    ("NV", &["nevus", "melanocytic nevus", "melanocytic nevi", "nevi", "nevocytic nevus"]),
    ("BCC", &["basal cell carcinoma"]),
    ("AK", &["actinic keratosis", "actinic keratoses"]),
    ("AKIEC", &["actinic keratosis", "actinic keratoses"]),
    ("BKL", &["benign keratosis", "benign keratosis-like lesion", "benign keratosis-like lesions"]),
    ("DF", &["dermatofibroma"]),
    ("VASC", &["vascular lesion", "vascular lesions", "vascular"]),
    ("SCC", &["squamous cell carcinoma"]),
    ("UNK", &["unknown"]),
];

/// The labels that a short name abbreviates; none if it is no short name.
pub fn names_of(label: &str) -> &'static [&'static str] {
    let is_it = |(short, _): &&(&str, _)| short.eq_ignore_ascii_case(label.trim());
    SHORT_NAMES.iter().find(is_it).map_or(&[], |(_, names)| names)
}

/// The same classes, with labels for short names if several are such: one alone may mean something else. Short names of one
/// label are one class.
pub fn in_full(class_names: &[String]) -> Vec<String> {
    let n_short = class_names.iter().filter(|name| !names_of(name).is_empty()).count();
    let full = |name: &String| match names_of(name).first() {
        Some(full) if n_short > 1 => (*full).to_owned(),
        _ => name.clone(),
    };
    let mut found: Vec<String> = Vec::new();
    for name in class_names.iter().map(full) {
        if found.iter().all(|known| spelling_key(known) != spelling_key(&name)) {
            found.push(name);
        }
    }
    found
}

/// Says which labels of some rows are short names of classes.
pub fn description(data: &Dataset, rows: &[usize], column: usize, classes: &[String]) -> Option<String> {
    let class = |name: &str| classes.iter().find(|class| spelling_key(class) == spelling_key(name));
    let mut found = BTreeMap::new();
    for &row in rows {
        let label = data.cell(row, column).trim();
        if class(label).is_none()
            && let Some(full) = names_of(label).iter().find_map(|name| class(name))
        {
            found.entry(label).or_insert(full);
        }
    }
    let named: Vec<String> = found.into_iter().map(|(short, full)| format!("{short} is {full}")).collect();
    (!named.is_empty()).then(|| format!("short names are read as labels: {}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_short_names_are_written_in_full() {
        let full = |names: &[&str]| in_full(&names.iter().map(|name| name.to_string()).collect::<Vec<_>>());
        assert_eq!(full(&["mel", "NV", "other"]), ["melanoma", "nevus", "other"]);
        assert_eq!(full(&["AK", "AKIEC", "melanoma"]), ["actinic keratosis", "melanoma"]);
        assert_eq!(full(&["DF", "acne"]), ["DF", "acne"], "one alone may mean something else");
    }
}
