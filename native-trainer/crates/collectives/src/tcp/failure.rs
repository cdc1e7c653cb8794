//! The first failure of another rank, and the end of this process because of it.

use crate::error::RankError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time that this process has to end by itself after another rank has ended.
const TO_END: Duration = Duration::from_secs(5);
/// Time in which a receiving thread reports why a connection ended.
const TO_REPORT: Duration = Duration::from_millis(500);
/// Time in which the word of a rank that failed may come after the end of one that was told of it earlier.
const TO_LEARN_WHY: Duration = Duration::from_millis(250);

/// Called when another rank has ended and this process did not end by itself within a few seconds.
pub type OnLost = fn(&RankError);

pub struct Failure {
    first: Mutex<Option<RankError>>,
    /// Whether this rank is ending.
    has_ended: AtomicBool,
    on_lost: OnLost,
}

impl Failure {
    pub fn new(on_lost: OnLost) -> Self {
        Self { first: Mutex::new(None), has_ended: AtomicBool::new(false), on_lost }
    }

    /// Returns the failure of another rank, if there is one.
    pub fn found(&self) -> Option<RankError> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, after a short wait for it.
    pub fn soon_found(&self) -> Option<RankError> {
        self.found_within(TO_REPORT)
    }

    fn found_within(&self, time: Duration) -> Option<RankError> {
        const N_LOOKS: u32 = 50;
        for _ in 0..N_LOOKS {
            if let Some(failure) = self.found() {
                return Some(failure);
            }
            std::thread::sleep(time / N_LOOKS);
        }
        None
    }

    /// Notes that this rank is ending: the end of others is no failure from now on.
    pub fn end(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
    }

    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }

    /// Notes a failure, and ends this process unless it ends by itself. Only the first failure counts: others follow
    /// from it. A rank that says why it failed counts before one that only went.
    pub fn report(self: &Arc<Self>, error: RankError) {
        if self.has_ended() {
            return;
        }
        let is_explained = matches!(error, RankError::Lost { .. }) && self.found_within(TO_LEARN_WHY).is_some();
        if is_explained || self.has_ended() {
            return;
        }
        {
            let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
            if first.is_some() {
                return;
            }
            *first = Some(error.clone());
        }
        std::thread::sleep(TO_END);
        if !self.has_ended() {
            (self.on_lost)(&error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_that_says_why_it_failed_counts_before_one_that_only_went() {
        let failure = Arc::new(Failure::new(|_| ()));
        let report = |error: RankError| {
            let failure = Arc::clone(&failure);
            std::thread::spawn(move || failure.report(error));
        };
        report(RankError::Lost { rank: 2, cause: "closed".into() });
        std::thread::sleep(TO_LEARN_WHY / 5);
        assert!(failure.found().is_none(), "why the rank went may still be said");
        report(RankError::Failed { rank: 1, message: "the disk is full".into() });
        assert!(matches!(failure.soon_found(), Some(RankError::Failed { rank: 1, .. })));
        std::thread::sleep(TO_LEARN_WHY);
        assert!(matches!(failure.found(), Some(RankError::Failed { rank: 1, .. })));
        failure.end();
    }
}
