//! Retries of requests to a hub.

use std::error::Error as _;
use std::time::Duration;

use super::answer::Answer;
use super::error::{Error, Result};
use super::settings::HubSettings;

/// How often a request is tried, and how long it may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryPolicy {
    /// Attempts in a row without progress after which a request fails.
    n_attempts: u32,
    /// Longest pause that a server may ask for.
    max_wait: Duration,
}

impl RetryPolicy {
    /// For requests without a cached copy. The windows of the public hub's rates have 300 s.
    pub(super) const LONG_WAITS: Self = Self { n_attempts: 5, max_wait: Duration::from_secs(300) };
    /// For downloads that a cached copy can replace.
    pub(super) const SHORT_WAITS: Self = Self { n_attempts: 5, max_wait: Duration::from_secs(60) };
    /// For the index, if a cached copy can replace it.
    pub(super) const NO_RETRY: Self = Self { n_attempts: 1, max_wait: Duration::ZERO };
}

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again can help.
    Passing {
        error: Box<Error>,
        /// The pause that the server asks for.
        retry_after: Option<Duration>,
        /// Whether the attempt downloaded a part of the file, where the next one continues.
        has_progress: bool,
    },
    Final(Box<Error>),
}

impl Failure {
    pub(super) fn passing(error: Error) -> Self {
        Self::Passing { error: error.into(), retry_after: None, has_progress: false }
    }

    /// Of an answer with a status that may be another one later.
    pub(super) fn passing_answer(error: Error, answer: &Answer) -> Self {
        Self::Passing { error: error.into(), retry_after: answer.retry_after(), has_progress: false }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error.into())
    }
}

/// Calls `attempt` until it succeeds, or fails with an error that a retry cannot help, too often without progress, or
/// with too long a `Retry-After`. The wait before the next attempt doubles each time.
pub(super) fn retry<T>(
    settings: &HubSettings,
    policy: RetryPolicy,
    mut attempt: impl FnMut() -> Result<T, Failure>,
) -> Result<T> {
    let mut n_failed = 0;
    loop {
        let (error, retry_after, has_progress) = match attempt() {
            Ok(value) => return Ok(value),
            Err(Failure::Final(error)) => return Err(*error),
            Err(Failure::Passing { error, retry_after, has_progress }) => (error, retry_after, has_progress),
        };
        n_failed = if has_progress { 1 } else { n_failed + 1 };
        let pause = retry_after.unwrap_or_default();
        if n_failed >= policy.n_attempts || pause > policy.max_wait {
            return Err(*error);
        }
        let wait = pause.max(settings.retry_wait * 2_u32.pow(n_failed - 1));
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        tracing::warn!("{cause}; waiting {:.0} s before the next try", wait.as_secs_f32());
        std::thread::sleep(wait);
    }
}
