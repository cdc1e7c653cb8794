//! The scale that a model learned for its logits.

use crate::weights::{Placement, Weights};
use crate::{Error, Result};
use candle_core::DType;

/// The tensor of the scale's logarithm.
const LOGIT_SCALE: &str = "logit_scale";

/// Returns the scale, if the files of a model have it.
///
/// # Errors
/// When the tensor is no finite number.
pub(super) fn logit_scale_of(weights: &Weights) -> Result<Option<f32>> {
    if weights.stored(LOGIT_SCALE).is_err() {
        return Ok(None);
    }
    let on_cpu = Placement { dtype: DType::F32, ..Placement::default() };
    let log_scale: Vec<f32> = weights.tensor(LOGIT_SCALE, &on_cpu)?.flatten_all()?.to_vec1()?;
    match log_scale.first() {
        Some(log_scale) if !log_scale.exp().is_finite() => Err(Error::LogitScale { found: *log_scale }),
        log_scale => Ok(log_scale.map(|log_scale| log_scale.exp())),
    }
}
