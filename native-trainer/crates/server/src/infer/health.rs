//! Whether a model still computes. A GPU may refuse everything after one error, until the process starts again.

use std::sync::atomic::{AtomicU32, Ordering};

use super::error::Error;
use super::queue::Feature;

/// Failed batches in a row from which on the model counts as failing.
const LIMIT: u32 = 3;

/// Counts batches in a row that failed.
#[derive(Default)]
pub(super) struct Health {
    n_failed: AtomicU32,
}

impl Health {
    /// Counts a batch. One with a good answer sets the count back.
    pub(super) fn count(&self, answers: &[Result<Feature, Error>]) {
        if answers.iter().any(Result::is_ok) {
            self.n_failed.store(0, Ordering::Relaxed);
        } else if answers.iter().all(|answer| matches!(answer, Err(Error::Failed))) {
            self.n_failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.n_failed.load(Ordering::Relaxed) >= LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failed_batches_in_a_row_are_a_failing_model_until_one_is_good() {
        let health = Health::default();
        for _ in 0..2 {
            health.count(&[Err(Error::Failed), Err(Error::Failed)]);
        }
        health.count(&[Err(Error::Failed), Ok(vec![1.0])]);
        health.count(&[Err(Error::Failed)]);
        health.count(&[Err(Error::NotFinite)]);
        health.count(&[Err(Error::Failed)]);
        assert!(!health.is_failing());
        health.count(&[Err(Error::Failed)]);
        assert!(health.is_failing());
        health.count(&[Ok(vec![1.0])]);
        assert!(!health.is_failing());
    }
}
