//! What the page is doing, and what follows from each event. Pure: the browser is only in `app.rs`.
//!
//! [`AppState::apply`] takes an event and answers with what to do. Each request to the worker gets a new id, and an
//! answer to any but the last is ignored; a photo or label set that changes takes the old answer off the screen.

mod event;
mod labels;
mod offered;
mod photo;
mod shown;
mod start;
mod status;
#[cfg(test)]
mod tests;

pub use event::{Action, Event, SampleFetch, StartStep};
pub use labels::KeptLabels;
pub use offered::{Choice, Offered, OfferedFile};
pub use shown::{Answer, LabelChoice, NewPhoto, Phase, Photo, beside_page};
pub use start::START_SECS;
pub use status::{duration, percent};

use crate::error::{Error, WayOn};
use crate::worker::protocol::{Envelope, ModelInfo, PhotoId, Reply, Request, RequestId};
use shared_model::api::ModelEntry;
use shared_model::labels::LabelSet;
use start::WorkerStart;

/// Most answers that are asked of the worker for one photo.
pub const TOP_K: usize = 200;
/// Answers shown before the visitor asks for all.
pub const N_SHOWN: usize = 5;

/// All that the page shows and decides on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppState {
    pub phase: Phase,
    /// What is wrong with the visitor's last input, of which the worker has not heard.
    pub input_error: Option<Error>,
    pub models: Vec<ModelEntry>,
    pub chosen_model: usize,
    /// Whether the visitor chose that photos are sent to the server.
    pub is_on_server: bool,
    /// Known once its manifest is read.
    pub model: Option<ModelInfo>,
    /// Whether the browser keeps the weights for the next visit.
    is_model_kept: bool,
    /// Whether it keeps the text part, too.
    is_text_kept: bool,
    /// Whether it keeps the page's own files.
    is_page_kept: bool,
    pub photo: Option<Photo>,
    /// `None` until there is a model.
    pub labels: Option<LabelChoice>,
    /// What stands in the box of the visitor's own labels.
    pub own_text: String,
    pub answer: Option<Answer>,
    /// The worker's.
    pub n_threads: usize,
    /// Those that were applied.
    own_labels: Option<LabelSet>,
    sample_fetch: Option<SampleFetch>,
    failed_sample: Option<usize>,
    start: WorkerStart,
    is_loaded: bool,
    last_photo_id: PhotoId,
    last_request_id: RequestId,
}

impl AppState {
    /// Takes in an event; what comes back is to be done in its order.
    pub fn apply(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::LabelsRestored(kept) => self.restore_labels(kept),
            Event::PageOpened { builds } => {
                self.start = WorkerStart::new(builds);
                self.list_models()
            }
            Event::PageKept => {
                self.is_page_kept = true;
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
            Event::PhotoChosen(photo) => self.choose_photo(photo),
            Event::PhotoRestored(photo) => self.restore_photo(photo),
            Event::PhotoRemoved => self.remove_photo(),
            Event::OfferRefused(error) => {
                self.input_error = Some(error);
                Vec::new()
            }
            Event::SampleChosen(sample) => self.fetch_sample(sample),
            Event::SampleFetched(fetch, name) => self.take_sample(fetch, name),
            Event::LabelsChosen(choice) => self.choose_labels(choice),
            Event::OwnLabelsEdited(text) => self.edit_own_labels(text),
            Event::OwnLabelsApplied => self.apply_own_labels(),
            Event::FromWorker(Envelope { body: Reply::Starting, .. }) => {
                self.start.go_on().map(Action::WatchStart).into_iter().collect()
            }
            Event::FromWorker(Envelope { body: Reply::Started { n_threads }, .. }) => {
                self.n_threads = n_threads;
                let avoid = self.start.finish().then_some(Action::AvoidThreads);
                let load = Action::Load { request_id: self.next_request_id() };
                [load, Action::KeepPage].into_iter().chain(avoid).chain(self.open_photo_early()).collect()
            }
            Event::FromWorker(Envelope { body: Reply::TextKept, .. }) => {
                self.is_text_kept = true;
                Vec::new()
            }
            Event::FromWorker(Envelope { body: Reply::PhotoOpened { photo_id }, .. }) => {
                self.open_photo(photo_id, Ok(()))
            }
            Event::FromWorker(Envelope { body: Reply::PhotoRefused { photo_id, error }, .. }) => {
                self.open_photo(photo_id, Err(error))
            }
            Event::FromWorker(Envelope { request_id, body }) if request_id == self.last_request_id => {
                self.hear(body)
            }
            Event::FromWorker(_) => Vec::new(),
            Event::WorkerLost(detail) => {
                self.is_loaded = false;
                if self.start.is_over() {
                    self.fail(Error::WorkerLost { detail })
                } else {
                    self.start_otherwise(detail)
                }
            }
            Event::StartOverdue(step) if self.start.waits_at(step) => {
                self.start_otherwise(format!("nothing was heard of it for {START_SECS} seconds"))
            }
            Event::StartOverdue(_) => Vec::new(),
            Event::PageReplaced => self.fail(Error::PageReplaced),
            Event::RetryPressed => self.retry(),
        }
    }

