//! The lexicon beside 240 captions that were labeled by hand: 200 with which it was corrected, and 40 that were written
//! and labeled afterwards.
//!
//! A file of `labeled/` has the style, the caption, and what a person reads in it: condition, concepts, negated
//! terms. The figures are in `docs/prepare.md`; `--nocapture` prints them, and each caption that is read otherwise.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use dermake_prepare::{Extraction, Lexicon, read};
use std::collections::{BTreeMap, BTreeSet};

const LABELED: [&str; 2] = [include_str!("labeled/captions.psv"), include_str!("labeled/later.psv")];

type Names = BTreeSet<String>;

#[derive(Clone, Copy, Default)]
struct Counts {
    correct: usize,
    found: usize,
    labeled: usize,
}

impl Counts {
    fn add(&mut self, found: &Names, labeled: &Names) {
        self.correct += found.intersection(labeled).count();
        self.found += found.len();
        self.labeled += labeled.len();
    }

    fn precision(self) -> f64 {
        self.correct as f64 / self.found.max(1) as f64
    }

    fn recall(self) -> f64 {
        self.correct as f64 / self.labeled.max(1) as f64
    }
}

/// Condition, concepts and negated terms.
fn aspects(found: &Extraction) -> [Names; 3] {
    let names = |list: &[String]| list.iter().cloned().collect();
    [found.condition.iter().cloned().collect(), names(&found.concepts), names(&found.negated)]
}

fn labels(row: &[&str]) -> [Names; 3] {
    [2, 3, 4].map(|cell| row[cell].split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[test]
fn precision_and_recall_on_labeled_captions_stay_above_their_floors() {
    let lexicon = Lexicon::new(None);
    let mut counts: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    let mut n_captions = 0;
    for line in LABELED.into_iter().flat_map(|file| file.lines().skip(1)) {
        let row: Vec<&str> = line.split('|').collect();
        assert_eq!(row.len(), 5, "{line}");
        n_captions += 1;
        let (found, labeled) = (aspects(&read(&lexicon, row[1])), labels(&row));
        for (aspect, (found, labeled)) in
            ["condition", "concepts", "negated"].into_iter().zip(found.iter().zip(&labeled))
        {
            if found != labeled {
                println!("{aspect}: {}\n    labeled {labeled:?}, found {found:?}", row[1]);
            }
            for style in [row[0], "all"] {
                counts.entry((style, aspect)).or_default().add(found, labeled);
            }
        }
    }
    for ((style, aspect), counts) in &counts {
        let (precision, recall) = (100.0 * counts.precision(), 100.0 * counts.recall());
        println!("| {style} | {aspect} | {} | {precision:.1} | {recall:.1} |", counts.labeled);
    }
    assert_eq!(n_captions, 240);
    for (style, aspect, floor) in [
        ("all", "condition", 0.95),
        ("all", "concepts", 0.95),
        ("all", "negated", 0.9),
        // The captions with which nothing was corrected.
        // One of the 20 negated terms is five hundredths.
        ("later", "condition", 0.92),
        ("later", "concepts", 0.95),
        ("later", "negated", 0.9),
    ] {
        let counts = counts[&(style, aspect)];
        assert!(counts.precision() > floor && counts.recall() > floor, "{style}, {aspect}");
    }
}
