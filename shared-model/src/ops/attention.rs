//! Multi-head self-attention, from the fused projection to the heads' joined outputs.

use super::{has_fused_form, values};
use crate::Result;
use crate::fused::{self, Heads};
use candle_core::{CpuStorage, CustomOp1, D, DType, Device, Layout, Shape, Tensor};

/// `softmax(Q K^T / sqrt(width of a head)) V` for every head.
///
/// # Shapes
/// - `qkv`: `[B, N, 3 D]`, queries, keys and values behind one another, each `heads` heads of width D / heads
/// - `starts`: the first token of each sequence and behind them the number of all, for sequences of different lengths
///   in a batch of one; `None` where each row of the batch is a sequence
/// - returns `[B, N, D]`
///
/// With `is_causal`, a token sees itself and the tokens before it.
pub(crate) fn attention(qkv: &Tensor, starts: Option<&[usize]>, heads: usize, is_causal: bool) -> Result<Tensor> {
    if has_fused_form(qkv) {
        let width = qkv.dim(D::Minus1)? / 3 / heads.max(1);
        let heads = Heads { count: heads, width, is_causal };
        return Ok(qkv.contiguous()?.apply_op1_no_bwd(&AttentionOp { heads, starts })?);
    }
    let Some(starts) = starts else { return composite(qkv, heads, is_causal) };
    let sequences = starts.windows(2).filter(|pair| pair[0] < pair[1]);
    let joined = sequences.map(|pair| composite(&qkv.narrow(1, pair[0], pair[1] - pair[0])?, heads, is_causal));
    Ok(Tensor::cat(&joined.collect::<Result<Vec<_>>>()?, 1)?)
}

pub(super) fn composite(qkv: &Tensor, heads: usize, is_causal: bool) -> Result<Tensor> {
    let (batch, n_tokens, fused_width) = qkv.dims3()?;
    let width = fused_width / 3;
    let head_width = width / heads;
    let qkv = qkv.reshape((batch, n_tokens, 3, heads, head_width))?;
    // [B, N, H, W] to [B, H, N, W]
    let part =
        |index| -> Result<Tensor> { Ok(qkv.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous()?) };
    let (query, key, value) = (part(0)?, part(1)?, part(2)?);
    let logits = (query * (head_width as f64).powf(-0.5))?.matmul(&key.t()?)?; // [B, H, N, N]
    let logits = match is_causal {
        true => logits.broadcast_add(&causal_mask(n_tokens, logits.dtype(), logits.device())?)?,
        false => logits,
    };
    let weights = match logits.track_op() {
        true => candle_nn::ops::softmax(&logits, D::Minus1)?,
        false => candle_nn::ops::softmax_last_dim(&logits)?,
    };
    Ok(weights.matmul(&value)?.transpose(1, 2)?.reshape((batch, n_tokens, width))?)
}

/// `[N, N]`: -inf above the diagonal, else 0.
fn causal_mask(n_tokens: usize, dtype: DType, device: &Device) -> Result<Tensor> {
    let mask: Vec<f32> = (0..n_tokens * n_tokens)
        .map(|index| if index % n_tokens > index / n_tokens { f32::NEG_INFINITY } else { 0.0 })
        .collect();
    Ok(Tensor::from_vec(mask, (n_tokens, n_tokens), device)?.to_dtype(dtype)?)
}

struct AttentionOp<'a> {
    heads: Heads,
    starts: Option<&'a [usize]>,
}

impl CustomOp1 for AttentionOp<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, n_tokens, fused_width) = layout.shape().dims3()?;
        let Self { heads, starts } = self;
        let width = heads.count * heads.width;
        let n_started = starts.map_or(n_tokens, |starts| starts.last().copied().unwrap_or(0));
        if width == 0 || fused_width != 3 * width || n_started != n_tokens || (starts.is_some() && batch != 1) {
            candle_core::bail!("attention with {} heads on {:?}", heads.count, layout.shape());
        }
        let mut joined = vec![0f32; batch * n_tokens * width];
        let equal = starts.map_or_else(|| equal_starts(batch, n_tokens), <[usize]>::to_vec);
        fused::attention(values::slice(qkv, layout)?, &equal, *heads, &mut joined, None);
        Ok((CpuStorage::F32(joined), Shape::from((batch, n_tokens, width))))
    }
}

/// The first token of each of `batch` sequences of one length, and behind them the number of all tokens.
pub(super) fn equal_starts(batch: usize, n_tokens: usize) -> Vec<usize> {
    (0..=batch).map(|sequence| sequence * n_tokens).collect()
}
