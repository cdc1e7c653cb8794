//! A worker is started for the chosen model, build after build.

use super::AppState;
use crate::error::Error;
use crate::state::{Action, Phase, StartStep};

impl AppState {
    /// The build of the worker's program to start, by its name in `workers.sh`.
    pub fn build(&self) -> Option<&str> {
        self.start.build()
    }

    /// The current step of the worker's start.
    pub fn start_step(&self) -> StartStep {
        self.start.step()
    }

    /// Whether the worker's start has made no progress since this step.
    pub fn is_waiting_for_start(&self, step: StartStep) -> bool {
        self.start.is_at(step)
    }

    /// Whether the model runs on one core because threads did not start.
    pub fn have_threads_failed(&self) -> bool {
        self.start.is_over() && self.start.have_threads_failed()
    }

    /// Loads a model in a new worker: the memory of the old model is freed, and a worker that runs the model here can
    /// never send photos.
    pub(super) fn load(&mut self, index: usize) -> Vec<Action> {
        self.chosen_model = index;
        self.is_on_server &= self.offers_server();
        (self.is_loaded, self.is_model_stored, self.is_text_stored) = (false, false, false);
        self.start.begin();
        self.model = None;
        self.answer = None;
        self.phase = Phase::Loading(None);
        self.next_request_id();
        vec![Action::StartWorker]
    }

    /// Starts the next build that this browser may run; without one, the start has failed.
    pub(super) fn start_next_build(&mut self, error: Error) -> Vec<Action> {
        if self.start.use_next_build() {
            return self.load(self.chosen_model);
        }
        self.fail(error);
        vec![Action::CheckVersion]
    }

    pub(super) fn handle_worker_failure(&mut self, detail: String) -> Vec<Action> {
        self.is_loaded = false;
        if self.start.is_over() {
            self.fail(Error::WorkerCrashed { detail })
        } else {
            self.start_next_build(Error::WorkerNotStarted { detail })
        }
    }
}
