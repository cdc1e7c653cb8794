//! How a term in a caption is meant: asserted, negated, uncertain, or said of something else.
//!
//! A cue reaches the terms of its sentence up to a break ("but", "with", a verb, a colon), as in ConText (Harkema et
//! al. 2009). It passes a comma only inside a list that ends in "or", "nor" or "and". The nearest cue that reaches a
//! term decides.

use crate::lexicon::{Cue, Hit, Meaning};
use crate::words::{Kind, Words};
use std::ops::Range;

/// How a term is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Asserted,
    Negated,
    /// "?melanoma", "suspicious for", "X or Y".
    Uncertain,
    /// History, another person, a former diagnosis.
    Elsewhere,
}

/// How much a caption says that a condition is the picture's diagnosis; a larger one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// "in a patient with …", "secondary to …"
    Context,
    Named,
    /// "diagnosed as …", "biopsy-proven …"
    Diagnosis,
}

/// Words that end the reach of a negation or a doubt when they follow its first two words.
const VERBS: [&str; 38] = [
    "is",
    "are",
    "was",
    "were",
    "be",
    "became",
    "become",
    "show",
    "showed",
    "showing",
    "shown",
    "reveal",
    "revealed",
    "develop",
    "developed",
    "appear",
    "appeared",
    "present",
    "presented",
    "presenting",
    "had",
    "has",
    "have",
    "demonstrate",
    "demonstrated",
    "persist",
    "persisted",
    "remain",
    "started",
    "began",
    "spread",
    "grew",
    "noticed",
    "affect",
    "involve",
    "involving",
    "affecting",
    "the",
];

/// Words after "and" that begin another statement.
const NEW_STATEMENT: [&str; 16] = [
    "a", "an", "the", "multiple", "several", "some", "there", "has", "is", "are", "show", "it", "was", "were",
    "also", "now",
];

/// Farthest that a cue reaches, in words and marks.
const REACH: usize = 14;
/// Longest item of a list, in words.
const ITEM: usize = 5;

/// The cues of one caption.
pub struct Cues<'a> {
    words: &'a Words,
    /// Cues by their place.
    cues: Vec<(Range<usize>, Cue)>,
}

impl<'a> Cues<'a> {
    pub fn new(words: &'a Words, hits: &[Hit]) -> Self {
        let cue = |hit: &Hit| match hit.meaning {
            Meaning::Cue(cue) => Some((hit.words.clone(), cue)),
            _ => None,
        };
        Self { words, cues: hits.iter().filter_map(cue).collect() }
    }

    /// Whether the term is part of words that mean something else.
    pub fn is_ignored(&self, term: &Range<usize>) -> bool {
        self.cues
            .iter()
            .any(|(range, cue)| *cue == Cue::Ignored && range.start < term.end && term.start < range.end)
    }

    /// How a finding is meant: history and doubt do not matter, since it is seen or not.
    pub fn status_of_concept(&self, term: &Range<usize>) -> Status {
        if self.is_negated(term) { Status::Negated } else { Status::Asserted }
    }

    /// How a condition is meant.
    pub fn status_of_condition(&self, term: &Range<usize>) -> Status {
        if self.is_questioned(term) {
            return Status::Uncertain;
        }
        let before = self.nearest_before(term, |cue| {
            Some(match cue {
                Cue::NegateBefore | Cue::NegateNext | Cue::NegateList => Status::Negated,
                Cue::DoubtBefore | Cue::DoubtSentence => Status::Uncertain,
                Cue::ElsewhereBefore => Status::Elsewhere,
                Cue::DiagnosisBefore => Status::Asserted,
                _ => return None,
            })
        });
        let after = self.nearest_after(term, |cue| {
            Some(match cue {
                Cue::NegateAfter => Status::Negated,
                Cue::DoubtAfter | Cue::DoubtAfterNext => Status::Uncertain,
                _ => return None,
            })
        });
        match (before, after) {
            // "no evidence of X", "possible X was ruled out"
            (Some((Status::Negated, _)), _) | (_, Some((Status::Negated, _))) => Status::Negated,
            (_, Some((status, _))) | (Some((status, _)), None) => status,
            (None, None) => Status::Asserted,
        }
    }

    /// How much an asserted condition is the diagnosis.
    pub fn rank(&self, term: &Range<usize>) -> Rank {
        let before = self.nearest_before(term, |cue| match cue {
            Cue::DiagnosisBefore => Some(Rank::Diagnosis),
            Cue::ContextBefore => Some(Rank::Context),
            _ => None,
        });
        let after = self.nearest_after(term, |cue| (cue == Cue::DiagnosisAfter).then_some(Rank::Diagnosis));
        match (before, after) {
            (Some((rank, _)), None) => rank,
            (_, Some((rank, _))) => rank,
            (None, None) => Rank::Named,
        }
    }

    /// Whether "or", "vs" or a slash with spaces joins two terms, so that neither is certain.
    pub fn are_alternatives(&self, first: &Range<usize>, second: &Range<usize>) -> bool {
        let (first, second) = if first.start < second.start { (first, second) } else { (second, first) };
        if second.start < first.end || second.start - first.end > 4 {
            return false;
        }
        let mut between = (first.end..second.start).map(|at| self.words.word(at));
        between.any(|word| matches!(word, "or" | "vs" | "versus"))
    }

