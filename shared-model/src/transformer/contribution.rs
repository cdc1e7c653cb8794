//! What each patch adds to the class token through the attention of a block, along one direction.
//!
//! Attention adds `sum_h sum_i a_hi W_O,h (W_V,h y_i + b_V,h)` to the class token, with `y` the normalized tokens and
//! `a_h` the class token's attention weights. So each patch has a share of its own (Gandelsman et al., "Interpreting
//! CLIP's Image Representation via Text-Based Decomposition", arXiv 2310.05916, equation 6). Along a direction u, no
//! queries, keys and values of all tokens are needed: with `r_h = W_K,h^T q_h` and `s_h = W_V,h^T W_O,h^T u`, the logits
//! are `r_h . y_i` and the shares `a_hi (s_h . y_i)`.
//!
//! The values of a head may be moved by a constant that the output's bias takes back, since the weights of attention add
//! up to one; the calibration of quantized models does so. A share that such a constant changes says nothing of the
//! patch, so the mean of the patches' values is taken away in each head, and biases are left out.

use super::block::Block;
use crate::fused::{self, Heads};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};

impl Block {
    /// What each token but the first adds to the dot product of the first token and `direction` through attention.
    ///
    /// # Shapes
    /// - `x`: `[1, N, D]`, the input of the block
    /// - `direction`: `[D]`; returns `[N - 1]`
    pub(super) fn contributions(&self, x: &Tensor, direction: &[f32]) -> Result<Vec<f32>> {
        let (batch, n_tokens, width) = x.dims3()?;
        let (norm, attention) = self.attention();
        let n_heads = attention.heads;
        if batch != 1 || n_heads == 0 || !width.is_multiple_of(n_heads) || direction.len() != width {
            let detail = format!("contributions to {} values of {:?}", direction.len(), x.dims());
            return Err(Error::Tensor(candle_core::Error::Msg(detail)));
        }
        let normalized = norm.forward(x)?;
        let first = attention.in_proj.forward(&normalized.narrow(1, 0, 1)?.contiguous()?)?;
        let query = &on_cpu(&first)?[..width];
        let joined = attention.out_proj.weighted_rows(0, direction, 1)?;
        // Rows of both are one vector for each head: they give the logits and the values of all tokens.
        let mut directions = attention.in_proj.weighted_rows(width, query, n_heads)?;
        directions.extend(attention.in_proj.weighted_rows(2 * width, &joined, n_heads)?);
        let products = fused::linear(&on_cpu(&normalized)?, &directions, 2 * n_heads, None, None);
        let heads = Heads { count: n_heads, width: width / n_heads, is_causal: false };
        Ok(shares(&products, n_tokens, heads))
    }
}

/// Weighs the values of each head by its attention.
///
/// # Shapes
/// - `products`: `[N, 2, H]`, logits before their scale, then values
/// - returns `[N - 1]`
fn shares(products: &[f32], n_tokens: usize, heads: Heads) -> Vec<f32> {
    let n_heads = heads.count;
    let column = |at: usize| products.iter().skip(at).step_by(2 * n_heads);
    let mut sums = vec![0f32; n_tokens.saturating_sub(1)];
    for head in 0..n_heads {
        let mut weights: Vec<f32> = column(head).map(|logit| logit * heads.scale()).collect();
        fused::softmax(&mut weights);
        let values: Vec<f32> = column(n_heads + head).skip(1).copied().collect();
        let mean = values.iter().sum::<f32>() / values.len().max(1) as f32;
        for (sum, (weight, value)) in sums.iter_mut().zip(weights[1..].iter().zip(&values)) {
            *sum += weight * (value - mean);
        }
    }
    sums
}

/// Returns all values of a tensor of any dtype and device, row by row.
pub(crate) fn on_cpu(x: &Tensor) -> Result<Vec<f32>> {
    Ok(x.flatten_all()?.to_dtype(DType::F32)?.to_device(&Device::Cpu)?.to_vec1()?)
}
