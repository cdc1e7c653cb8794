//! The start of a worker: which build of its program, and whether it makes progress.

/// Number of a step of the worker's start.
pub type StartStep = u32;

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
    /// Whether every build was given up. The next start begins with the first build, unless the last one starts yet.
    has_failed: bool,
}

impl WorkerStart {
    pub(super) fn new(builds: Vec<String>) -> Self {
        Self { builds, ..Self::default() }
    }

    pub(super) fn begin(&mut self) {
        self.step += 1;
        self.is_over = false;
        if std::mem::take(&mut self.has_failed) {
            self.build = 0;
        }
    }

    /// Records progress; returns the step to watch next, `None` if the start is over.
    pub(super) fn advance(&mut self) -> Option<StartStep> {
        self.step += 1;
        (!self.is_over).then_some(self.step)
    }

    /// Ends the start; returns whether threads failed to start before this build did.
    pub(super) fn finish(&mut self) -> bool {
        (self.is_over, self.has_failed) = (true, false);
        self.have_threads_failed()
    }

    /// The build that starts or runs.
    pub(super) fn build(&self) -> Option<&str> {
        self.builds.get(self.build).map(String::as_str)
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

    /// Switches to the next build; returns whether there is one. If not, the start has failed.
    pub(super) fn use_next_build(&mut self) -> bool {
        let has_next = self.build + 1 < self.builds.len();
        match has_next {
            true => self.build += 1,
            false => self.has_failed = true,
        }
        has_next
    }

    /// Whether threads failed to start before this build did.
    pub(super) fn have_threads_failed(&self) -> bool {
        let has_threads = |build: &String| build.starts_with("threads");
        let (tried, rest) = self.builds.split_at(self.build.min(self.builds.len()));
        tried.iter().any(has_threads) && !rest.first().is_some_and(has_threads)
    }
}
