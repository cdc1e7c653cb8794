//! The findings that are shown: the first of each list, and those that are typical of a label.

use super::{ConceptList, n_shown};
use shared_model::concepts::{Finding, Presence, Typical, findings};

/// Number of findings of a list to show before the visitor expands it.
const N_FIRST: usize = 6;

/// Returns the findings of a list to show, in the order of `scores`: all, or the first and those that are typical.
pub fn findings_to_show(
    list: ConceptList,
    scores: &[Presence],
    typical: Option<&Typical>,
    is_all: bool,
) -> Vec<Finding> {
    let of_list = || scores.iter().filter(|found| ConceptList::of(&found.concept) == Some(list));
    let n_first = if is_all { usize::MAX } else { n_shown(of_list().count(), N_FIRST) };
    findings(of_list(), n_first, typical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::concepts::conditions_with_typical_findings;

    /// All findings in the order of their lists, with falling scores.
    fn scores() -> Vec<Presence> {
        let names = ConceptList::ALL.into_iter().flat_map(|list| list.names());
        let score =
            |(rank, name): (usize, &&str)| Presence { concept: name.to_string(), score: 1.0 / (rank + 1) as f64 };
        names.enumerate().map(score).collect()
    }

    fn shown(list: ConceptList, label: &str, is_all: bool) -> Vec<(String, bool)> {
        let found = findings_to_show(list, &scores(), Some(&Typical::of(label)), is_all);
        found.into_iter().map(|found| (found.concept, found.typical == Some(true))).collect()
    }

    #[test]
    fn typical_findings_are_shown_after_the_first_ones() {
        let found = shown(ConceptList::SkinCon, "seborrheic keratosis", false);
        let expected = [
            ("vesicle", false),
            ("papule", true),
            ("macule", false),
            ("plaque", true),
            ("pustule", false),
            ("bulla", false),
            ("warty/papillomatous", true),
            ("brown(hyperpigmentation)", true),
        ];
        assert_eq!(found, expected.map(|(concept, is_typical)| (concept.to_string(), is_typical)));
        let all = shown(ConceptList::SkinCon, "seborrheic keratosis", true);
        assert_eq!((all.len(), all.iter().filter(|(_, is_typical)| *is_typical).count()), (32, 4));
        // Seven are not more than six and a button.
        assert_eq!(shown(ConceptList::SevenPoint, "melanoma", false).len(), 7);
    }

    #[test]
    fn nothing_is_typical_of_a_label_without_a_list() {
        for typical in [None, Some(&Typical::of("a brown spot"))] {
            let found = findings_to_show(ConceptList::SkinCon, &scores(), typical, false);
            assert_eq!((found.len(), found.iter().any(|found| found.typical.is_some())), (N_FIRST, false));
        }
    }

    #[test]
    fn every_typical_finding_is_scored() {
        for label in conditions_with_typical_findings() {
            for finding in Typical::of(label).findings.unwrap() {
                assert!(ConceptList::of(finding).is_some(), "{label}: {finding:?} is in no list");
            }
        }
    }
}
