//! The state of the page, and the actions that follow from each event. Pure: the browser is accessed in `app/`.
//!
//! [`AppState::apply`] takes an event and returns what to do. Each request to the worker has a new id, and replies to
//! any request but the last are ignored. A new photo or label set removes the old answer.

mod batch;
mod camera;
mod concepts;
mod crop;
mod drop_paste;
mod event;
mod failure;
mod journal;
mod kept_features;
mod labels;
mod map;
mod model_list;
mod other_models;
mod phase;
mod photo;
mod replies;
mod report;
mod start;
mod status;
#[cfg(test)]
mod tests;
mod words;

pub use batch::{Batch, BatchFile, Outcome, Row, Sort, TablePage, TableView};
pub use camera::{Camera, CameraFault, CameraOpening, CameraView, Facing};
pub use concepts::ConceptList;
pub use crop::{ModelView, PhotoHint};
pub use drop_paste::{DropDecision, DropOrPaste, DroppedFile};
pub use event::{Action, Event, SampleFetch, StartStep};
pub use journal::{JournalMessage, JournalState, Keeping};
pub use labels::{LabelChoice, OwnLabelsSummary, StoredLabels, own_labels_warnings};
pub use map::ShownMap;
pub use model_list::relative_to_page;
pub use other_models::{Candidate, ComparedModel, Cost};
pub use phase::{Answer, Phase};
pub use photo::{DecodedPhoto, NewPhoto, Photo};
pub use start::START_TIMEOUT_SECS;
pub use status::{Status, duration};
pub use words::MAX_WORDS_CHARS;

use crate::error::Error;
use crate::worker::protocol::{Envelope, ModelInfo, PhotoId, Request, RequestId};
use kept_features::KeptFeatures;
use other_models::OtherModels;
use shared_model::api::ModelEntry;
use shared_model::labels::LabelSet;
use start::WorkerStart;
use std::sync::Arc;

/// Maximum number of predictions to request for a photo.
pub const TOP_K: usize = 200;
/// Number of predictions to show before the visitor expands the list.
pub const N_SHOWN: usize = 5;

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
    /// Applies an event; returns the actions that follow, in order.
    pub fn apply(&mut self, event: Event) -> Vec<Action> {
        let actions = self.handle(event);
        // First, so that another model takes no time of the next answer.
        let mut actions: Vec<Action> = self.end_comparison_without_answer().into_iter().chain(actions).collect();
        actions.extend(self.clear_suspicion());
        actions
    }

    fn handle(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::LabelsRestored(stored) => self.restore_labels(stored),
            Event::PageOpened { builds } => {
                self.start = WorkerStart::new(builds);
                self.list_models()
            }
            Event::PageStored => {
                self.is_page_stored = true;
                Vec::new()
            }
            Event::ModelsListed(Ok(models)) if models.is_empty() => self.fail(Error::NoModel),
            Event::ModelsListed(Ok(models)) => {
                self.models = models;
                self.load(0)
            }
            Event::ModelsListed(Err(error)) => self.fail(error),
            Event::ModelChosen(index) => self.load(index),
            Event::ServerChosen(is_on_server) => {
                self.is_on_server = is_on_server;
                self.load(self.chosen_model)
            }
            Event::PhotoChosen(photo) => self.choose_photo(photo, None),
            Event::PhotoRestored(photo, crop) => self.restore_photo(photo, crop),
            Event::PhotoRemoved => self.remove_photo(),
            Event::PhotoHashed(photo_id, sha256) => self.set_hash(photo_id, sha256),
            Event::CropChanged(crop) => self.change_crop(crop),
            Event::CropSettled => self.settle_crop(),
            Event::CameraWanted(facing) => self.open_camera(facing),
            Event::CameraOpened(opening, n_cameras) => self.receive_camera(opening, n_cameras),
            Event::CameraShown(size) => self.show_camera(size),
            Event::CameraFailed(fault) => self.fail_camera(fault),
            Event::CameraClosed => self.close_camera(),
            Event::PhotoTaken(photo, size) => self.take_photo(photo, size),
            Event::InputRefused(error) => {
                self.input_error = Some(error);
                Vec::new()
            }
            Event::SampleChosen(sample) => self.fetch_sample(sample),
            Event::SampleFetched(fetch, name) => self.receive_sample(fetch, name),
            Event::LabelsChosen(choice) => self.choose_labels(choice),
            Event::OwnLabelsEdited(text) => self.edit_own_labels(text),
            Event::OwnLabelsApplied => self.apply_own_labels(),
            Event::BatchChosen(files) => self.choose_batch(files),
            Event::BatchShown => self.show_batch(),
            Event::BatchRemoved => self.remove_batch(),
            Event::BatchViewed(view) => self.view_batch(view),
            Event::WordsSearched(text) => self.search_words(&text),
            Event::LikeSearched(index) => self.search_like(index),
            Event::SearchEnded => self.end_search(),
            Event::FeatureKeepingRestored(keeps) => self.restore_feature_keeping(keeps),
            Event::FeatureKeepingWanted(keeps) => self.want_feature_keeping(keeps),
            Event::JournalShown(entries, message) => self.show_journal(entries, message),
            Event::JournalPersistence(is_persistent) => {
                self.journal.may_be_deleted = !is_persistent;
                Vec::new()
            }
            Event::JournalRemoved(id) => self.remove_from_journal(id.as_deref()),
            Event::JournalMarked(id) => self.mark_in_journal(id),
            Event::JournalFailed(error) => self.fail_journal(error),
            Event::ConceptsWanted(wants) => self.want_concepts(wants),
            Event::MapWanted(text) => self.want_map(&text),
            Event::MapClosed => self.close_map(),
            Event::MapFramed => self.frame_map(),
            Event::OtherModelWanted(index) => self.start_other_model(index),
            Event::OtherModelCanceled => self.cancel_other_model(),
            Event::FromOtherWorker(envelope) => self.receive_from_other(envelope),
            Event::OtherWorkerFailed(detail) => self.handle_other_worker_failure(detail),
            Event::OtherStartTimedOut(step) => self.time_out_other_start(step),
            Event::FromWorker(envelope) => self.receive(envelope),
            Event::WorkerFailed(detail) => self.handle_worker_failure(detail),
            Event::StartTimedOut(step) if self.is_waiting_for_start(step) => {
                self.start_next_build(Error::WorkerSilent { secs: START_TIMEOUT_SECS })
            }
            Event::StartTimedOut(_) => Vec::new(),
            Event::PageReplaced => self.fail(Error::PageReplaced),
            Event::RetryPressed => self.retry(),
            Event::NetworkReturned => self.retry_after_outage(),
        }
    }

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
        (self.answer, self.map) = (None, None);
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
