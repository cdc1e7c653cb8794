//! How batches are made, and which rows come in which order.

use crate::augment::Augmentation;
use crate::samples::Transform;
use serde::{Deserialize, Serialize};

/// Options of the loader.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoaderOptions {
    /// Rows of a batch, B.
    pub batch_size: usize,
    /// Threads that decode and augment; 0 is one for each core.
    pub n_workers: usize,
    /// Batches that are unfinished or waiting, at least 1. Each takes 3 B S² bytes: 308 MB at B = 2048 and S = 224.
    pub prefetch_batches: usize,
    /// Share of the table's rows that may be bad before the run stops.
    pub max_bad_share: f64,
    /// Captions of a row that come into a batch, from the first on; without it, all.
    pub n_captions: Option<usize>,
}

impl Default for LoaderOptions {
    fn default() -> Self {
        Self { batch_size: 64, n_workers: 0, prefetch_batches: 2, max_bad_share: 0.01, n_captions: None }
    }
}

/// Which rows come in which order, and how often.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pass {
    /// Shuffled epochs, the incomplete last batch of each left out; rows are replaced if bad.
    Training { augmentation: Augmentation, seed: u64, epochs: usize },
    /// The table once, in its order, complete.
    Evaluation,
}

impl Pass {
    pub(super) fn transform(&self) -> Transform {
        match *self {
            Self::Training { augmentation, seed, .. } => Transform::Training { augmentation, seed },
            Self::Evaluation => Transform::Evaluation,
        }
    }
}
