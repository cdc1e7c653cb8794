//! Checks an answer against its caption: a term counts only if the caption has its evidence, the evidence names the term,
//! and the caption asserts it.

use super::answer::{Answer, Term};
use super::named::{concept, condition};
use super::reading::{Reading, Subject};
use crate::assertion::Status;
use crate::extraction::{Extraction, Reader};
use crate::lexicon::Lexicon;
use crate::lexicon_reader;
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
        let range = first_with(term, Subject::Condition, Status::Asserted);
        let found = range.and_then(|range| Some((condition(lexicon, term, &reading.conditions(&range))?, range)));
        match found {
            Some(((name, path), range)) => {
                note(&mut extraction, caption, &name, range);
                (extraction.condition, extraction.path) = (Some(name), path);
            }
            None => refused.push(term.name.clone()),
        }
    }
    extraction.concepts = Vec::new();
    let known = |term: &Term, status: Status| {
        let at = concept(lexicon, &term.name)?;
        let range = first_with(term, Subject::Concept(at), status)?;
        let is_named = reading.names_concept(&range, at) || Reading::of(lexicon, &term.evidence).has_concept(at);
        is_named.then_some((lexicon.concepts[at].as_str(), range))
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
    fn evidence_that_names_something_else_is_none() {
        let lexicon = Lexicon::new(None);
        let caption = "Scaly plaques of the elbow of a farmer with tinea corporis.";
        let concepts = vec![term("papule", "Scaly"), term("vesicle", "elbow"), term("plaque", "Scaly plaques")];
        let negated = vec![term("ulcer", "farmer")];
        let of = |name: &str, evidence: &str| {
            let condition = Some(term(name, evidence));
            check(&lexicon, caption, &Answer { condition, concepts: concepts.clone(), negated: negated.clone() })
        };
        let checked = of("melanoma", "plaques");
        assert_eq!(checked.refused, ["melanoma", "papule", "vesicle", "ulcer"]);
        assert_eq!((checked.extraction.condition, checked.extraction.concepts), (None, vec!["plaque".into()]));
        for (name, evidence, found) in [
            ("tinea corporis", "tinea corporis", Some("tinea corporis")),
            ("tinea", "tinea corporis", Some("dermatophytosis")),
            ("tinea capitis", "tinea corporis", None),
            ("psoriasis", "tinea corporis", None),
            ("farmer's skin", "farmer", None),
        ] {
            assert_eq!(of(name, evidence).extraction.condition.as_deref(), found, "{name}: {evidence}");
        }
        let caption = "BCC of the nose";
        let condition = Some(term("basal cell carcinoma", "bcc"));
        let found = check(&lexicon, caption, &Answer { condition, concepts: vec![], negated: vec![] }).extraction;
        assert_eq!(found.condition.as_deref(), Some("basal cell carcinoma"));
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
