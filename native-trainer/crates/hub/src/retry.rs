//! Retries of requests to a hub.

use std::error::Error as _;
use std::time::Duration;

use super::error::{Error, Result};
use super::settings::HubSettings;

/// Tries in a row that bring nothing new before a request is given up.
pub(super) const ATTEMPTS: u32 = 5;

/// Longest wait that a server's `Retry-After` is given.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Why a try brought no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again can help.
    Passing {
        error: Box<Error>,
        /// The server's `Retry-After`.
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
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error.into())
    }
}

/// Calls `attempt` until it succeeds, fails for good, or has failed `n_attempts` times without progress. The wait
/// before the next try doubles each time.
pub(super) fn retry<T>(
    settings: &HubSettings,
    n_attempts: u32,
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
        if n_failed >= n_attempts {
            return Err(*error);
        }
        let wait = settings.retry_wait * 2_u32.pow(n_failed - 1);
        let wait = wait.max(retry_after.unwrap_or_default().min(MAX_WAIT));
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        tracing::warn!("{cause}; trying again in {:.0} s", wait.as_secs_f32());
        std::thread::sleep(wait);
    }
}
