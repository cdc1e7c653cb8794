//! Everything that the page knows. `apply.rs` has an event change it; a file for each concept says how.

mod apply;
mod batch;
mod camera;
mod concepts;
mod crop;
mod failure;
mod journal;
mod kept_features;
mod labels;
mod map;
mod other_models;
mod photo;
mod replies;
mod report;
mod search;
mod start;
mod status;
#[cfg(test)]
mod tests;

use super::kept_features::KeptFeatures;
use super::other_models::OtherModels;
use super::start::WorkerStart;
use super::{Action, Answer, Batch, Camera, JournalState, LabelChoice, Phase, Photo, SampleFetch, ShownMap};
use crate::error::Error;
use crate::worker::protocol::{Envelope, ModelInfo, PhotoId, Request, RequestId};
use shared_model::api::ModelEntry;
use shared_model::labels::LabelSet;
use std::sync::Arc;

/// Maximum number of predictions to request for a photo.
pub const TOP_K: usize = 200;

/// Everything that the page shows and decides on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppState {
    pub phase: Phase,
    /// Error of the visitor's last input, which was not sent to the worker.
    pub input_error: Option<Error>,
    pub models: Vec<ModelEntry>,
    pub chosen_model: usize,
    /// Whether the visitor chose inference on the server.
    pub is_on_server: bool,
    /// `None` until the manifest is read.
    pub model: Option<Arc<ModelInfo>>,
    /// Whether the browser has stored the weights for the next visit.
    is_model_stored: bool,
    /// Whether the browser has stored the text part, too.
    is_text_stored: bool,
    /// Whether the browser has stored the page's files.
    is_page_stored: bool,
    pub photo: Option<Photo>,
    pub camera: Camera,
    /// Many photos, if they were added.
    pub batch: Option<Batch>,
    /// `None` until a model is loaded or the labels of the last visit are restored.
    pub labels: Option<LabelChoice>,
    /// The text in the box of own labels.
    pub own_text: String,
    pub answer: Option<Answer>,
    /// Where the photo is like a text; shown with the answer.
    map: Option<ShownMap>,
    /// The text of the map that is being computed.
    map_text: String,
    /// Answers of other models to the photo; shown with the answer.
    others: OtherModels,
    pub journal: JournalState,
    kept_features: KeptFeatures,
    /// Whether findings are scored, too.
    pub wants_concepts: bool,
    /// The label whose typical findings the visitor wants to see, if not those of the first.
    typical_label: Option<String>,
    /// Number of the worker's threads.
    pub n_threads: usize,
    /// The own labels that were applied.
    own_labels: Option<LabelSet>,
    sample_fetch: Option<SampleFetch>,
    failed_sample: Option<usize>,
    start: WorkerStart,
    is_loaded: bool,
    last_photo_id: PhotoId,
    last_request_id: RequestId,
}

impl AppState {
    /// The selected entry of the list of models.
    pub fn chosen_entry(&self) -> Option<&ModelEntry> {
        self.models.get(self.chosen_model)
    }

    /// Whether the server runs the selected model, too.
    pub fn offers_server(&self) -> bool {
        self.chosen_entry().is_some_and(|entry| entry.classify.is_some())
    }

    fn list_models(&mut self) -> Vec<Action> {
        self.phase = Phase::Loading(None);
        vec![Action::ListModels]
    }

    /// After a valid input: clears the error of the last input.
    fn accept_input(&mut self) -> Vec<Action> {
        self.input_error = None;
        self.classify_if_possible()
    }

    fn refuse_input(&mut self, error: Error) -> Vec<Action> {
        self.input_error = Some(error);
        self.classify_if_possible()
    }

    /// Sends a request to the worker if there are a model, a photo and labels. A failed load stays failed.
    fn classify_if_possible(&mut self) -> Vec<Action> {
        (self.answer, self.map, self.typical_label) = (None, None, None);
        if !self.is_loaded {
            return Vec::new();
        }
        if let Some(actions) = self.continue_batch() {
            return actions;
        }
        let request_id = self.next_request_id();
        let request = self.classify_request(true);
        self.phase = if request.is_some() { Phase::Classifying(None) } else { Phase::Ready };
        request.map(|body| Action::Classify(Envelope { request_id, body })).into_iter().collect()
    }

    /// A request for the current photo. `is_shown` is whether the page needs pictures of it.
    fn classify_request(&self, is_shown: bool) -> Option<Request> {
        let photo = self.photo.as_ref().filter(|photo| !photo.is_refused())?;
        let labels = self.label_set()?;
        Some(Request::Classify {
            photo_id: photo.id,
            crop: photo.used_crop,
            labels: labels.clone(),
            top_k: TOP_K.min(labels.class_names.len()),
            is_shown,
            wants_feature: false,
        })
    }

    fn next_request_id(&mut self) -> RequestId {
        self.last_request_id += 1;
        self.last_request_id
    }
}
