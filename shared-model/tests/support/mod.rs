//! Weights that tests make.

use candle_core::Tensor;
use shared_model::weights::{StoredTensor, Weights};

/// Returns a checkpoint with these tensors.
pub fn checkpoint(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Weights {
    let stored = |(name, tensor)| (name, StoredTensor::from_tensor(&tensor).unwrap());
    Weights::from_stored(tensors.into_iter().map(stored))
}
