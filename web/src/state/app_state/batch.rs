//! The table of many photos is filled: the worker gets one photo after the other.

use super::AppState;
use crate::error::Error;
use crate::state::batch::{BatchAnswer, N_ANSWERS, Work};
use crate::state::{Action, Batch, BatchFile, Phase, TableView};
use crate::worker::protocol::{Envelope, Request};
use shared_model::labels::LabelSet;

impl AppState {
    /// The table, if it is shown.
    pub fn open_batch(&self) -> Option<&Batch> {
        self.batch.as_ref().filter(|batch| batch.is_open)
    }

    pub(super) fn choose_batch(&mut self, files: Vec<BatchFile>) -> Vec<Action> {
        if files.is_empty() {
            self.input_error = Some(Error::NoFiles);
            return Vec::new();
        }
        self.batch = Some(Batch::new(files));
        let mut actions = self.close_camera();
        actions.extend(self.accept_input());
        actions
    }

    /// Shows the table. The model goes on with it.
    pub(super) fn show_batch(&mut self) -> Vec<Action> {
        if let Some(batch) = &mut self.batch {
            batch.show();
        }
        self.accept_input()
    }

    pub(super) fn remove_batch(&mut self) -> Vec<Action> {
        self.batch = None;
        let mut actions = self.accept_input();
        actions.push(Action::ForgetFiles);
        actions
    }

    pub(super) fn view_batch(&mut self, view: TableView) -> Vec<Action> {
        if let Some(batch) = &mut self.batch {
            batch.view = view;
        }
        Vec::new()
    }

    /// Sends the words of a search or the next photo of the table to the worker; `None` if the table is not shown.
    pub(super) fn continue_batch(&mut self) -> Option<Vec<Action>> {
        let (labels, is_on_server, keeps) = (self.label_set().cloned(), self.is_on_server, self.keeps_features());
        let model = self.model.as_ref().map(|model| model.name.clone()).unwrap_or_default();
        let batch = self.batch.as_mut().filter(|batch| batch.is_open)?;
        if is_on_server {
            batch.end_search();
        }
        batch.pause();
        let next = labels.and_then(|labels| {
            batch.begin_with(&model, &labels);
            Some((batch.begin_next_work(is_on_server, keeps)?, labels))
        });
        let (progress, feature) = (batch.progress(), batch.current_feature());
        let request_id = self.next_request_id();
        if let Some(search) = self.encode_words(request_id) {
            return Some(vec![search]);
        }
        let Some((work, labels)) = next else {
            self.phase = Phase::Ready;
            return Some(Vec::new());
        };
        let body = match work {
            Work::Answer { .. } => self.answer_request(labels),
            Work::Keep { .. } => Request::KeepFeature { feature },
        };
        self.phase = Phase::Classifying(Some(progress));
        Some(vec![Action::SendFile { index: work.index(), request: Envelope { request_id, body } }])
    }

    fn answer_request(&mut self, labels: LabelSet) -> Request {
        self.last_photo_id += 1;
        Request::Classify {
            photo_id: self.last_photo_id,
            crop: None,
            top_k: N_ANSWERS.min(labels.class_names.len()),
            labels,
            is_shown: false,
            wants_feature: true,
        }
    }

    /// Whether the worker has a photo of the table.
    pub(super) fn is_batch_running(&self) -> bool {
        self.open_batch().is_some_and(Batch::is_running)
    }

    /// Records the worker's answer to the photo that it had, and sends the next.
    pub(super) fn record_in_batch(&mut self, answer: BatchAnswer) -> Vec<Action> {
        let is_on_server = self.is_on_server;
        if let Some(batch) = &mut self.batch {
            batch.record(answer, is_on_server);
        }
        self.continue_batch().unwrap_or_default()
    }

    /// Records why the worker could not read the photo that it had, and sends the next.
    pub(super) fn refuse_in_batch(&mut self, error: Error) -> Vec<Action> {
        if let Some(batch) = &mut self.batch {
            batch.refuse(error);
        }
        self.continue_batch().unwrap_or_default()
    }

    /// Notes that the worker has kept a feature, or could not, and sends the next.
    pub(super) fn note_kept_in_batch(&mut self) -> Vec<Action> {
        if let Some(batch) = &mut self.batch {
            batch.note_current_kept();
        }
        self.continue_batch().unwrap_or_default()
    }

    /// Notes that the model failed during a photo of the table.
    pub(super) fn note_failure_in_batch(&mut self, error: &Error) {
        if let Some(batch) = &mut self.batch {
            batch.note_failure(error);
        }
    }
}
