//! A batch, and its place in a run.

use candle_core::Tensor;
use dermake_objective::Captions;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A place in a run: the batch that comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The first epoch is 0.
    pub epoch: usize,
    /// The first batch of an epoch is 0.
    pub batch: usize,
}

/// B rows, ready for the model; with several loaders, the part that this one makes.
pub struct Batch {
    /// Its own place in the run.
    pub position: Position,
    /// Rows of the table, B of them.
    pub rows: Vec<usize>,
    /// u8 `[B, 3, S, S]` on the CPU, RGB; normalized where the model computes.
    pub pixels: Tensor,
    /// Which caption each position holds, and whether it counts.
    pub captions: Captions,
    /// The distinct captions in the order of their first position, up to their end tokens.
    pub input_ids: Vec<Vec<u32>>,
    /// Rows that were found bad since the batch before.
    pub bad_rows: Vec<usize>,
    /// Time that [`Loader::next_batch`](super::Loader::next_batch) waited for it.
    pub waited: Duration,
}
