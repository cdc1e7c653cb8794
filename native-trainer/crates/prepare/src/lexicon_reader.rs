//! Reads captions with the lexicon: offline, and the same result every time.
//!
//! Of several conditions, the one that is asserted as the picture's diagnosis is chosen:
//! 1. Negated, uncertain and historical ones are left out; so are two that "or" joins.
//! 2. One behind "diagnosed as", "confirmed" and similar words wins over one that is just named, and that over one in
//!    "a patient with …" or "secondary to …".
//! 3. Of those left, the first wins, unless a later one is a special form of it.
//! 4. A finding that is also a label ("ulcer") counts only as the whole caption or behind "diagnosed as".

use crate::assertion::{Cues, Rank, Status};
use crate::extraction::{Extraction, Extractor, Reader};
use crate::lexicon::{Hit, Lexicon, Meaning};
use crate::words::{Kind, Words};
use anyhow::Result;
use std::collections::BTreeMap;
use std::ops::Range;

/// Last words of conditions that are findings of their own: the ulcer of "venous ulcer".
const FINDING_HEADS: [&str; 17] = [
    "scar",
    "ulcer",
    "abscess",
    "xerosis",
    "telangiectasia",
    "telangiectasis",
    "desquamation",
    "poikiloderma",
    "hyperpigmentation",
    "hypopigmentation",
    "purpura",
    "nodule",
    "macule",
    "nail",
    "toenail",
    "fingernail",
    "cyst",
];

/// A condition in a caption.
struct Mention {
    condition: usize,
    words: Range<usize>,
    status: Status,
    rank: Rank,
}

impl Extractor for Lexicon {
    fn extract(&self, caption: &str) -> Result<Extraction> {
        Ok(read(self, caption))
    }
}

/// Extracts the aspects of a caption.
pub fn read(lexicon: &Lexicon, caption: &str) -> Extraction {
    let words = lexicon.words(caption);
    let hits = lexicon.hits(&words);
    let cues = Cues::new(&words, &hits);
    let mentions = conditions(lexicon, &words, &hits, &cues);
    let mut found = Found { lexicon, words: &words, caption, spans: BTreeMap::new() };
    let chosen = choose(lexicon, &words, &mentions);
    let mut extraction = Extraction {
        condition: chosen.map(|at| found.name(&mentions[at])),
        path: Vec::new(),
        concepts: Vec::new(),
        negated: Vec::new(),
        uncertain: Vec::new(),
        elsewhere: Vec::new(),
        others: Vec::new(),
        spans: BTreeMap::new(),
        by: Reader::Lexicon,
    };
    if let (Some(at), Some(name)) = (chosen, &extraction.condition) {
        extraction.path = lexicon.conditions[mentions[at].condition].path.clone();
        // As the caption and the label have it.
        if let Some(last) = extraction.path.last_mut() {
            name.clone_into(last);
        }
    }
    for mention in &mentions {
        let name = found.name(mention);
        // A finding that is not the diagnosis is among the concepts.
        let is_chosen = extraction.condition.as_ref() == Some(&name);
        if lexicon.conditions[mention.condition].is_finding && !is_chosen {
            continue;
        }
        found.note(&name, &mention.words);
        let list = match mention.status {
            Status::Asserted if is_chosen => continue,
            Status::Asserted => &mut extraction.others,
            Status::Negated => &mut extraction.negated,
            Status::Uncertain => &mut extraction.uncertain,
            Status::Elsewhere => &mut extraction.elsewhere,
        };
        add(list, &name);
    }
    for (concept, range) in concepts(lexicon, &words, &hits, &cues, &mentions) {
        let name = &lexicon.concepts[concept];
        found.note(name, &range);
        match cues.status_of_concept(&range) {
            Status::Negated => add(&mut extraction.negated, name),
            _ => add(&mut extraction.concepts, name),
        }
    }
    // What is asserted in one place is not absent.
    let Extraction { condition, concepts, others, negated, uncertain, .. } = &mut extraction;
    let is_asserted =
        |name: &String| condition.as_ref() == Some(name) || concepts.contains(name) || others.contains(name);
    negated.retain(|name| !is_asserted(name));
    uncertain.retain(|name| !is_asserted(name));
    extraction.spans = found.spans;
    extraction
}

