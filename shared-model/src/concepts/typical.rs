//! Findings that textbooks name for a condition: general morphology, of no data set and no model. `data/README.md` says
//! where the table is from.

use crate::labels::{LabelSet, is_near, spelling_key};
use crate::text_file::shortened;
use crate::{Error, Result};

/// A condition a line: its names, a colon, the concepts.
const TABLE: &str = include_str!("../../data/typical_findings.txt");

/// Names that an error suggests.
const MAX_SUGGESTED: usize = 5;

/// A label, and the findings that textbooks name for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typical {
    /// The label.
    pub label: String,
    /// `None` if there is no list for the label.
    pub findings: Option<Vec<&'static str>>,
}

impl Typical {
    /// Returns the findings that are typical of a label.
    pub fn of(label: &str) -> Self {
        Self { label: label.into(), findings: typical_findings(label) }
    }

    /// Returns the findings that are typical of a label that somebody typed.
    ///
    /// # Errors
    /// [`Error::Labels`] for a label that is neither in the table nor in a built-in label set, with similar names of the
    /// table.
    pub fn of_typed(label: &str) -> Result<Self> {
        let typical = Self::of(label);
        if typical.findings.is_some() || is_built_in(label) {
            return Ok(typical);
        }
        let keys = LabelSet::keys().join(", ");
        let suggestion = match similar_conditions(label)[..] {
            [] => String::new(),
            ref names => format!("; did you mean {}?", names.join(", ")),
        };
        Err(Error::Labels {
            what: "label".into(),
            expected: format!(
                "a condition with a list of typical findings, such as psoriasis, or a label of {keys}"
            ),
            found: format!("{:?}{suggestion}", shortened(label.trim())),
        })
    }

    /// Returns a sentence if there is no list for the label.
    pub fn warning(&self) -> Option<String> {
        let is_missing = self.findings.is_none();
        is_missing
            .then(|| format!("there is no list of typical findings for {:?}; no concept is marked", self.label))
    }

    /// Returns whether a concept is typical of the label; `None` if there is no list.
    pub fn has(&self, concept: &str) -> Option<bool> {
        self.findings.as_ref().map(|findings| findings.contains(&concept))
    }
}

/// Returns the concepts that textbooks name for a condition, in any spelling with the same [`spelling_key`]; `None` if
/// the table does not have it.
pub fn typical_findings(condition: &str) -> Option<Vec<&'static str>> {
    let key = spelling_key(condition);
    let (_, findings) = entries().find(|(names, _)| names.split(", ").any(|name| name == key))?;
    Some(findings.split(", ").collect())
}

/// Returns all names of conditions in the table.
pub fn conditions_with_typical_findings() -> impl Iterator<Item = &'static str> {
    entries().flat_map(|(names, _)| names.split(", "))
}

fn is_built_in(label: &str) -> bool {
    let key = spelling_key(label);
    LabelSet::built_in().iter().any(|set| set.class_names.iter().any(|name| spelling_key(name) == key))
}

/// Returns conditions with a similar name: those that differ by one typing error, and those that have all words of the
/// label or whose words the label has. Those of a similar length come first.
fn similar_conditions(label: &str) -> Vec<&'static str> {
    let key = spelling_key(label);
    let has_words = |text: &str, words: &str| {
        words.split_whitespace().all(|word| text.split_whitespace().any(|other| other == word))
    };
    let is_similar = |name: &&str| is_near(&key, name) || has_words(name, &key) || has_words(&key, name);
    let mut similar: Vec<&str> = conditions_with_typical_findings().filter(is_similar).collect();
    similar.sort_by_key(|name| name.len().abs_diff(key.len()));
    similar.truncate(if key.is_empty() { 0 } else { MAX_SUGGESTED });
    similar
}

/// Returns the names and the concepts of each line, each separated by commas.
fn entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concepts::Concept;
    use crate::labels::LabelSet;
    use std::collections::HashSet;

    #[test]
    fn every_condition_is_a_label_and_every_finding_a_concept() {
        let sets = LabelSet::built_in();
        let is_label = |name: &str| sets.iter().any(|set| set.class_names.iter().any(|label| label == name));
        for (names, findings) in entries() {
            assert!(names.split(", ").any(is_label), "{names}: no built-in label set has one of these");
            for finding in findings.split(", ") {
                assert!(Concept::find(finding).is_some(), "{names}: {finding:?} is no concept");
            }
        }
        assert_eq!(entries().count(), TABLE.lines().count() - 1, "one line is a comment");
    }

    #[test]
    fn no_condition_and_no_finding_of_one_is_there_twice() {
        let mut seen = HashSet::new();
        for name in conditions_with_typical_findings() {
            assert!(seen.insert(name), "{name:?} is there twice");
            assert_eq!(name, spelling_key(name));
        }
        for (names, findings) in entries() {
            let findings: Vec<_> = findings.split(", ").collect();
            assert!((2..=6).contains(&findings.len()), "{names}: expected 2 to 6 findings");
            assert_eq!(findings.iter().collect::<HashSet<_>>().len(), findings.len(), "{names}");
        }
    }

    #[test]
    fn a_label_that_is_unknown_is_refused_with_similar_names() {
        let message = |label: &str| Typical::of_typed(label).unwrap_err().to_string();
        for (typed, suggested) in [
            ("Melonoma", "found \"Melonoma\"; did you mean melanoma?"),
            ("psoriasis of the elbow", "did you mean psoriasis?"),
            ("lupus", "did you mean lupus subacute, lupus erythematosus?"),
            ("keratosis", "did you mean solar keratosis, benign keratosis, actinic keratosis, "),
        ] {
            assert!(message(typed).contains(suggested), "{}", message(typed));
        }
        for nonsense in ["xyz", "", "  ", "a brown spot"] {
            assert!(!message(nonsense).contains("did you mean"), "{}", message(nonsense));
            assert!(message(nonsense).contains("a label of pad, f17k, snu, sd128"), "{}", message(nonsense));
        }
        assert!(message(&"long ".repeat(1000)).len() < 400);
    }

    #[test]
    fn a_label_of_a_set_without_a_list_is_no_error() {
        let typical = Typical::of_typed("Alopecia  areata").unwrap();
        let said = "there is no list of typical findings for \"Alopecia  areata\"; no concept is marked";
        assert_eq!((typical.has("patch"), typical.warning().as_deref()), (None, Some(said)));
        let typical = Typical::of_typed("Psoriasis").unwrap();
        assert_eq!(
            (typical.has("scale"), typical.has("bulla"), typical.warning()),
            (Some(true), Some(false), None)
        );
    }

    #[test]
    fn a_condition_is_found_by_any_of_its_names() {
        let lesion = typical_findings("Basal Cell  Carcinoma").unwrap();
        assert_eq!(lesion, ["papule", "nodule", "telangiectasia", "ulcer", "crust", "vascular structures"]);
        assert_eq!(typical_findings("BCC"), Some(lesion));
        assert_eq!(typical_findings("a brown spot"), None);
        assert_eq!(typical_findings("# Findings that textbooks name"), None);
        for label in LabelSet::find(LabelSet::DEFAULT).unwrap().class_names {
            assert!(typical_findings(&label).is_some(), "{label}");
        }
    }
}
