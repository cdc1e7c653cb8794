//! The start of a worker: which build of its program, and whether it makes progress.

use super::{Action, AppState, Phase, StartStep};
use crate::error::Error;

/// Seconds without a message from a starting worker after which it is given up.
pub const START_TIMEOUT_SECS: u32 = 15;

/// Progress of the worker's start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct WorkerStart {
    /// Builds to try one after the other, the best first.
    builds: Vec<String>,
    /// Index of the build that starts or runs.
    build: usize,
    /// Grows with every step, so that the timeout of an earlier step is recognized.
    step: StartStep,
    is_over: bool,
}

impl WorkerStart {
    pub(super) fn new(builds: Vec<String>) -> Self {
        Self { builds, ..Self::default() }
    }

    pub(super) fn begin(&mut self) {
        self.step += 1;
        self.is_over = false;
    }

    /// Records progress; returns the step to watch next, `None` if the start is over.
    pub(super) fn advance(&mut self) -> Option<StartStep> {
        self.step += 1;
        (!self.is_over).then_some(self.step)
    }

    /// Ends the start; returns whether threads failed to start before this build did.
    pub(super) fn finish(&mut self) -> bool {
        self.is_over = true;
        self.have_threads_failed()
    }

    pub(super) fn step(&self) -> StartStep {
        self.step
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn is_at(&self, step: StartStep) -> bool {
        !self.is_over && self.step == step
    }

    /// Switches to the next build; returns whether there is one. If not, the next start begins with the first build.
    pub(super) fn use_next_build(&mut self) -> bool {
        let has_next = self.build + 1 < self.builds.len();
        self.build = if has_next { self.build + 1 } else { 0 };
        has_next
    }

    fn have_threads_failed(&self) -> bool {
        let has_threads = |build: &String| build.starts_with("threads");
        let (tried, rest) = self.builds.split_at(self.build.min(self.builds.len()));
        tried.iter().any(has_threads) && !rest.first().is_some_and(has_threads)
    }
}

impl AppState {
    /// The build of the worker's program to start, by its name in `workers.sh`.
    pub fn build(&self) -> Option<&str> {
        self.start.builds.get(self.start.build).map(String::as_str)
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
        self.start.is_over && self.start.have_threads_failed()
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
