//! Labels that a person typed or brought in a file, and what was made of them.

use super::spelling::{cleaned, spelling_key};
use super::warning::{LabelWarning, quoted};
use super::{BUILT_IN, LabelSet, check_names, columns, labels_error, split};
use crate::Result;
use std::collections::HashMap;

/// Endings of files that people name where labels are expected.
const FILE_ENDINGS: [&str; 24] = [
    "csv", "tsv", "tab", "txt", "text", "json", "jsonl", "yaml", "yml", "toml", "xls", "xlsx", "ods", "lst",
    "list", "names", "md", "xml", "html", "parquet", "rtf", "doc", "docx", "pdf",
];
/// Headers of a table's column of labels or concepts.
const HEADERS: [&str; 23] = [
    "label",
    "labels",
    "label_name",
    "class",
    "classes",
    "class_name",
    "class name",
    "classname",
    "diagnosis",
    "diagnoses",
    "dx",
    "condition",
    "conditions",
    "disease",
    "disease_name",
    "diseases",
    "name",
    "names",
    "category",
    "concept",
    "concepts",
    "term",
    "terms",
];
/// Labels as they were understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLabels {
    pub set: LabelSet,
    /// What the person should know of them.
    pub warnings: Vec<LabelWarning>,
}

impl ReadLabels {
    /// Reads a built-in set's key, or labels as [`Self::from_text`] does.
    ///
    /// # Errors
    /// As [`Self::from_text`], for a single word that differs from a key by one character, and for a single path.
    pub fn from_key_or_text(text: &str) -> Result<Self> {
        if let Some(set) = LabelSet::find(text) {
            return Ok(Self { set, warnings: Vec::new() });
        }
        let word = spelling_key(text);
        if let Some((key, ..)) = BUILT_IN.iter().find(|(key, ..)| is_near(&word, key)) {
            let keys = BUILT_IN.map(|(key, ..)| key).join(", ");
            let found = format!("{:?}; did you mean {key}?", text.trim());
            return Err(labels_error("labels", &format!("a set ({keys}) or at least two names"), &found));
        }
        let labels = Self::from_text(text)?;
        if let [name] = &labels.set.class_names[..] {
            if let Some(set) = LabelSet::find(name) {
                return Ok(Self { set, warnings: Vec::new() });
            }
            if name.starts_with('@') || name.contains(['/', '\\']) {
                return Err(file_error(name));
            }
        }
        Ok(labels)
    }

    /// Reads names separated by lines and by commas or, without a comma, semicolons, tabs or bars; or a JSON list.
    ///
    /// Bullets, the numbers of a list and quotation marks are no part of the names. Several spellings of a name are
    /// one label; the first is kept.
    ///
    /// # Errors
    /// [`crate::Error::Labels`] when there are none or too many, one is too long, looks like a file's name or has no
    /// letter, one of several is the key of a built-in set, and for text that begins like JSON and is no list of names.
    pub fn from_text(text: &str) -> Result<Self> {
        let names = split::typed(text)?;
        if let Some(name) = names.iter().find(|name| is_file_name(name)) {
            return Err(file_error(name));
        }
        refuse_keys(&names)?;
        Self::of(names)
    }

    /// Reads a file's content: a JSON list of names, or one name a line. A single line is read as typed text is.
    ///
    /// # Errors
    /// As [`Self::from_text`], and for a table of several columns.
    pub fn from_file(content: &str) -> Result<Self> {
        let split::FileNames { names, n_comments } = split::of_file(content)?;
        let mut labels = Self::of(names)?;
        let is_json = content.trim_start_matches('\u{feff}').trim_start().starts_with(['[', '{']);
        let separator = columns::common_separator(&labels.set.class_names).filter(|_| !is_json);
        labels.warnings.extend(separator.map(|separator| LabelWarning::Separated { separator }));
        if n_comments > 0 {
            labels.warnings.push(LabelWarning::Comments { n_lines: n_comments });
        }
        Ok(labels)
    }

    /// The labels of a file that is not a class list: the key of a built-in set stands for that set.
    ///
    /// # Errors
    /// [`crate::Error::Labels`] when one of several names is such a key.
    pub fn with_keys(self) -> Result<Self> {
        match &self.set.class_names[..] {
            [name] => Ok(LabelSet::find(name).map_or(self, |set| Self { set, warnings: Vec::new() })),
            names => refuse_keys(names).map(|()| self),
        }
    }

    /// The set of these names as classes in label order, for tables that count them: none may be there twice.
    ///
    /// # Errors
    /// [`crate::Error::Labels`] when spellings of one name had to be joined.
    pub fn into_class_list(self) -> Result<LabelSet> {
        match self.warnings.iter().find_map(LabelWarning::joined) {
            Some(names) => {
                Err(labels_error("class names", "different names", &format!("{} more than once", quoted(names))))
            }
            None => Ok(self.set),
        }
    }