    /// The model that was chosen of those on offer.
    pub fn chosen_entry(&self) -> Option<&ModelEntry> {
        self.models.get(self.chosen_model)
    }

    /// Whether photos may be sent to the server instead.
    pub fn offers_server(&self) -> bool {
        self.chosen_entry().is_some_and(|entry| entry.classify.is_some())
    }

    fn list_models(&mut self) -> Vec<Action> {
        self.phase = Phase::Loading(None);
        vec![Action::ListModels]
    }

    /// Each model gets a fresh worker, so that nothing of another stays in memory, and none that was to look at photos
    /// here can send them.
    fn load(&mut self, index: usize) -> Vec<Action> {
        self.chosen_model = index;
        self.is_on_server &= self.offers_server();
        (self.is_loaded, self.is_model_kept, self.is_text_kept) = (false, false, false);
        self.start.begin();
        self.model = None;
        self.answer = None;
        self.phase = Phase::Loading(None);
        self.next_request_id();
        vec![Action::StartWorker]
    }

    /// With the next build that this browser may run; without one, the start has failed.
    fn start_otherwise(&mut self, detail: String) -> Vec<Action> {
        if self.start.take_next_build() {
            return self.load(self.chosen_model);
        }
        self.fail(Error::WorkerNotStarted { detail });
        vec![Action::CheckVersion]
    }

    /// After an input that is in order: whatever was wrong with the last one is done with.
    fn go_on(&mut self) -> Vec<Action> {
        self.input_error = None;
        self.classify_if_possible()
    }

    fn refuse(&mut self, error: Error) -> Vec<Action> {
        self.input_error = Some(error);
        self.classify_if_possible()
    }

    /// Asks the worker if there is all that it takes, otherwise waits for the rest; a load that failed stays failed.
    fn classify_if_possible(&mut self) -> Vec<Action> {
        self.answer = None;
        if !self.is_loaded {
            return Vec::new();
        }
        let request_id = self.next_request_id();
        let request = self.classify_request();
        self.phase = if request.is_some() { Phase::Classifying(None) } else { Phase::Ready };
        request.map(|body| Action::Classify(Envelope { request_id, body })).into_iter().collect()
    }

    fn classify_request(&self) -> Option<Request> {
        let photo_id = self.photo.as_ref().filter(|photo| !photo.is_refused())?.id;
        let labels = self.label_set()?;
        Some(Request::Classify { photo_id, labels: labels.clone(), top_k: TOP_K.min(labels.class_names.len()) })
    }

    fn hear(&mut self, reply: Reply) -> Vec<Action> {
        match (reply, &mut self.phase) {
            (Reply::Opened { model }, _) => {
                self.choose_labels_of(&model);
                self.model = Some(model);
            }
            (Reply::Progress(now), Phase::Loading(progress) | Phase::Classifying(progress)) => {
                *progress = Some(now)
            }
            (Reply::Ready { is_kept }, _) => {
                (self.is_loaded, self.is_model_kept) = (true, is_kept);
                return self.classify_if_possible();
            }
            (Reply::Predictions { predictions, millis }, _) => {
                self.phase = Phase::Ready;
                self.answer = Some(Answer { predictions, millis });
            }
            (Reply::Failed { error }, Phase::Classifying(_)) if error.way_on() == WayOn::OtherPhoto => {
                self.phase = Phase::Ready;
                self.photo = self.photo.take().map(|photo| Photo { opened: Some(Err(error)), ..photo });
            }
            (Reply::Failed { error }, _) => return self.fail(error),
            (_, _) => {}
        }
        Vec::new()
    }

    fn fail(&mut self, error: Error) -> Vec<Action> {
        // Memory that a worker once had is not given back while it lives; and where a file of the model is gone or
        // another, so may the model be that it was of.
        let begins_anew =
            matches!(error, Error::OutOfMemory { .. } | Error::Damaged { .. } | Error::Refused { .. });
        self.is_loaded &= !begins_anew || self.is_on_server;
        self.answer = None;
        self.phase = Phase::Failed(error);
        Vec::new()
    }

    fn retry(&mut self) -> Vec<Action> {
        match (&self.phase, self.failed_sample) {
            (Phase::Failed(_), _) if self.models.is_empty() => self.list_models(),
            (Phase::Failed(_), _) if !self.is_loaded => self.load(self.chosen_model),
            (Phase::Failed(_), _) | (_, None) => self.go_on(),
            (_, Some(sample)) => self.fetch_sample(sample),
        }
    }

    fn next_request_id(&mut self) -> RequestId {
        self.last_request_id += 1;
        self.last_request_id
    }
}
