//! Precision and recall of what was read in captions, beside the labels of a person.
//!
//! A name that was found is correct if the person has the same name in the same aspect of the caption. Names of all
//! captions count alike.

mod labeled;
mod table;

use crate::extraction::Extraction;

pub use labeled::{ASPECTS, Labeled, Names, labeled, spread};
pub use table::{answers_in_words, table};

/// The names of each aspect that was extracted.
pub fn names(found: &Extraction) -> [Names; 3] {
    let names = |list: &[String]| list.iter().cloned().collect();
    [found.condition.iter().cloned().collect(), names(&found.concepts), names(&found.negated)]
}

/// Counts of names of one aspect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Names that were found and are labels.
    pub correct: usize,
    pub found: usize,
    pub labeled: usize,
}

impl Counts {
    /// Adds the names of a caption.
    pub fn add(&mut self, found: &Names, labeled: &Names) {
        self.correct += found.intersection(labeled).count();
        self.found += found.len();
        self.labeled += labeled.len();
    }

    /// The share of what was found that is correct; `None` if nothing was found.
    pub fn precision(self) -> Option<f64> {
        share(self.correct, self.found)
    }

    /// The share of the labels that was found; `None` without labels.
    pub fn recall(self) -> Option<f64> {
        share(self.correct, self.labeled)
    }
}

fn share(n: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| n as f64 / of as f64)
}

/// A share for people, in percent.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "n/a".into(), |share| format!("{:.1} %", 100.0 * share))
}

/// The counts of several captions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    pub n_captions: usize,
    /// In the order of [`ASPECTS`].
    pub counts: [Counts; 3],
}

impl Scores {
    /// Adds a caption.
    pub fn add(&mut self, found: &Extraction, labeled: &Labeled) {
        self.n_captions += 1;
        for ((counts, found), labeled) in self.counts.iter_mut().zip(&names(found)).zip(&labeled.names) {
            counts.add(found, labeled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_is_of_what_was_found_and_recall_of_the_labels() {
        let captions = labeled(
            "style|caption|condition|concepts|negated\na|Red scaly papules.||scale,papule|\na|Nevus|nevus||",
        )
        .unwrap();
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let mut scores = Scores::default();
        let concepts = list(&["scale", "red", "ulcer", "red"]);
        scores.add(&Extraction { concepts, negated: list(&["crust"]), ..Extraction::default() }, &captions[0]);
        scores.add(&Extraction::default(), &captions[1]);
        assert_eq!(scores.n_captions, 2);
        let [condition, concepts, negated] = scores.counts;
        assert_eq!((condition.precision(), condition.recall()), (None, Some(0.0)));
        assert_eq!(concepts, Counts { correct: 1, found: 3, labeled: 2 }, "a name counts once");
        assert_eq!((percent(concepts.precision()), percent(concepts.recall())), ("33.3 %".into(), "50.0 %".into()));
        assert_eq!((percent(negated.precision()), negated.recall()), ("0.0 %".into(), None));
        assert_eq!(percent(negated.recall()), "n/a");
    }
}
