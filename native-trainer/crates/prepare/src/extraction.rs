//! What a caption says of its picture: the condition, the concepts, what is negated, and where.

use crate::llm::LlmCounts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who read a caption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reader {
    #[default]
    Lexicon,
    Llm,
}

/// What was extracted from one caption.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extraction {
    /// The diagnosis of the picture; `None` if the caption asserts none.
    pub condition: Option<String>,
    /// The place of the condition in the ontology, ending with its name; empty without one.
    pub path: Vec<String>,
    /// Findings that the picture shows, in the order of the caption.
    pub concepts: Vec<String>,
    /// Findings and conditions that the caption says are absent.
    pub negated: Vec<String>,
    /// Conditions that the caption names without asserting them, as "?melanoma" or "melanoma or nevus".
    pub uncertain: Vec<String>,
    /// Conditions of the history or of somebody else.
    pub elsewhere: Vec<String>,
    /// Other conditions that the caption asserts beside [`condition`](Self::condition).
    pub others: Vec<String>,
    /// Where each name was found: first and last character behind it, counted from 0.
    pub spans: BTreeMap<String, Vec<[usize; 2]>>,
    pub by: Reader,
}

/// Reads captions.
pub trait Extractor: Sync {
    /// Extracts the aspects of one caption.
    ///
    /// # Errors
    /// If the reader cannot answer and the run must stop.
    fn extract(&self, caption: &str) -> anyhow::Result<Extraction>;

    /// What a language model was asked, if this is one.
    fn llm_counts(&self) -> Option<LlmCounts> {
        None
    }
}
