//! Checks an answer against its caption: a term counts only if the caption contains its evidence and asserts it.

use crate::assertion::{Cues, Status};
use crate::extraction::{Extraction, Reader};
use crate::lexicon::{Lexicon, Meaning};
use crate::lexicon_reader;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;

/// What a language model answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Answer {
    pub condition: Option<Term>,
    #[serde(default)]
    pub concepts: Vec<Term>,
    #[serde(default)]
    pub negated: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Term {
    pub name: String,
    pub evidence: String,
}

/// An answer that was checked: what it supports, and the terms that were refused.
pub struct Checked {
    pub extraction: Extraction,
    pub refused: Vec<String>,
}

/// Parses an answer; a model may put it into a code block.
///
/// # Errors
/// What is wrong with it.
pub fn parse(content: &str) -> Result<Answer, serde_json::Error> {
    let content = content.trim();
    let inside = content.strip_prefix("```").map(|rest| rest.trim_start_matches("json").trim_end_matches("```"));
    serde_json::from_str(inside.unwrap_or(content).trim())
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
    let place = |term: &Term| find(caption, &term.evidence);
    let status = |range: &Range<usize>, is_condition| status(lexicon, caption, range, is_condition);
    (extraction.condition, extraction.path) = (None, Vec::new());
    if let Some(term) = &answer.condition {
        match place(term).filter(|range| status(range, true) == Status::Asserted) {
            Some(range) => {
                let (name, path) = condition(lexicon, term);
                note(&mut extraction, caption, &name, range);
                (extraction.condition, extraction.path) = (Some(name), path);
            }
            None => refused.push(term.name.clone()),
        }
    }
    extraction.concepts = Vec::new();
    let known = |name: &str| lexicon.concepts.iter().find(|concept| concept.eq_ignore_ascii_case(name.trim()));
    for term in &answer.concepts {
        match (known(&term.name), place(term).filter(|range| status(range, false) == Status::Asserted)) {
            (Some(name), Some(range)) => {
                note(&mut extraction, caption, name, range);
                if !extraction.concepts.contains(name) {
                    extraction.concepts.push(name.clone());
                }
            }
            _ => refused.push(term.name.clone()),
        }
    }
    for term in &answer.negated {
        match (known(&term.name), place(term)) {
            (Some(name), Some(range)) if !extraction.concepts.contains(name) => {
                note(&mut extraction, caption, name, range);
                if !extraction.negated.contains(name) {
                    extraction.negated.push(name.clone());
                }
            }
            _ => refused.push(term.name.clone()),
        }
    }
    Checked { extraction, refused }
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

/// How the words of a caption are meant, by the lexicon's cues.
fn status(lexicon: &Lexicon, caption: &str, range: &Range<usize>, is_condition: bool) -> Status {
    let words = lexicon.words(caption);
    let hits = lexicon.hits(&words);
    let first = words.words.iter().position(|word| word.source.end > range.start);
    let behind = words.words.iter().rposition(|word| word.source.start < range.end && !word.source.is_empty());
    let (Some(first), Some(last)) = (first, behind) else { return Status::Asserted };
    let (cues, term) = (Cues::new(&words, &hits), first..last.max(first) + 1);
    if is_condition { cues.status_of_condition(&term) } else { cues.status_of_concept(&term) }
}

/// Bytes of the caption that have these words, in any case.
fn find(caption: &str, evidence: &str) -> Option<Range<usize>> {
    let evidence = evidence.trim();
    if evidence.is_empty() {
        return None;
    }
    if let Some(start) = caption.find(evidence) {
        return Some(start..start + evidence.len());
    }
    // Lower case keeps the length of ASCII letters, and of most others.
    let (lower, evidence) = (caption.to_lowercase(), evidence.to_lowercase());
    let start = lower.find(&evidence).filter(|_| lower.len() == caption.len())?;
    let range = start..start + evidence.len();
    caption.get(range.clone()).map(|_| range)
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
    fn a_condition_that_the_lexicon_does_not_know_keeps_the_models_name() {
        let lexicon = Lexicon::new(None);
        let answer = Answer { condition: Some(term("Zyxoma", "zyxomata")), concepts: vec![], negated: vec![] };
        let found = check(&lexicon, "Zyxomata of the leg", &answer).extraction;
        assert_eq!((found.condition.as_deref(), found.path), (Some("zyxoma"), vec!["zyxoma".to_owned()]));
    }

    #[test]
    fn answers_in_code_blocks_are_parsed_and_broken_ones_are_errors() {
        let json = r#"{"condition": null, "concepts": [], "negated": []}"#;
        assert_eq!(parse(json).unwrap(), parse(&format!("```json\n{json}\n```")).unwrap());
        assert!(parse(&json[..20]).is_err() && parse("I think it is psoriasis").is_err());
    }
}
