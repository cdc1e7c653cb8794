//! How the findings of two photos differ.

use super::Entry;
use shared_model::concepts::Presence;

/// The score of a finding in two photos, in points out of 100, as the page shows scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingChange<'a> {
    pub finding: &'a str,
    pub before: i32,
    pub after: i32,
}

impl FindingChange<'_> {
    /// The difference of the shown scores, with its sign.
    pub fn difference(&self) -> String {
        match self.after - self.before {
            lower @ ..0 => format!("−{}", -lower),
            0 => "0".into(),
            higher => format!("+{higher}"),
        }
    }
}

impl Entry {
    /// The findings that have scores in this entry and in `later`, the largest change first; `None` if there are none, or if
    /// two models scored them.
    pub fn finding_changes<'a>(&'a self, later: &'a Self) -> Option<Vec<FindingChange<'a>>> {
        if self.model != later.model {
            return None;
        }
        let (before, after) = (self.findings.as_ref()?, later.findings.as_ref()?);
        let in_both = |old: &'a Presence| Some((old, after.iter().find(|new| new.concept == old.concept)?));
        let mut pairs: Vec<(&Presence, &Presence)> = before.iter().filter_map(in_both).collect();
        pairs.sort_by(|(old, new), (other_old, other_new)| {
            (other_new.score - other_old.score).abs().total_cmp(&(new.score - old.score).abs())
        });
        let points = |score: f64| (100.0 * score).round() as i32;
        let change = |(old, new): (&'a Presence, &Presence)| FindingChange {
            finding: &old.concept,
            before: points(old.score),
            after: points(new.score),
        };
        (!pairs.is_empty()).then(|| pairs.into_iter().map(change).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::entry;
    use super::*;

    /// An entry with these findings.
    fn with_findings(findings: &[(&str, f64)]) -> Entry {
        let presence = |&(concept, score): &(&str, f64)| Presence { concept: concept.into(), score };
        Entry { findings: Some(findings.iter().map(presence).collect()), ..entry("a", &[]) }
    }

    #[test]
    fn findings_are_compared_and_the_largest_change_is_first() {
        let before = with_findings(&[("scale", 0.9), ("crust", 0.604), ("papule", 0.2), ("ulcer", 0.5)]);
        let after = with_findings(&[("papule", 0.55), ("scale", 0.1), ("crust", 0.596), ("bulla", 0.99)]);
        let changes = before.finding_changes(&after).unwrap();
        let shown: Vec<_> = changes
            .iter()
            .map(|change| (change.finding, change.before, change.after, change.difference()))
            .collect();
        assert_eq!(
            shown,
            [
                ("scale", 90, 10, "−80".to_string()),
                ("papule", 20, 55, "+35".to_string()),
                ("crust", 60, 60, "0".to_string()),
            ]
        );
    }

    #[test]
    fn findings_of_one_photo_or_of_two_models_are_not_compared() {
        let scored = with_findings(&[("scale", 0.9)]);
        assert!(scored.finding_changes(&scored).is_some());
        assert_eq!(scored.finding_changes(&entry("b", &[])), None);
        assert_eq!(entry("b", &[]).finding_changes(&scored), None);
        assert_eq!(scored.finding_changes(&with_findings(&[("crust", 0.9)])), None);
        assert_eq!(scored.finding_changes(&Entry { model: "other".into(), ..scored.clone() }), None);
    }
}
