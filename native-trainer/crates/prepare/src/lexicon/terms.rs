//! The terms of the data files, in normal spelling, with what they mean.

use super::cues::Cue;
use super::meaning::{Condition, Form, Meaning};
use crate::words::normal_term;
use dermake_data::Ontology;
use std::collections::{BTreeMap, HashMap, HashSet};

const CONDITIONS: &str = include_str!("../../data/conditions.json");
const CONCEPTS: &str = include_str!("../../data/concepts.json");
const CUES: &str = include_str!("../../data/cues.json");

/// The group of conditions that are findings.
const FINDINGS: &str = "finding";

/// Last words of names that are also written in front of a comma or without one, as in "carcinoma, basal cell".
const HEADS: [&str; 22] = [
    "carcinoma",
    "keratosis",
    "melanoma",
    "nevus",
    "dermatitis",
    "psoriasis",
    "eczema",
    "lupus",
    "urticaria",
    "alopecia",
    "acne",
    "vasculitis",
    "hemangioma",
    "lentigo",
    "wart",
    "cyst",
    "erythematosus",
    "cheilitis",
    "sarcoma",
    "eruption",
    "folliculitis",
    "porokeratosis",
];

/// Names and synonyms by group and condition.
type Groups = BTreeMap<String, BTreeMap<String, Vec<String>>>;

#[derive(Default)]
pub(super) struct Terms {
    pub conditions: Vec<Condition>,
    pub concepts: Vec<String>,
    pub patterns: Vec<String>,
    pub meanings: Vec<Vec<(Meaning, Form)>>,
    /// Single words of concepts, for words such as "nonscaly".
    pub known_words: HashSet<String>,
    index: HashMap<String, usize>,
}

impl Terms {
    pub fn read(ontology: Option<&Ontology>) -> Self {
        let mut terms = Self::default();
        terms.read_concepts();
        terms.read_conditions(ontology);
        terms.read_cues();
        terms
    }

    fn read_concepts(&mut self) {
        let concepts: BTreeMap<String, Vec<String>> = data(CONCEPTS);
        let none = HashSet::new();
        for term in concepts.values().flatten() {
            let normal = normal_term(term, &none);
            if !normal.contains(' ') {
                self.known_words.insert(normal);
            }
        }
        for (at, (name, synonyms)) in concepts.into_iter().enumerate() {
            for term in std::iter::once(&name).chain(&synonyms) {
                self.add(term, Meaning::Concept(at), Form::AnyCase);
            }
            self.concepts.push(name);
        }
    }

    fn read_conditions(&mut self, ontology: Option<&Ontology>) {
        let groups: Groups = data(CONDITIONS);
        let mut synonyms = Vec::new();
        for (group, conditions) in groups {
            let path: Vec<String> = group.split(", ").map(str::to_owned).collect();
            for (name, terms) in conditions {
                let mut path = path.clone();
                if group == FINDINGS {
                    path.clear();
                }
                // A condition that heads a group has the group's path.
                if path.last() != Some(&name) {
                    path.push(name.clone());
                }
                let path = ontology.and_then(|ontology| ontology.path(&name)).map_or(path, <[String]>::to_vec);
                synonyms.push((self.conditions.len(), terms));
                self.conditions.push(Condition { name, path, is_finding: group == FINDINGS });
            }
        }
        let known: HashSet<String> =
            self.conditions.iter().map(|found| normal_term(&found.name, &self.known_words)).collect();
        for (name, path) in ontology.into_iter().flat_map(Ontology::conditions) {
            if !known.contains(&normal_term(name, &self.known_words)) {
                self.conditions.push(Condition { name: name.to_owned(), path: path.to_vec(), is_finding: false });
            }
        }
        // Names come before synonyms: a term belongs to the condition of this name.
        for at in 0..self.conditions.len() {
            let name = self.conditions[at].name.clone();
            self.add_condition(&name, at);
        }
        for (at, terms) in synonyms {
            terms.iter().for_each(|term| self.add_condition(term, at));
        }
    }

    fn add_condition(&mut self, term: &str, at: usize) {
        let is_abbreviation = !term.contains(' ') && term.chars().filter(|c| c.is_uppercase()).count() > 1;
        let form = if is_abbreviation { Form::Capitals } else { Form::AnyCase };
        let meaning = Meaning::Condition(at);
        self.add(term, meaning, form);
        let normal = normal_term(term, &self.known_words);
        if let Some((rest, head)) = normal.rsplit_once(' ').filter(|(_, head)| HEADS.contains(head)) {
            self.add(&format!("{head}, {rest}"), meaning, form);
            self.add(&format!("{head} {rest}"), meaning, form);
        }
    }

    fn read_cues(&mut self) {
        let cues: HashMap<Cue, Vec<String>> = data(CUES);
        for (cue, terms) in cues {
            terms.iter().for_each(|term| self.add(term, Meaning::Cue(cue), Form::AnyCase));
        }
    }

    fn add(&mut self, term: &str, meaning: Meaning, form: Form) {
        let normal = normal_term(term, &self.known_words);
        if normal.is_empty() {
            return;
        }
        let next = self.patterns.len();
        let at = *self.index.entry(normal.clone()).or_insert(next);
        if at == next {
            self.patterns.push(normal);
            self.meanings.push(Vec::new());
        }
        // A term names one condition; it may have several concepts and be a cue in two ways.
        let names_another = |(known, _): &(Meaning, Form)| {
            *known == meaning || matches!((known, meaning), (Meaning::Condition(_), Meaning::Condition(_)))
        };
        if !self.meanings[at].iter().any(names_another) {
            self.meanings[at].push((meaning, form));
        } else if form == Form::AnyCase {
            // "bcc" beside "BCC": any case will do.
            self.meanings[at]
                .iter_mut()
                .filter(|(known, _)| *known == meaning)
                .for_each(|(_, form)| *form = Form::AnyCase);
        }
    }
}

fn data<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect("the tests read the data files")
}