    fn of(names: Vec<String>) -> Result<Self> {
        check_names(&names)?;
        let is_mark = |c: char| c.is_ascii_punctuation() || c.is_whitespace();
        if let Some(name) = names.iter().find(|name| cleaned(name).chars().all(is_mark)) {
            return Err(labels_error("label", "a name with letters", &format!("{name:?}")));
        }
        let (class_names, joined) = distinct(names);
        let mut warnings = Vec::new();
        if !joined.is_empty() {
            warnings.push(LabelWarning::Joined { names: joined });
        }
        let first = &class_names[0];
        if class_names.len() == 1 {
            warnings.push(LabelWarning::Single { name: first.clone() });
        } else if HEADERS.contains(&spelling_key(first).trim_end_matches(':')) {
            warnings.push(LabelWarning::Header { name: first.clone() });
        }
        if class_names.len() > 1 && split::are_numbered(&class_names) {
            warnings.push(LabelWarning::Numbered { name: first.clone() });
        }
        let set = LabelSet { key: LabelSet::CUSTOM.into(), title: "Your own labels".into(), class_names };
        Ok(Self { set, warnings })
    }
}

fn file_error(name: &str) -> crate::Error {
    labels_error("label", "a name", &format!("{name:?}, which looks like a file, but there is none"))
}

/// Refuses a list in which one of several names is the key of a built-in set: it would be a label of its own.
fn refuse_keys(names: &[String]) -> Result<()> {
    let is_key = |name: &&String| LabelSet::find(name).is_some();
    match names.iter().find(is_key).filter(|_| names.len() > 1) {
        None => Ok(()),
        Some(key) => {
            let found = format!("the set {key:?} in a list");
            Err(labels_error("labels", "the key of one set alone, or names", &found))
        }
    }
}

/// The first spelling of each name, and the others.
fn distinct(names: Vec<String>) -> (Vec<String>, Vec<String>) {
    let mut seen = HashMap::with_capacity(names.len());
    names.into_iter().partition(|name| seen.insert(spelling_key(name), ()).is_none())
}

/// Whether a name ends as a file's does.
fn is_file_name(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty() && FILE_ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
    })
}

