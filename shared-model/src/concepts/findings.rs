//! Concepts of a ranking as they are shown: the first ones, and those that are typical of a label.

use super::{Presence, Typical};
use serde::{Deserialize, Serialize};

/// A concept with its presence score, and whether it is typical of a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the concept.
    pub concept: String,
    /// As [`Presence::score`].
    pub score: f64,
    /// Whether textbooks name it for the label; absent without a label, and if there is no list for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typical: Option<bool>,
}

/// Returns the first `n_first` of ranked concepts and, after them, the others that are typical of a label.
pub fn findings<'a>(
    ranked: impl IntoIterator<Item = &'a Presence>,
    n_first: usize,
    typical: Option<&Typical>,
) -> Vec<Finding> {
    let finding = |Presence { concept, score }: &Presence| Finding {
        concept: concept.clone(),
        score: *score,
        typical: typical.and_then(|typical| typical.has(concept)),
    };
    let ranked = ranked.into_iter().map(finding).enumerate();
    ranked.filter(|(rank, found)| *rank < n_first || found.typical == Some(true)).map(|(_, found)| found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(typical: Option<&Typical>) -> Vec<(String, Option<bool>)> {
        let ranked = ["ulcer", "plaque", "macule", "scale", "bulla", "erythema"];
        let presence = |(rank, concept): (usize, &&str)| Presence {
            concept: concept.to_string(),
            score: 1.0 / (rank + 1) as f64,
        };
        let ranked: Vec<Presence> = ranked.iter().enumerate().map(presence).collect();
        findings(&ranked, 2, typical).into_iter().map(|found| (found.concept, found.typical)).collect()
    }

    #[test]
    fn typical_concepts_are_there_beyond_the_first_ones() {
        let expected = [("ulcer", false), ("plaque", true), ("scale", true), ("erythema", true)];
        let expected = expected.map(|(concept, is_typical)| (concept.to_string(), Some(is_typical)));
        assert_eq!(shown(Some(&Typical::of("psoriasis"))), expected);
        for without_list in [None, Some(&Typical::of("alopecia areata"))] {
            assert_eq!(shown(without_list), ["ulcer", "plaque"].map(|concept| (concept.to_string(), None)));
        }
    }

    #[test]
    fn nothing_is_said_in_json_without_a_list() {
        let json = |typical| {
            let finding = Finding { concept: "scale".into(), score: 0.5, typical };
            serde_json::to_string(&finding).unwrap()
        };
        assert_eq!(json(None), r#"{"concept":"scale","score":0.5}"#);
        assert_eq!(json(Some(false)), r#"{"concept":"scale","score":0.5,"typical":false}"#);
    }
}