/// Every condition that the caption names, and how.
fn conditions(lexicon: &Lexicon, words: &Words, hits: &[Hit], cues: &Cues) -> Vec<Mention> {
    let mut mentions = Vec::new();
    for hit in hits {
        let Meaning::Condition(condition) = hit.meaning else { continue };
        if cues.is_ignored(&hit.words) || lexicon.conditions[condition].name == "abnormal" {
            continue;
        }
        let (status, rank) = (cues.status_of_condition(&hit.words), cues.rank(&hit.words));
        mentions.push(Mention { condition, words: hit.words.clone(), status, rank });
    }
    for at in 1..mentions.len() {
        let [first, second] = [&mentions[at - 1], &mentions[at]];
        let is_open = [first, second].iter().all(|mention| mention.status == Status::Asserted);
        let is_same = is_within(lexicon, first.condition, second.condition)
            || is_within(lexicon, second.condition, first.condition);
        if is_open && !is_same && cues.are_alternatives(&first.words, &second.words) {
            mentions[at - 1].status = Status::Uncertain;
            mentions[at].status = Status::Uncertain;
        }
    }
    debug_assert!(mentions.iter().all(|mention| mention.words.end <= words.words.len()));
    mentions
}

/// The mention of the picture's diagnosis.
fn choose(lexicon: &Lexicon, words: &Words, mentions: &[Mention]) -> Option<usize> {
    let counts = |mention: &Mention| {
        let is_diagnosis = !lexicon.conditions[mention.condition].is_finding
            || mention.rank == Rank::Diagnosis
            || is_whole(words, &mention.words);
        mention.status == Status::Asserted && is_diagnosis
    };
    let candidates: Vec<usize> = (0..mentions.len()).filter(|&at| counts(&mentions[at])).collect();
    let best = candidates.iter().map(|&at| mentions[at].rank).max()?;
    let first = candidates.iter().copied().find(|&at| mentions[at].rank == best)?;
    let is_special = |&at: &usize| {
        mentions[at].condition != mentions[first].condition
            && is_within(lexicon, mentions[at].condition, mentions[first].condition)
    };
    candidates.iter().copied().find(is_special).or(Some(first))
}

/// Whether a condition is a special form of another.
fn is_within(lexicon: &Lexicon, special: usize, general: usize) -> bool {
    let (special, general) = (&lexicon.conditions[special], &lexicon.conditions[general]);
    let is_longer = special.name.len() > general.name.len() && special.name.contains(&general.name);
    is_longer || special.path.iter().rev().skip(1).any(|node| *node == general.name)
}

/// Whether a caption is this term and no more than two words beside it.
fn is_whole(words: &Words, term: &Range<usize>) -> bool {
    let n_words = words.words.iter().filter(|word| matches!(word.kind, Kind::Word | Kind::Capitals)).count();
    n_words <= term.len() + 2 && term.start <= 1
}

/// The concepts of a caption, without those that are part of a condition's name.
fn concepts(
    lexicon: &Lexicon,
    words: &Words,
    hits: &[Hit],
    cues: &Cues,
    mentions: &[Mention],
) -> Vec<(usize, Range<usize>)> {
    let is_named = |range: &Range<usize>| {
        mentions.iter().any(|mention| {
            let is_head = range.end == mention.words.end && FINDING_HEADS.contains(&words.word(range.end - 1));
            let is_finding = lexicon.conditions[mention.condition].is_finding;
            range.start < mention.words.end && mention.words.start < range.end && !is_head && !is_finding
        })
    };
    let concept = |hit: &Hit| match hit.meaning {
        Meaning::Concept(concept) if !cues.is_ignored(&hit.words) && !is_named(&hit.words) => {
            Some((concept, hit.words.clone()))
        }
        _ => None,
    };
    hits.iter().filter_map(concept).collect()
}

/// Names and places in a caption.
struct Found<'a> {
    lexicon: &'a Lexicon,
    words: &'a Words,
    caption: &'a str,
    spans: BTreeMap<String, Vec<[usize; 2]>>,
}

impl Found<'_> {
    fn name(&self, mention: &Mention) -> String {
        self.lexicon.name_as_written(mention.condition, &self.caption[self.bytes(&mention.words)]).to_owned()
    }

    fn bytes(&self, range: &Range<usize>) -> Range<usize> {
        self.words.words[range.start].source.start..self.words.words[range.end - 1].source.end
    }

    fn note(&mut self, name: &str, range: &Range<usize>) {
        let bytes = self.bytes(range);
        let start = self.caption[..bytes.start].chars().count();
        let span = [start, start + self.caption[bytes].chars().count()];
        let spans = self.spans.entry(name.to_owned()).or_default();
        if !spans.contains(&span) {
            spans.push(span);
        }
    }
}

fn add(list: &mut Vec<String>, name: &str) {
    if !list.iter().any(|known| known == name) {
        list.push(name.to_owned());
    }
}
