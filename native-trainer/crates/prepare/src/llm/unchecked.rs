//! An answer as it is: what a table would have of it without the check.

use super::answer::{Answer, Term};
use super::named::{concept, whole_condition};
use crate::extraction::{Extraction, Reader};
use crate::lexicon::Lexicon;

/// Returns the names of an answer, in the lexicon's spelling where it knows them.
pub fn unchecked(lexicon: &Lexicon, answer: &Answer) -> Extraction {
    let as_written = |term: &Term| term.name.trim().to_lowercase();
    let condition = |term: &Term| match whole_condition(lexicon, &term.name) {
        Some(at) => lexicon.name_as_written(at, &term.name).to_owned(),
        None => as_written(term),
    };
    let names = |terms: &[Term]| -> Vec<String> {
        let name = |term: &Term| concept(lexicon, &term.name).map(|at| lexicon.concepts[at].clone());
        terms.iter().map(|term| name(term).unwrap_or_else(|| as_written(term))).collect()
    };
    Extraction {
        condition: answer.condition.as_ref().map(condition).filter(|name| !name.is_empty()),
        concepts: names(&answer.concepts),
        negated: names(&answer.negated),
        by: Reader::Llm,
        ..Extraction::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_the_lexicon_has_them_and_nothing_is_refused() {
        let term = |name: &str| Term { name: name.into(), evidence: "not in any caption".into() };
        let answer = Answer {
            condition: Some(term("Psoriasis Vulgaris")),
            concepts: vec![term(" Scale"), term("Silver")],
            negated: vec![term("crust")],
        };
        let found = unchecked(&Lexicon::new(None), &answer);
        assert_eq!(found.condition.as_deref(), Some("psoriasis"));
        assert_eq!(
            (found.concepts, found.negated),
            (vec!["scale".into(), "silver".into()], vec!["crust".to_owned()])
        );
        let unknown = Answer { condition: Some(term("Zyxoma ")), concepts: vec![], negated: vec![] };
        assert_eq!(unchecked(&Lexicon::new(None), &unknown).condition.as_deref(), Some("zyxoma"));
    }
}
