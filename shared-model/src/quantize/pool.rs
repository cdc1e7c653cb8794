//! Quantizes the keys and values of an attention pool for the tokens that leave the blocks.
//!
//! Its other layers compute one row an image: too few to calibrate on.

use super::block::Matrix;
use super::grid::Grid;
use super::layer::Task;
use super::{Options, QuantizedTower};
use crate::Result;
use crate::config::{VisionConfig, VisionPooling};
use crate::kernels::int8::Rounding;
use crate::pooling::{ATTENTION_POOL_KV, Pooling};
use crate::weights::code_bits::CodeBits;
use crate::weights::{Placement, Weights};
use candle_core::Tensor;

/// Tokens as they leave the blocks, `[B, N, D]`.
pub(super) struct Tokens<'a> {
    /// In the dense model.
    pub dense: &'a Tensor,
    /// Behind quantized blocks.
    pub quantized: &'a Tensor,
}

/// Replaces the keys' and values' weight and bias of a tower that pools by attention.
///
/// # Errors
/// A pool that is missing or quantized already.
pub(super) fn quantize(
    weights: &Weights,
    config: &VisionConfig,
    tokens: Tokens<'_>,
    options: Options,
    tower: &mut QuantizedTower,
) -> Result<()> {
    if config.pooling != VisionPooling::Attention {
        return Ok(());
    }
    let names = ["weight", "bias"].map(|part| format!("{ATTENTION_POOL_KV}.{part}"));
    let matrix = Matrix::load(weights, &names)?;
    if !Grid::fits(options.format, matrix.bias.len(), matrix.n_in()) {
        return Ok(()); // it is f16
    }
    let pooling = Pooling::load(weights, config, &Placement::default())?;
    let inputs = |tokens| -> Result<Vec<f32>> { Ok(pooling.normalize(tokens)?.flatten_all()?.to_vec1()?) };
    let (dense_inputs, inputs) = (inputs(tokens.dense)?, inputs(tokens.quantized)?);
    let task = Task {
        layer: &matrix,
        dense_inputs: &dense_inputs,
        inputs,
        exponents: None,
        rounding: Rounding::default(),
        code_bits: CodeBits::Four,
        options,
    };
    let rounded = task.run();
    tower.remove(&names);
    rounded.store(&names, (&matrix, None), options.format, tower)?;
    Ok(())
}
