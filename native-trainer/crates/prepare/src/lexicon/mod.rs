//! The terms that captions are searched for: conditions, concepts, and the cues that say how a term is meant.
//!
//! All terms are in one automaton, in the normal spelling of [`crate::words`]. Conditions come from
//! `data/conditions.json` (all built-in label sets and more, each with its place in an ontology and its synonyms) and
//! from an ontology file; concepts from `data/concepts.json`; cues from `data/cues.json`.

mod cues;
mod meaning;
mod terms;

pub use cues::Cue;
pub use dermake_data::{Ontology, OntologyError};
pub use meaning::{Condition, Meaning};

use crate::words::{Kind, Words};
use aho_corasick::AhoCorasick;
use meaning::Form;
use shared_model::labels::LabelSet;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use terms::Terms;

/// A term found in a caption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its words, as indices into [`Words::words`].
    pub words: Range<usize>,
    pub meaning: Meaning,
}

/// The terms, ready for searching.
pub struct Lexicon {
    pub conditions: Vec<Condition>,
    /// Names of concepts, of the published list.
    pub concepts: Vec<String>,
    /// Label names of the built-in sets, as written there.
    labels: HashSet<String>,
    automaton: AhoCorasick,
    meanings: Vec<Vec<(Meaning, Form)>>,
    known_words: HashSet<String>,
    by_name: HashMap<String, usize>,
}

impl Lexicon {
    /// Builds the lexicon; an ontology adds its conditions and replaces the paths of those it has.
    pub fn new(ontology: Option<&Ontology>) -> Self {
        let terms = Terms::read(ontology);
        let automaton = AhoCorasick::new(&terms.patterns).expect("a few thousand short terms fit an automaton");
        let labels = LabelSet::built_in().into_iter().flat_map(|set| set.class_names).collect();
        let by_name = terms.conditions.iter().enumerate().map(|(at, found)| (found.name.clone(), at)).collect();
        Self {
            conditions: terms.conditions,
            concepts: terms.concepts,
            labels,
            automaton,
            meanings: terms.meanings,
            known_words: terms.known_words,
            by_name,
        }
    }

    /// Reads the words of a caption.
    pub fn words(&self, caption: &str) -> Words {
        Words::new(caption, &self.known_words)
    }

    /// Returns every term of the caption, the first and longest first; terms of a kind do not overlap.
    pub fn hits(&self, words: &Words) -> Vec<Hit> {
        let is_shouted = is_in_capitals(words);
        let mut hits = Vec::new();
        for found in self.automaton.find_overlapping_iter(&words.text) {
            let Some(first) = words.at(found.start()) else { continue };
            let behind = &words.text.as_bytes()[found.end()..];
            if !matches!(behind.first(), None | Some(b' ')) {
                continue;
            }
            let n_words =
                1 + words.text.as_bytes()[found.start()..found.end()].iter().filter(|b| **b == b' ').count();
            let range = first..first + n_words;
            for &(meaning, form) in &self.meanings[found.pattern().as_usize()] {
                if form == Form::AnyCase || (!is_shouted && is_abbreviation(words, &range)) {
                    hits.push(Hit { words: range.clone(), meaning });
                }
            }
        }
        hits.sort_by_key(|hit| (hit.words.start, usize::MAX - hit.words.end));
        without_overlaps(hits)
    }

    /// The name of a condition as the caption has it, if that is a label of a built-in set, or its usual name.
    pub fn name_as_written(&self, condition: usize, written: &str) -> &str {
        let written = written.to_lowercase().replace('’', "'");
        self.labels.get(&written).map_or(self.conditions[condition].name.as_str(), String::as_str)
    }

    /// The condition of this name.
    pub fn condition(&self, name: &str) -> Option<&Condition> {
        self.by_name.get(name).map(|&at| &self.conditions[at])
    }
}

/// Drops each hit that overlaps a longer or earlier one of the same kind.
fn without_overlaps(hits: Vec<Hit>) -> Vec<Hit> {
    let kind = |meaning: Meaning| match meaning {
        Meaning::Condition(_) => 0,
        Meaning::Concept(_) => 1,
        Meaning::Cue(_) => 2,
    };
    let mut ends = [0; 3];
    let mut last: [Range<usize>; 3] = [0..0, 0..0, 0..0];
    let mut kept = Vec::with_capacity(hits.len());
    for hit in hits {
        let kind = kind(hit.meaning);
        // Two meanings of the same words, such as macule and papule for "maculopapular", are both kept.
        if hit.words.start >= ends[kind] || (hit.words == last[kind] && kind != 0) {
            ends[kind] = hit.words.end;
            last[kind] = hit.words.clone();
            kept.push(hit);
        }
    }
    kept
}

fn is_abbreviation(words: &Words, range: &Range<usize>) -> bool {
    let follows_number = range.start > 0 && words.words[range.start - 1].kind == Kind::Number;
    words.words[range.start].kind == Kind::Capitals && !follows_number
}

/// Whether a text is in capitals throughout, so that capitals mean nothing.
fn is_in_capitals(words: &Words) -> bool {
    let n_of = |kind| words.words.iter().filter(|word| word.kind == kind).count();
    let (n_capitals, n_plain) = (n_of(Kind::Capitals), n_of(Kind::Word));
    n_capitals > 3 && n_capitals > n_plain
}
