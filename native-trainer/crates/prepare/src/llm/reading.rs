//! A caption as the lexicon reads it: which terms a place has, and how they are meant.

use crate::assertion::{Cues, Status};
use crate::lexicon::{Hit, Lexicon, Meaning};
use crate::words::Words;
use std::ops::Range;

/// What a term is evidence of.
#[derive(Clone, Copy)]
pub enum Subject {
    Condition,
    /// Index of the concept in the lexicon.
    Concept(usize),
}

/// A caption as the lexicon reads it.
pub struct Reading {
    words: Words,
    hits: Vec<Hit>,
}

impl Reading {
    pub fn of(lexicon: &Lexicon, caption: &str) -> Self {
        let words = lexicon.words(caption);
        let hits = lexicon.hits(&words);
        Self { words, hits }
    }

    /// Returns whether the caption has a term of the concept.
    pub fn has_concept(&self, concept: usize) -> bool {
        self.hits.iter().any(|hit| hit.meaning == Meaning::Concept(concept))
    }

    /// Returns whether the evidence in these bytes has a term of the concept.
    pub fn names_concept(&self, range: &Range<usize>, concept: usize) -> bool {
        self.hits_within(range).any(|hit| hit.meaning == Meaning::Concept(concept))
    }

    /// The conditions of which the evidence in these bytes has a term.
    pub fn conditions(&self, range: &Range<usize>) -> Vec<usize> {
        let of = |hit: &Hit| if let Meaning::Condition(at) = hit.meaning { Some(at) } else { None };
        self.hits_within(range).filter_map(of).collect()
    }

    fn hits_within(&self, range: &Range<usize>) -> impl Iterator<Item = &Hit> {
        let words = self.words_of(range);
        let is_within = move |hit: &&Hit| {
            words.as_ref().is_some_and(|words| hit.words.start >= words.start && hit.words.end <= words.end)
        };
        self.hits.iter().filter(is_within)
    }

    /// The words that these bytes of the caption have a part of.
    fn words_of(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let words = &self.words.words;
        let first = words.iter().position(|word| word.source.end > range.start)?;
        let last = words.iter().rposition(|word| word.source.start < range.end && !word.source.is_empty())?;
        Some(first..last.max(first) + 1)
    }

    /// How the evidence in these bytes is meant, by the lexicon's cues.
    ///
    /// Evidence may be longer than the term ("no ulceration", "a plaque without crusts"): the lexicon's own term within
    /// it counts, else what follows a cue that it begins with.
    pub fn status(&self, range: &Range<usize>, subject: Subject) -> Status {
        let Some(evidence) = self.words_of(range) else { return Status::Asserted };
        let is_subject = |hit: &&Hit| match (hit.meaning, subject) {
            (Meaning::Condition(_), Subject::Condition) => true,
            (Meaning::Concept(found), Subject::Concept(concept)) => found == concept,
            _ => false,
        };
        let cues = Cues::new(&self.words, &self.hits);
        let status = |term: &Range<usize>| match subject {
            Subject::Condition => cues.status_of_condition(term),
            Subject::Concept(_) => cues.status_of_concept(term),
        };
        let mut own = self.hits_within(range).filter(is_subject).peekable();
        if own.peek().is_some() {
            let statuses: Vec<Status> = own.map(|hit| status(&hit.words)).collect();
            let is_asserted = statuses.contains(&Status::Asserted);
            return if is_asserted { Status::Asserted } else { statuses[0] };
        }
        let is_cue = |hit: &&Hit| matches!(hit.meaning, Meaning::Cue(_)) && hit.words.start == evidence.start;
        let behind = self.hits_within(range).filter(is_cue).map(|hit| hit.words.end).max();
        let start = behind.filter(|&start| start < evidence.end).unwrap_or(evidence.start);
        status(&(start..evidence.end))
    }
}
