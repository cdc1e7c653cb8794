//! The pre-norm transformer that both towers are made of.
//!
//! Block: `x + attention(ln_1(x))`, then `x + mlp(ln_2(x))`, as open_clip's `ResidualAttentionBlock`.

use crate::Result;
use crate::config::Activation;
use crate::linear::Linear;
use crate::weights::{Placement, Weights};
use candle_core::{D, Module, Tensor};
use candle_nn::LayerNorm;

/// Epsilon of every layer norm.
const LAYER_NORM_EPS: f64 = 1e-5;

/// Sees the activations of a forward pass by stage name: `conv1`, `ln_pre`, `block0`, ..., `ln_post`, `ln_final`.
pub type Observer<'a> = &'a mut dyn FnMut(&str, &Tensor);

/// `resblocks`.
pub(crate) struct Transformer {
    blocks: Vec<Block>,
}

/// Sizes of a [`Transformer`].
pub(crate) struct TransformerConfig {
    pub layers: usize,
    pub heads: usize,
    pub activation: Activation,
}

impl Transformer {
    pub fn load(
        weights: &Weights,
        prefix: &str,
        config: &TransformerConfig,
        placement: &Placement,
    ) -> Result<Self> {
        let block = |layer| Block::load(weights, &format!("{prefix}.{layer}"), config, placement);
        Ok(Self { blocks: (0..config.layers).map(block).collect::<Result<_>>()? })
    }

    /// # Shapes
    /// - `x`: `[B, N, D]`
    /// - `mask`: `[N, N]`, added to the attention logits
    /// - returns `[B, N, D]`
    pub fn forward(&self, x: Tensor, mask: Option<&Tensor>, observe: Observer<'_>) -> Result<Tensor> {
        let mut x = x;
        for (layer, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, mask)?;
            observe(&format!("block{layer}"), &x);
        }
        Ok(x)
    }
}

struct Block {
    ln_1: LayerNorm,
    attention: Attention,
    ln_2: LayerNorm,
    mlp: Mlp,
}

impl Block {
    fn load(weights: &Weights, prefix: &str, config: &TransformerConfig, placement: &Placement) -> Result<Self> {
        Ok(Self {
            ln_1: layer_norm(weights, &format!("{prefix}.ln_1"), placement)?,
            attention: Attention::load(weights, &format!("{prefix}.attn"), config.heads, placement)?,
            ln_2: layer_norm(weights, &format!("{prefix}.ln_2"), placement)?,
            mlp: Mlp::load(weights, &format!("{prefix}.mlp"), config.activation, placement)?,
        })
    }

    fn forward(&self, x: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let x = (x + self.attention.forward(&self.ln_1.forward(x)?, mask)?)?;
        Ok((&x + self.mlp.forward(&self.ln_2.forward(&x)?)?)?)
    }
}

/// Multi-head self-attention with the fused input projection of `torch.nn.MultiheadAttention`.
struct Attention {
    in_proj: Linear,
    out_proj: Linear,
    heads: usize,
}

impl Attention {
    fn load(weights: &Weights, prefix: &str, heads: usize, placement: &Placement) -> Result<Self> {
        let in_bias = format!("{prefix}.in_proj_bias");
        let in_proj = Linear::load(weights, &format!("{prefix}.in_proj_weight"), Some(&in_bias), placement)?;
        Ok(Self { in_proj, out_proj: biased(weights, &format!("{prefix}.out_proj"), placement)?, heads })
    }

    fn forward(&self, x: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (batch, n_tokens, width) = x.dims3()?;
        let head_width = width / self.heads;
        let qkv = self.in_proj.forward(x)?.reshape((batch, n_tokens, 3, self.heads, head_width))?;
        // [B, N, H, W] to [B, H, N, W]
        let part =
            |index| -> Result<Tensor> { Ok(qkv.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous()?) };
        let (query, key, value) = (part(0)?, part(1)?, part(2)?);
        let logits = (query * (head_width as f64).powf(-0.5))?.matmul(&key.t()?)?; // [B, H, N, N]
        let logits = match mask {
            Some(mask) => logits.broadcast_add(mask)?,
            None => logits,
        };
        let attended = candle_nn::ops::softmax_last_dim(&logits)?.matmul(&value)?;
        self.out_proj.forward(&attended.transpose(1, 2)?.reshape((batch, n_tokens, width))?)
    }
}

struct Mlp {
    c_fc: Linear,
    c_proj: Linear,
    activation: Activation,
}

impl Mlp {
    fn load(weights: &Weights, prefix: &str, activation: Activation, placement: &Placement) -> Result<Self> {
        let c_fc = biased(weights, &format!("{prefix}.c_fc"), placement)?;
        let c_proj = biased(weights, &format!("{prefix}.c_proj"), placement)?;
        Ok(Self { c_fc, c_proj, activation })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.c_fc.forward(x)?;
        let hidden = match self.activation {
            Activation::QuickGelu => (&hidden * candle_nn::ops::sigmoid(&(&hidden * 1.702)?)?)?,
            Activation::Gelu => hidden.gelu_erf()?,
        };
        self.c_proj.forward(&hidden)
    }
}

fn biased(weights: &Weights, prefix: &str, placement: &Placement) -> Result<Linear> {
    Linear::load(weights, &format!("{prefix}.weight"), Some(&format!("{prefix}.bias")), placement)
}

pub(crate) fn layer_norm(weights: &Weights, prefix: &str, placement: &Placement) -> Result<LayerNorm> {
    let weight = weights.tensor(&format!("{prefix}.weight"), placement)?;
    let bias = weights.tensor(&format!("{prefix}.bias"), placement)?;
    Ok(LayerNorm::new(weight, bias, LAYER_NORM_EPS))
}

/// Divides the last axis by its L2 norm, at least 1e-12, as `torch.nn.functional.normalize`.
///
/// # Shapes
/// - `x`: `[.., E]`; returns the same shape, rows of unit length (a zero row stays zero)
pub fn unit_length(x: &Tensor) -> Result<Tensor> {
    let norm = x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.maximum(1e-12)?;
    Ok(x.broadcast_div(&norm)?)
}