/// Whether a word becomes the other by one character inserted, left out, replaced or exchanged with its neighbor.
fn is_near(word: &str, key: &str) -> bool {
    let (word, key): (Vec<char>, Vec<char>) = (word.chars().collect(), key.chars().collect());
    let n_start = word.iter().zip(&key).take_while(|(a, b)| a == b).count();
    let n_end = word[n_start..].iter().rev().zip(key[n_start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (word, key) = (&word[n_start..word.len() - n_end], &key[n_start..key.len() - n_end]);
    let is_exchanged = || matches!((word, key), ([a, b], [c, d]) if a == d && b == c);
    word.len() <= 1 && key.len() <= 1 || is_exchanged()
}

#[cfg(test)]
mod tests {
    use super::super::{MAX_LABEL_BYTES, MAX_LABELS};
    use super::*;

    fn read(text: &str) -> ReadLabels {
        ReadLabels::from_key_or_text(text).unwrap()
    }

    fn error(text: &str) -> String {
        ReadLabels::from_key_or_text(text).unwrap_err().to_string()
    }

    #[test]
    fn spellings_of_one_label_are_joined_and_named() {
        for text in [
            "Acne,acne,ACNE",
            "Acne; nevus; acne ",
            "Acne\n acne\u{200b}\nnevus",
            "[\"Acne\", \"acne\"]",
            "Acne, nevus, \u{feff}ａｃｎｅ",
        ] {
            let labels = read(text);
            assert_eq!(labels.set.class_names[0], "Acne", "{text:?}");
            assert!(matches!(&labels.warnings[0], LabelWarning::Joined { .. }), "{text:?}");
        }
        let joined = read("Acne,acne,nevus,ACNE").warnings[0].to_string();
        assert_eq!(joined, "listed more than once, counted once: \"acne\", \"ACNE\"");
    }

    #[test]
    fn one_label_alone_and_a_heading_are_warnings() {
        assert!(matches!(&read("acne").warnings[..], [LabelWarning::Single { .. }]));
        assert!(matches!(&read("Diagnosis\nacne\nnevus").warnings[..], [LabelWarning::Header { .. }]));
        assert!(read("acne, nevus").warnings.is_empty() && read("pad").warnings.is_empty());
        let file = |content: &str| ReadLabels::from_file(content).unwrap().warnings;
        assert!(matches!(&file("label\nacne\nnevus\n")[..], [LabelWarning::Header { .. }]));
        for (content, separator) in
            [("acne,L70\nnevus,D22\n", ','), ("acne;L70\nnevus;D22", ';'), ("a|1\nb|2", '|')]
        {
            assert_eq!(file(content), [LabelWarning::Separated { separator }], "{content:?}");
        }
        assert!(file("eczema; atopic\nnevus").is_empty() && file("a; b; c\nd; e").is_empty());
        for heading in ["labels:", "concept", "Disease_Name"] {
            let name = heading.to_string();
            assert_eq!(file(&format!("{heading}\nacne\nnevus")), [LabelWarning::Header { name }]);
        }
        let gaps = ReadLabels::from_file("1. acne\n2. nevus\n4. scar\n").unwrap();
        assert_eq!(gaps.set.class_names[2], "4. scar");
        assert_eq!(gaps.warnings, [LabelWarning::Numbered { name: "1. acne".into() }]);
        let commented = ReadLabels::from_file("# my labels\nacne\n// c\nnevus\n").unwrap();
        assert_eq!(commented.set.class_names, ["acne", "nevus"]);
        assert_eq!(commented.warnings, [LabelWarning::Comments { n_lines: 2 }]);
        assert!(file("[\"acne, inflamed\", \"nevus, blue\"]").is_empty());
    }

    #[test]
    fn keys_are_known_in_any_case_and_their_near_misses_are_errors() {
        assert_eq!(read(" F17K ").set.class_names.len(), 114);
        for (text, key) in [("f17", "f17k"), ("Padd", "pad"), ("pda", "pad"), ("snuu", "snu"), ("sd129", "sd128")] {
            assert!(error(text).contains(&format!("did you mean {key}?")), "{text}: {}", error(text));
        }
        assert_eq!(read("psoriasis").set.class_names, ["psoriasis"]);
        assert_eq!(read("padd, acne").set.class_names, ["padd", "acne"]);
    }

    #[test]
    fn a_key_is_a_set_by_itself_and_an_error_in_a_list() {
        for text in ["\"pad\"", "[\"pad\"]"] {
            assert_eq!(read(text).set.key, "pad", "{text}");
        }
        for text in ["pad,f17k", "pad;snu", "[\"acne\", \"SD-128\"]", "pad\npad"] {
            assert!(error(text).contains("expected the key of one set alone, or names"), "{text}: {}", error(text));
            assert!(ReadLabels::from_text(text).is_err(), "{text}");
        }
        let file = |content: &str| ReadLabels::from_file(content).unwrap().with_keys();
        assert_eq!(file("pad\n").unwrap().set.class_names.len(), 6);
        assert!(file("acne\nf17k\n").unwrap_err().to_string().contains("the set \"f17k\" in a list"));
        assert_eq!(file("acne\nnevus\n").unwrap().set.class_names, ["acne", "nevus"]);
    }

    #[test]
    fn names_of_files_are_no_labels() {
        for text in [
            "missing.csv",
            "labels.TXT",
            "data/labels.json",
            "C:\\labels.xlsx",
            "a.txt, b.txt",
            "/etc/passwd",
            "@list",
        ] {
            assert!(error(text).contains("looks like a file"), "{text}");
        }
        assert_eq!(read("SJS/TEN, v. vulgaris").set.class_names, ["SJS/TEN", "v. vulgaris"]);
    }

    #[test]
    fn labels_that_cannot_be_used_are_errors() {
        let many = (0..=MAX_LABELS).map(|index| format!("label {index}")).collect::<Vec<_>>().join("\n");
        let long = "x".repeat(MAX_LABEL_BYTES + 1);
        for (text, expected) in [
            ("", "expected at least one name, found 0"),
            (" , ;", "found 0"),
            (&many, "1 to 10000 names, found 10001"),
            (&long, "1 to 1000 bytes"),
            ("acne, ---", "a name with letters"),
            ("acne\n]\n", "a name with letters"),
            ("[\"acne\", \" \"]", "label 2 of 2: expected 1 to 1000 bytes"),
            ("[\"acne\", \"\u{200b}\"]", "a name with letters"),
        ] {
            assert!(error(text).contains(expected), "{expected}: {}", error(text));
        }
    }

    #[test]
    fn a_class_list_may_not_name_a_class_twice() {
        let list = |content: &str| ReadLabels::from_file(content).unwrap().into_class_list();
        assert_eq!(list("b\na\n").unwrap().class_names, ["b", "a"]);
        assert!(list("a\nb\nA\n").unwrap_err().to_string().contains("\"A\" more than once"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_labels_differ_and_are_not_empty(text in "[ \\PC\n\r\t,;|\"'.0-9aA\\[\\]\u{200b}-]{0,40}") {
            for read in [ReadLabels::from_key_or_text, ReadLabels::from_text, ReadLabels::from_file] {
                let Ok(labels) = read(&text) else { continue };
                let names = &labels.set.class_names;
                let keys: std::collections::HashSet<String> = names.iter().map(|name| spelling_key(name)).collect();
                assert_eq!(keys.len(), names.len(), "{names:?}");
                assert!(names.iter().all(|name| !name.trim().is_empty()), "{names:?}");
                assert_eq!(LabelSet::from_class_names(names.clone()).unwrap().class_names, *names);
            }
        }
    }
}
