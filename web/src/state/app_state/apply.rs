//! Which event changes what.

use super::AppState;
use crate::error::Error;
use crate::state::start::WorkerStart;
use crate::state::{Action, Event, START_TIMEOUT_SECS};

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
            Event::JournalStarted => self.start_in_journal(),
            Event::ConceptsWanted(wants) => self.want_concepts(wants),
            Event::TypicalLabelChosen(label) => {
                self.typical_label = Some(label);
                Vec::new()
            }
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
}