    fn is_negated(&self, term: &Range<usize>) -> bool {
        let is_negative =
            |cue| matches!(cue, Cue::NegateBefore | Cue::NegateNext | Cue::NegateList).then_some(Status::Negated);
        let is_negative_after = |cue| (cue == Cue::NegateAfter).then_some(Status::Negated);
        self.nearest_before(term, is_negative).is_some() || self.nearest_after(term, is_negative_after).is_some()
    }

    /// Returns whether a question mark comes before the term or ends its sentence.
    fn is_questioned(&self, term: &Range<usize>) -> bool {
        let is_question = |at: usize| self.words.word(at) == "?";
        if (term.start.saturating_sub(2)..term.start).any(is_question) {
            return true;
        }
        let behind = (term.end..self.words.words.len()).take_while(|&at| self.words.words[at].kind != Kind::End);
        behind.into_iter().any(is_question)
    }

    /// The nearest cue before a term that `select`s a value and reaches the term.
    fn nearest_before<T>(&self, term: &Range<usize>, select: impl Fn(Cue) -> Option<T>) -> Option<(T, usize)> {
        for (range, cue) in self.cues.iter().rev().filter(|(range, _)| range.end <= term.start) {
            if term.start - range.end > REACH && *cue != Cue::DoubtSentence {
                break;
            }
            if let Some(value) = select(*cue) {
                return self.reaches_forward(range, *cue, term).then_some((value, range.start));
            }
        }
        None
    }

    fn nearest_after<T>(&self, term: &Range<usize>, select: impl Fn(Cue) -> Option<T>) -> Option<(T, usize)> {
        for (range, cue) in self.cues.iter().filter(|(range, _)| range.start >= term.end) {
            if range.start - term.end > REACH {
                break;
            }
            if let Some(value) = select(*cue) {
                let is_adjacent = range.start == term.end;
                let reaches =
                    if *cue == Cue::DoubtAfterNext { is_adjacent } else { self.reaches_back(range, term) };
                return reaches.then_some((value, range.start));
            }
        }
        None
    }

    fn reaches_forward(&self, cue: &Range<usize>, kind: Cue, term: &Range<usize>) -> bool {
        let between = cue.end..term.start;
        match kind {
            Cue::NegateNext => return between.is_empty(),
            Cue::NegateList => {
                let next = between.clone().next().map(|at| self.words.word(at));
                if !matches!(next, Some("," | "or" | "nor" | "and")) {
                    return false;
                }
            }
            _ => {}
        }
        between.clone().all(|at| self.passes(at, cue.end, kind))
            && !self.cues.iter().any(|(range, other)| {
                range.start >= between.start && range.end <= between.end && stops(*other, kind)
            })
    }

    /// Whether a cue that ends before word `from` goes on across word `at`.
    fn passes(&self, at: usize, from: usize, kind: Cue) -> bool {
        if self.words.words[at].kind == Kind::End {
            return false;
        }
        let word = self.words.word(at);
        let is_first = at == from;
        if kind == Cue::DoubtSentence {
            return true;
        }
        match word {
            ":" => is_first,
            "(" | ")" | "[" | "]" => is_first || kind == Cue::DiagnosisBefore,
            "," => (is_first && kind != Cue::NegateList) || self.is_in_list(at + 1),
            "and" => !self.next_is(at + 1, &NEW_STATEMENT),
            _ => at < from + 2 || kind == Cue::DiagnosisBefore || !VERBS.contains(&word),
        }
    }

    fn reaches_back(&self, cue: &Range<usize>, term: &Range<usize>) -> bool {
        let between = term.end..cue.start;
        between.clone().all(|at| {
            let word = self.words.word(at);
            self.words.words[at].kind != Kind::End
                && match word {
                    "," => self.is_in_list(at + 1),
                    ":" => at == term.end,
                    "and" => !self.next_is(at + 1, &NEW_STATEMENT),
                    _ => at + 1 == cue.start || !VERBS.contains(&word),
                }
        }) && !self.cues.iter().any(|(range, other)| {
            range.start >= between.start
                && range.end <= between.end
                && matches!(other, Cue::Break | Cue::NegateBefore)
        })
    }

    /// Whether the words from `at` on are items of a list that ends in "or", "nor" or, with short items, "and".
    fn is_in_list(&self, at: usize) -> bool {
        let mut n_words = 0;
        for index in at..self.words.words.len().min(at + REACH) {
            let word = self.words.word(index);
            match word {
                _ if self.words.words[index].kind == Kind::End => return false,
                "or" | "nor" => return true,
                "and" => return n_words <= 3 && !self.next_is(index + 1, &NEW_STATEMENT),
                "," => n_words = 0,
                "with" | "but" | "no" | "without" => return false,
                _ if VERBS.contains(&word) => return false,
                _ => n_words += 1,
            }
            if n_words > ITEM {
                return false;
            }
        }
        false
    }

    fn next_is(&self, at: usize, words: &[&str]) -> bool {
        at < self.words.words.len() && words.contains(&self.words.word(at))
    }
}

/// Whether a cue between another cue and its term ends the other's reach.
fn stops(between: Cue, kind: Cue) -> bool {
    match between {
        Cue::Break | Cue::ContextBefore => kind != Cue::DiagnosisBefore,
        Cue::Pseudo | Cue::NegateAfter => true,
        _ => false,
    }
}
