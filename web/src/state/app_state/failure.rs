//! Errors of the work that the visitor waits for, and how it is repeated.

use super::AppState;
use crate::error::Error;
use crate::state::{Action, Phase};

impl AppState {
    /// Shows an error. After some, a retry loads the model again: a worker never gives memory back, and a file that is
    /// missing or different may mean that the server has another model.
    pub(super) fn fail(&mut self, error: Error) -> Vec<Action> {
        let needs_reload =
            matches!(error, Error::OutOfMemory { .. } | Error::Damaged { .. } | Error::Refused { .. });
        self.note_failure_in_batch(&error);
        self.end_failed_search(&error);
        self.is_loaded &= !needs_reload || self.is_on_server;
        self.answer = None;
        self.phase = Phase::Failed(error);
        Vec::new()
    }

    pub(super) fn retry(&mut self) -> Vec<Action> {
        match (&self.phase, self.failed_sample) {
            (Phase::Failed(_), _) if self.models.is_empty() => self.list_models(),
            (Phase::Failed(_), _) if !self.is_loaded => self.load(self.chosen_model),
            (Phase::Failed(_), _) | (_, None) => self.accept_input(),
            (_, Some(sample)) => self.fetch_sample(sample),
        }
    }

    /// Repeats what failed for want of a network; another error needs the visitor.
    pub(super) fn retry_after_outage(&mut self) -> Vec<Action> {
        match self.phase {
            Phase::Failed(Error::Unreachable { .. } | Error::Timeout { .. }) => self.retry(),
            _ => Vec::new(),
        }
    }
}
