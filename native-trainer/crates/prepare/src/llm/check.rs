//! Checks an answer against its caption: a term counts only if the caption contains its evidence and asserts it.

use super::answer::{Answer, Term};
use crate::assertion::{Cues, Status};
use crate::extraction::{Extraction, Reader};
use crate::lexicon::{Hit, Lexicon, Meaning};
use crate::lexicon_reader;
use crate::words::Words;
use std::collections::BTreeMap;
use std::ops::Range;

/// An answer that was checked: what it supports, and the terms that were refused.
pub struct Checked {
    pub extraction: Extraction,
    pub refused: Vec<String>,
}

/// Checks every term of an answer.
pub fn check(lexicon: &Lexicon, caption: &str, answer: &Answer) -> Checked {
    // The lexicon says what is uncertain or of the history; the model says the rest.
    let mut extraction = lexicon_reader::read(lexicon, caption);
    extraction.by = Reader::Llm;
    extraction.spans = BTreeMap::new();
    extraction.others.clear();
    extraction.negated.clear();
    let mut refused = Vec::new();
    let reading = Reading::of(lexicon, caption);
    let first_with = |term: &Term, subject: Subject, status: Status| {
        let found = occurrences(caption, &term.evidence);
        found.into_iter().find(|range| reading.status(range, subject) == status)
    };
    (extraction.condition, extraction.path) = (None, Vec::new());
    if let Some(term) = &answer.condition {
        match first_with(term, Subject::Condition, Status::Asserted) {
            Some(range) => {
                let (name, path) = condition(lexicon, term);
                note(&mut extraction, caption, &name, range);
                (extraction.condition, extraction.path) = (Some(name), path);
            }
            None => refused.push(term.name.clone()),
        }
    }
    extraction.concepts = Vec::new();
    let known = |term: &Term, status: Status| {
        let is_it = |concept: &String| concept.eq_ignore_ascii_case(term.name.trim());
        let at = lexicon.concepts.iter().position(is_it)?;
        Some((lexicon.concepts[at].as_str(), first_with(term, Subject::Concept(at), status)?))
    };
    for term in &answer.concepts {
        let Some((name, range)) = known(term, Status::Asserted) else {
            refused.push(term.name.clone());
            continue;
        };
        note(&mut extraction, caption, name, range);
        push_new(&mut extraction.concepts, name);
    }
    for term in &answer.negated {
        match known(term, Status::Negated) {
            Some((name, range)) if !extraction.concepts.iter().any(|concept| concept == name) => {
                note(&mut extraction, caption, name, range);
                push_new(&mut extraction.negated, name);
            }
            _ => refused.push(term.name.clone()),
        }
    }
    Checked { extraction, refused }
}

