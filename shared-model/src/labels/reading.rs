//! Reads labels that were typed or are in a file.

use super::spelling::{cleaned, spelling_key};
use super::warning::{LabelWarning, quoted};
use super::{LabelSet, check_names, columns, labels_error, split};
use crate::Result;
use std::collections::HashMap;

/// Extensions of files whose names are given in place of labels by mistake.
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

/// Labels as they were read, with warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLabels {
    /// The labels.
    pub set: LabelSet,
    /// What may be a mistake.
    pub warnings: Vec<LabelWarning>,
}

impl LabelSet {
    /// Reads names as a user types them; see [`ReadLabels::from_text`].
    ///
    /// # Errors
    /// [`crate::Error::Labels`] when there are none or too many, or one is too long or looks like a file's name.
    pub fn from_text(text: &str) -> Result<Self> {
        Ok(ReadLabels::from_text(text)?.set)
    }
}

impl ReadLabels {
    /// Reads a built-in set's key, or labels as [`Self::from_text`] does.
    ///
    /// # Errors
    /// Those of [`Self::from_text`], and [`crate::Error::Labels`] for a single word that differs from a key by one
    /// character and for a single path.
    pub fn from_key_or_text(text: &str) -> Result<Self> {
        if let Some(set) = LabelSet::find(text) {
            return Ok(Self { set, warnings: Vec::new() });
        }
        let word = spelling_key(text);
        if let Some(key) = LabelSet::keys().into_iter().find(|key| is_near(&word, key)) {
            let keys = LabelSet::keys().join(", ");
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
    /// Bullets, the numbers of a list and quotation marks are removed. Of several spellings of a name, the first is
    /// kept.
    ///
    /// # Errors
    /// [`crate::Error::Labels`] when there are none or too many; when one is too long, looks like a file's name or has
    /// no letter; when one of several is the key of a built-in set; when the text begins like JSON and is not a list of
    /// names.
    pub fn from_text(text: &str) -> Result<Self> {
        let names = split::typed(text)?;
        if let Some(name) = names.iter().find(|name| is_file_name(name)) {
            return Err(file_error(name));
        }
        refuse_keys(&names)?;
        Self::of(names)
    }

    /// Reads the content of a file: a JSON list of names, or one name on each line. A single line is read like typed
    /// text.
    ///
    /// # Errors
    /// Those of [`Self::from_text`], and [`crate::Error::Labels`] for a table of several columns.
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

    /// Replaces a single name that is the key of a built-in set by that set.
    ///
    /// # Errors
    /// [`crate::Error::Labels`] when one of several names is a key.
    pub fn with_keys(self) -> Result<Self> {
        match &self.set.class_names[..] {
            [name] => Ok(LabelSet::find(name).map_or(self, |set| Self { set, warnings: Vec::new() })),
            names => refuse_keys(names).map(|()| self),
        }
    }

    /// Returns the labels as classes in label order, for tables that number them.
    ///
    /// # Errors
    /// [`crate::Error::Labels`] when a name occurs twice, in whatever spelling.
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
    labels_error("label", "a name", &format!("{name:?}, which looks like a file"))
}

/// Refuses a list in which one of several names is the key of a built-in set.
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

/// Returns the first spelling of each name, and the other spellings.
fn distinct(names: Vec<String>) -> (Vec<String>, Vec<String>) {
    let mut seen = HashMap::with_capacity(names.len());
    names.into_iter().partition(|name| seen.insert(spelling_key(name), ()).is_none())
}

/// Returns whether a name ends like that of a file.
pub fn is_file_name(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty() && FILE_ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
    })
}

/// Returns whether two words are the same, or differ by one character that is inserted, removed, replaced or exchanged
/// with its neighbor.
pub fn is_near(word: &str, key: &str) -> bool {
    let (word, key): (Vec<char>, Vec<char>) = (word.chars().collect(), key.chars().collect());
    let n_start = word.iter().zip(&key).take_while(|(a, b)| a == b).count();
    let n_end = word[n_start..].iter().rev().zip(key[n_start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (word, key) = (&word[n_start..word.len() - n_end], &key[n_start..key.len() - n_end]);
    let is_exchanged = || matches!((word, key), ([a, b], [c, d]) if a == d && b == c);
    word.len() <= 1 && key.len() <= 1 || is_exchanged()
}

#[cfg(test)]
mod tests;
