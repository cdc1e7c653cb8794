//! Captions of a case: what a record, a clinician or a patient would write, true to what was drawn.

mod facts;
mod sentences;
mod words;

use super::case::{Case, CaseRng};
use super::findings::{Concept, Findings};
pub use facts::Facts;
use rand::Rng;
use rand::seq::{IndexedRandom, IteratorRandom, SliceRandom};
use sentences::Writer;
use words::TOKEN_BUDGET;

/// Most sub-captions of a row.
pub const MAX_SUBCAPTIONS: usize = 8;

/// All texts of one training row.
#[derive(Clone, Debug)]
pub struct Captions {
    pub caption: String,
    /// Missing in a few rows, as in real data.
    pub ontology: Option<String>,
    pub visual_concept: Option<String>,
    /// One to eight sentences or phrases.
    pub subcaptions: Vec<String>,
}

/// Writes the texts of a training row.
pub fn write(facts: Facts, rng: &mut CaseRng) -> Captions {
    let ontology = rng.random_bool(0.96).then(|| ontology(facts.case));
    let visual_concept = rng.random_bool(0.95).then(|| visual_concept(facts.findings, rng));
    let voice = rng.random_range(0..100);
    let mut writer = Writer { facts, rng };
    let (caption, subcaptions) = match voice {
        0..10 => {
            let caption = writer.brief();
            (caption.clone(), vec![caption])
        }
        10..26 => finish(writer.lay(), Vec::new()),
        26..33 => {
            let mut used = writer.description();
            used.shuffle(writer.rng);
            finish(used, writer.description())
        }
        _ => clinical(&mut writer),
    };
    Captions { caption, ontology, visual_concept, subcaptions }
}

/// A long caption that differs from those of other pictures of the condition.
pub fn identifying(facts: Facts, rng: &mut CaseRng) -> String {
    Writer { facts, rng }.identifying()
}

/// The diagnosis first or last, and a few findings.
fn clinical(writer: &mut Writer) -> (String, Vec<String>) {
    let mut findings = writer.description();
    let n_told = writer.rng.random_range(1..=4).min(findings.len());
    let rest = findings.split_off(n_told);
    let diagnosis = writer.diagnosis();
    if writer.rng.random_bool(0.8) {
        findings.insert(0, diagnosis);
    } else {
        findings.push(diagnosis);
    }
    finish(findings, rest)
}

/// Joins sentences up to the token budget; those that do not fit become sub-captions only, as in the reference's
/// data, where the caption is cut and the sub-captions are not. The first sentence that names the diagnosis stays.
fn finish(used: Vec<String>, unused: Vec<String>) -> (String, Vec<String>) {
    let mut caption = String::new();
    for sentence in &used {
        let longer = if caption.is_empty() { format!("{sentence}.") } else { format!("{caption} {sentence}.") };
        if caption.is_empty() || words::estimated_tokens(&longer) <= TOKEN_BUDGET {
            caption = longer;
        }
    }
    let mut subcaptions: Vec<String> = Vec::new();
    for sentence in used.into_iter().chain(unused) {
        if subcaptions.len() < MAX_SUBCAPTIONS && !subcaptions.contains(&sentence) {
            subcaptions.push(sentence);
        }
    }
    (caption, subcaptions)
}

fn ontology(case: &Case) -> String {
    let profile = case.condition.profile();
    format!("This is a skin photo diagnosed as {}, {}.", profile.category, profile.name)
}

/// Up to six of the findings, by name or by another word for them.
fn visual_concept(findings: &Findings, rng: &mut CaseRng) -> String {
    let mut shown: Vec<Concept> = findings.concepts.iter().copied().choose_multiple(rng, 6);
    shown.shuffle(rng);
    let names: Vec<&str> = shown
        .iter()
        .map(|concept| {
            let other = concept.terms().choose(rng).copied();
            if rng.random_bool(0.6) { concept.name() } else { other.unwrap_or(concept.name()) }
        })
        .collect();
    format!("This skin photo shows {}.", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::case::{Split, assignment, rng_for};
    use super::super::picture;
    use super::*;
    use std::collections::HashSet;

    fn contains_word(text: &str, word: &str) -> bool {
        text.match_indices(word).any(|(start, _)| {
            let before = text[..start].chars().next_back();
            let after = text[start + word.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
    }

    #[test]
    fn captions_name_only_what_was_drawn() {
        let mut distinct = HashSet::new();
        for index in 0..280 {
            let (condition, tone) = assignment(5, Split::Train, index);
            let mut rng = rng_for(5, Split::Train, index, 0);
            let case = Case::sample(condition, tone, &mut rng);
            let picture = picture::paint(&case, (48, 48), rng);
            let facts = Facts { case: &case, findings: &picture.findings, extras: &picture.extras };
            let mut rng = rng_for(5, Split::Train, index, 2);
            let captions = write(facts, &mut rng);
            let long = identifying(facts, &mut rng);
            let texts =
                captions.subcaptions.iter().chain(&captions.visual_concept).chain([&captions.caption, &long]);
            for text in texts {
                let lower = text.to_lowercase();
                for concept in Concept::ALL {
                    let says = concept
                        .terms()
                        .iter()
                        .chain([&concept.name()])
                        .any(|term| contains_word(&lower, term) || contains_word(&lower, &format!("{term}s")));
                    assert!(!says || picture.findings.shows(concept), "{concept:?} is not drawn: {text}");
                }
                assert!(words::estimated_tokens(text) < 60, "too long: {text}");
                assert!(!text.trim().is_empty() && !text.contains("  "), "{text:?}");
            }
            assert!((1..=MAX_SUBCAPTIONS).contains(&captions.subcaptions.len()));
            distinct.insert(captions.caption);
        }
        assert!(distinct.len() > 240, "only {} distinct captions of 280", distinct.len());
    }
}