fn push_new(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// The name and path of a condition: those of the lexicon if it knows the name or the evidence, else the model's name.
fn condition(lexicon: &Lexicon, term: &Term) -> (String, Vec<String>) {
    for text in [&term.name, &term.evidence] {
        let words = lexicon.words(text);
        let hits = lexicon.hits(&words);
        let found = hits.iter().find_map(|hit| match hit.meaning {
            Meaning::Condition(at) if hit.words.len() + 1 >= words.words.len() => Some(at),
            _ => None,
        });
        if let Some(at) = found {
            let name = lexicon.name_as_written(at, text).to_owned();
            let mut path = lexicon.conditions[at].path.clone();
            if let Some(last) = path.last_mut() {
                last.clone_from(&name);
            }
            return (name, path);
        }
    }
    let name = term.name.trim().to_lowercase();
    (name.clone(), vec![name])
}

/// What a term is evidence of.
#[derive(Clone, Copy)]
enum Subject {
    Condition,
    /// Index of the concept in the lexicon.
    Concept(usize),
}

/// A caption as the lexicon reads it.
struct Reading {
    words: Words,
    hits: Vec<Hit>,
}

impl Reading {
    fn of(lexicon: &Lexicon, caption: &str) -> Self {
        let words = lexicon.words(caption);
        let hits = lexicon.hits(&words);
        Self { words, hits }
    }

    /// How the evidence in these bytes is meant, by the lexicon's cues.
    ///
    /// Evidence may be longer than the term ("no ulceration", "a plaque without crusts"): the lexicon's own term within
    /// it counts, else what follows a cue that it begins with.
    fn status(&self, range: &Range<usize>, subject: Subject) -> Status {
        let words = &self.words.words;
        let first = words.iter().position(|word| word.source.end > range.start);
        let last = words.iter().rposition(|word| word.source.start < range.end && !word.source.is_empty());
        let (Some(first), Some(last)) = (first, last) else { return Status::Asserted };
        let evidence = first..last.max(first) + 1;
        let is_within = |hit: &&Hit| hit.words.start >= evidence.start && hit.words.end <= evidence.end;
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
        let mut own = self.hits.iter().filter(is_within).filter(is_subject).peekable();
        if own.peek().is_some() {
            let statuses: Vec<Status> = own.map(|hit| status(&hit.words)).collect();
            let is_asserted = statuses.contains(&Status::Asserted);
            return if is_asserted { Status::Asserted } else { statuses[0] };
        }
        let is_cue = |hit: &&Hit| matches!(hit.meaning, Meaning::Cue(_)) && hit.words.start == evidence.start;
        let behind = self.hits.iter().filter(is_within).filter(is_cue).map(|hit| hit.words.end).max();
        let start = behind.filter(|&start| start < evidence.end).unwrap_or(evidence.start);
        status(&(start..evidence.end))
    }
}

/// Endings with which a word of the caption may go on behind the evidence.
const INFLECTIONS: [&str; 4] = ["s", "es", "d", "ed"];

/// Returns every place of the caption that has these words, in any case and with any white space between them.
///
/// A place begins at the start of a word and ends at the end of one, or before a plural or past ending.
fn occurrences(caption: &str, evidence: &str) -> Vec<Range<usize>> {
    let evidence: Vec<&str> = evidence.split_whitespace().collect();
    let starts = caption.char_indices().filter(|&(at, c)| {
        let before = caption[..at].chars().next_back();
        !c.is_alphanumeric() || before.is_none_or(|before| !before.is_alphanumeric())
    });
    let ends_word = |end: usize| {
        let is_inside = caption[..end].chars().next_back().is_some_and(char::is_alphanumeric);
        let rest: String = caption[end..].chars().take_while(|c| c.is_alphanumeric()).collect();
        !is_inside || rest.is_empty() || INFLECTIONS.contains(&rest.to_lowercase().as_str())
    };
    let place = |(start, _): (usize, char)| {
        let mut end = start;
        for (index, part) in evidence.iter().enumerate() {
            let rest = &caption[end..];
            let n_spaces = rest.len() - rest.trim_start().len();
            if index > 0 {
                if n_spaces == 0 {
                    return None;
                }
                end += n_spaces;
            }
            end += matched_in_any_case(&caption[end..], part)?;
        }
        (end > start && ends_word(end)).then_some(start..end)
    };
    starts.filter_map(place).collect()
}

/// Returns how many bytes of `text` are `start` in any case, if it starts so.
fn matched_in_any_case(text: &str, start: &str) -> Option<usize> {
    let mut expected = start.chars().flat_map(char::to_lowercase).peekable();
    for (at, c) in text.char_indices() {
        if expected.peek().is_none() {
            return Some(at);
        }
        if c.to_lowercase().any(|c| expected.next() != Some(c)) {
            return None;
        }
    }
    expected.peek().is_none().then_some(text.len())
}

fn note(extraction: &mut Extraction, caption: &str, name: &str, range: Range<usize>) {
    let start = caption[..range.start].chars().count();
    let span = [start, start + caption[range].chars().count()];
    extraction.spans.entry(name.to_owned()).or_default().push(span);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(name: &str, evidence: &str) -> Term {
        Term { name: name.into(), evidence: evidence.into() }
    }

    #[test]
    fn terms_without_evidence_or_that_stand_negated_are_refused() {
        let lexicon = Lexicon::new(None);
        let caption = "Scaly plaques of the elbow, no ulceration. ?melanoma. Psoriasis vulgaris.";
        let answer = Answer {
            condition: Some(term("psoriasis", "Psoriasis vulgaris")),
            concepts: vec![
                term("scale", "scaly"),
                term("plaque", "plaques"),
                term("ulcer", "ulceration"),
                term("papule", "papules"),
                term("shiny", "elbow"),
            ],
            negated: vec![term("ulcer", "no ulceration"), term("crust", "crusts")],
        };
        let checked = check(&lexicon, caption, &answer);
        assert_eq!(checked.refused, ["ulcer", "papule", "shiny", "crust"]);
        let found = checked.extraction;
        assert_eq!(
            (found.condition.as_deref(), found.concepts),
            (Some("psoriasis"), vec!["scale".into(), "plaque".into()])
        );
        assert_eq!((found.negated, found.spans["scale"][0]), (vec!["ulcer".to_owned()], [0, 5]));
        let doubted = Answer { condition: Some(term("melanoma", "melanoma")), concepts: vec![], negated: vec![] };
        let checked = check(&lexicon, caption, &doubted);
        assert_eq!((checked.refused, checked.extraction.condition), (vec!["melanoma".to_owned()], None));
    }

    #[test]
    fn every_place_of_the_evidence_is_tried_and_words_are_whole() {
        let lexicon = Lexicon::new(None);
        let caption = "No scale at the border; thick scale in the center. Reduced pain, nonscaly rim, a plaque without \
                       crusts, no  ulceration.";
        let concepts = |terms: &[(&str, &str)]| {
            let concepts = terms.iter().map(|(name, evidence)| term(name, evidence)).collect();
            check(&lexicon, caption, &Answer { condition: None, concepts, negated: vec![] })
        };
        let checked = concepts(&[("scale", "SCALE"), ("plaque", "a plaque without crusts")]);
        assert!(checked.refused.is_empty(), "{:?}", checked.refused);
        assert_eq!(checked.extraction.spans["scale"], [[30, 35]], "the second one is asserted");
        let refused = concepts(&[("erythema", "red"), ("crust", "crust"), ("ulcer", "no ulceration")]).refused;
        assert_eq!(refused, ["erythema", "crust", "ulcer"]);
        let negated =
            [("scale", "No scale"), ("crust", "crusts"), ("ulcer", "no ulceration"), ("plaque", "plaque")];
        let negated = negated.iter().map(|(name, evidence)| term(name, evidence)).collect();
        let checked = check(&lexicon, caption, &Answer { condition: None, concepts: vec![], negated });
        assert_eq!(checked.extraction.negated, ["scale", "crust", "ulcer"]);
        assert_eq!(checked.refused, ["plaque"], "the caption asserts it");
        assert_eq!(occurrences("İbis RED red reds reddish", "red"), [6..9, 10..13, 14..17]);
    }

    #[test]
    fn a_condition_that_the_lexicon_does_not_know_keeps_the_models_name() {
        let lexicon = Lexicon::new(None);
        let answer = Answer { condition: Some(term("Zyxoma", "zyxomata")), concepts: vec![], negated: vec![] };
        let found = check(&lexicon, "Zyxomata of the leg", &answer).extraction;
        assert_eq!((found.condition.as_deref(), found.path), (Some("zyxoma"), vec!["zyxoma".to_owned()]));
    }
}
