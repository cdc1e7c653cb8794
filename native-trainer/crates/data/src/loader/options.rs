//! How batches are made, and which rows come in which order.

use super::batch::Position;
use crate::augment::Augmentation;
use crate::ontology_sampling::OntologySampling;
use crate::samples::Transform;
use dermake_collectives::even_share;
use serde::{Deserialize, Serialize};
use std::ops::Range;

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
    /// How training batches bring related diagnoses together; without it, batches are random.
    pub ontology_sampling: Option<OntologySampling>,
    /// Which of `n_ranks` loaders this one is: of a training batch it makes an even part of the rows, of an evaluation
    /// every `n_ranks`-th batch.
    pub rank: usize,
    pub n_ranks: usize,
}

impl Default for LoaderOptions {
    fn default() -> Self {
        Self {
            batch_size: 64,
            n_workers: 0,
            prefetch_batches: 2,
            max_bad_share: 0.01,
            n_captions: None,
            ontology_sampling: None,
            rank: 0,
            n_ranks: 1,
        }
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

impl LoaderOptions {
    /// Rows of a training batch that this loader makes.
    pub fn n_training_rows(&self) -> usize {
        even_share(self.batch_size, self.rank, self.n_ranks).len()
    }

    /// The rows of a batch of `n_rows` that this loader makes.
    pub(super) fn rows_of_batch(&self, n_rows: usize, pass: &Pass) -> Range<usize> {
        match pass {
            Pass::Training { .. } => even_share(n_rows, self.rank, self.n_ranks),
            Pass::Evaluation => 0..n_rows,
        }
    }
}

impl Pass {
    /// The first batch from `start` on that this loader makes, and how many further each next one is.
    pub(super) fn batches(&self, start: Position, options: &LoaderOptions) -> (Position, usize) {
        match self {
            Self::Training { .. } => (start, 1),
            Self::Evaluation => (Position { batch: start.batch + options.rank, ..start }, options.n_ranks),
        }
    }

    pub(super) fn transform(&self) -> Transform {
        match *self {
            Self::Training { augmentation, seed, .. } => Transform::Training { augmentation, seed },
            Self::Evaluation => Transform::Evaluation,
        }
    }
}
