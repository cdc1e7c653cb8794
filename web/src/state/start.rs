//! The start of a worker: which build of its program, and whether it still goes on.

use super::{AppState, StartStep};

/// A start of which nothing is heard for so many seconds hangs.
pub const START_SECS: u32 = 15;

/// Where the start of the worker is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct WorkerStart {
    /// To be tried one after the other, the best first.
    builds: Vec<String>,
    /// The one that is tried or runs.
    build: usize,
    /// Never the same twice, so that a step that was waited for is known to be over.
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

    /// The step to wait for next, if the start is not over.
    pub(super) fn go_on(&mut self) -> Option<StartStep> {
        self.step += 1;
        (!self.is_over).then_some(self.step)
    }

    /// Answers whether threads did not start, and only a build without them did.
    pub(super) fn finish(&mut self) -> bool {
        self.is_over = true;
        self.has_lost_threads()
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn waits_at(&self, step: StartStep) -> bool {
        !self.is_over && self.step == step
    }

    /// Answers whether there is one; if not, the next start begins with the first.
    pub(super) fn take_next_build(&mut self) -> bool {
        let has_next = self.build + 1 < self.builds.len();
        self.build = if has_next { self.build + 1 } else { 0 };
        has_next
    }

    fn has_lost_threads(&self) -> bool {
        let has_threads = |build: &String| build.starts_with("threads");
        let (tried, rest) = self.builds.split_at(self.build.min(self.builds.len()));
        tried.iter().any(has_threads) && !rest.first().is_some_and(has_threads)
    }
}

impl AppState {
    /// The build of the worker's program to start, as `workers.sh` names it.
    pub fn build(&self) -> Option<&str> {
        self.start.builds.get(self.start.build).map(String::as_str)
    }

    /// The step of the worker's start that is waited for.
    pub fn start_step(&self) -> StartStep {
        self.start.step
    }

    /// Whether nothing was heard of the worker's start since this step of it.
    pub fn awaits_start(&self, step: StartStep) -> bool {
        self.start.waits_at(step)
    }

    /// Whether the model computes on one core because threads did not start.
    pub fn has_lost_threads(&self) -> bool {
        self.start.is_over && self.start.has_lost_threads()
    }
}
