//! The labels: a set of the model or the visitor's own, and the choice that is stored for the next visit.

use serde::{Deserialize, Serialize};
use shared_model::labels::{LabelWarning, ReadLabels};

/// Number of labels in the summary of the visitor's own labels.
const N_SUMMARIZED: usize = 6;

/// The labels to rank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelChoice {
    /// The model's label set with this key.
    Shipped(String),
    /// The visitor's own labels.
    Own,
}

/// The labels that the browser stores for the next visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLabels {
    pub choice: LabelChoice,
    /// The text in the box of own labels.
    pub own_text: String,
}

/// How the text of the own labels is parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLabelsSummary {
    pub n_labels: usize,
    /// The first labels.
    pub first: Vec<String>,
}

impl OwnLabelsSummary {
    /// Summarizes how a text is parsed; `None` if it has no labels.
    pub fn of(text: &str) -> Option<Self> {
        let mut names = ReadLabels::from_text(text).ok()?.set.class_names;
        let n_labels = names.len();
        names.truncate(N_SUMMARIZED);
        Some(Self { n_labels, first: names })
    }
}

/// Warnings about a text of own labels, except that there is one label, which is shown once it is used.
pub fn own_labels_warnings(text: &str) -> Vec<LabelWarning> {
    let read = ReadLabels::from_text(text);
    let warnings = read.map(|read| read.warnings).unwrap_or_default();
    warnings.into_iter().filter(|warning| !matches!(warning, LabelWarning::Single { .. })).collect()
}
