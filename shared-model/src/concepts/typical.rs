//! Findings that textbooks name for a condition: general morphology, of no data set and no model. `data/README.md` says
//! where the table is from.

use crate::labels::spelling_key;

/// A condition a line: its names, a colon, the concepts.
const TABLE: &str = include_str!("../../data/typical_findings.txt");

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
