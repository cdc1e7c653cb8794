//! Other models of the list, which answer the photo that the chosen model has answered, and what an answer needs.

use super::start::WorkerStart;
use super::{Answer, Phase};
use crate::error::Error;
use crate::worker::protocol::{ModelInfo, RequestId};
use shared_model::api::ModelEntry;
use shared_model::labels::LabelSet;
use shared_model::manifest::{FileRole, Manifest};
use std::sync::Arc;

/// The other models that have answered, and the one that works.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OtherModels {
    /// In the order in which they answered.
    pub(super) answers: Vec<OtherAnswer>,
    pub(super) running: Option<Running>,
    /// Index of the model that did not answer, and why.
    pub(super) failed: Option<(usize, Error)>,
    pub(super) start: WorkerStart,
    pub(super) last_request_id: RequestId,
}

/// The answer of another model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OtherAnswer {
    pub(super) index: usize,
    pub(super) model: Arc<ModelInfo>,
    pub(super) answer: Answer,
}

/// The model that works.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Running {
    pub(super) index: usize,
    /// `None` until its manifest is read.
    pub(super) model: Option<Arc<ModelInfo>>,
    /// [`Phase::Loading`] or [`Phase::Classifying`].
    pub(super) phase: Phase,
}

/// A model that may answer the photo, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// In the list of models.
    pub index: usize,
    pub name: String,
    pub cost: Cost,
}

/// What an answer of another model needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Its files, of which the browser may have stored some. `has_text` is whether the text part is among them, because the
    /// labels are not built into the model.
    Files { n_bytes: u64, has_text: bool },
    /// The list of models does not name its files.
    Unknown,
    /// Nothing: the server computes it, as the visitor chose.
    Server,
    /// It cannot answer: the labels are not built into the model, which has no text part, either.
    LacksLabels,
}

/// A model and its answer, to be shown beside others.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedModel {
    pub name: String,
    pub is_trained: bool,
    /// A warning about the model.
    pub notice: Option<String>,
    pub answer: Answer,
}

impl ComparedModel {
    pub(super) fn new(model: &ModelInfo, answer: &Answer) -> Self {
        let notice = model.shown_notice().map(str::to_string);
        Self { name: model.name.clone(), is_trained: model.is_trained, notice, answer: answer.clone() }
    }
}

impl Cost {
    /// What an answer with these labels needs of a model.
    pub(super) fn of(entry: &ModelEntry, labels: &LabelSet, is_on_server: bool) -> Self {
        if is_on_server && entry.classify.is_some() {
            return Self::Server;
        }
        if entry.files.is_empty() {
            return Self::Unknown;
        }
        let has_text = !entry.label_sets.iter().any(|set| set.has_names_of(labels));
        if has_text && !entry.files.iter().any(|file| file.role == FileRole::Text) {
            return Self::LacksLabels;
        }
        let is_needed =
            |role| Manifest::FIRST_ROLES.contains(role) || has_text && Manifest::TEXT_ROLES.contains(role);
        let needed = entry.files.iter().filter(|file| is_needed(&file.role));
        Self::Files { n_bytes: needed.map(|file| file.bytes).sum(), has_text }
    }
}
