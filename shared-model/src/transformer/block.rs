//! A block is `x + attention(ln_1(x))`, then `x + mlp(ln_2(x))`, as open_clip's `ResidualAttentionBlock`; or with the
//! norms behind, `ln_1(x + attention(x))`, then `ln_2(x + mlp(x))`, as BERT's layers.

use super::config::TransformerConfig;
use crate::Result;
use crate::config::{Activation, NormOrder};
use crate::kernels::PanelMatrix;
use crate::kernels::int8::{Activations, BLOCK_WIDTH};
use crate::linear::Linear;
use crate::ops::{FusedBlock, LayerNorm, Workspace, activation, attention};
use crate::weights::packing::INT8_QUAD;
use crate::weights::{Placement, Weights};
use candle_core::{DType, Tensor};

/// The memory that the blocks of a tower share, by the form of their weights.
#[derive(Default)]
pub(super) struct Buffers {
    pub int8: Workspace<Activations>,
    pub packed: Workspace<Vec<f32>>,
}

/// A matrix of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Layer {
    /// Queries, keys and values, `[3 D, D]`.
    InProj,
    /// `[D, D]`
    OutProj,
    /// `[hidden, D]`
    CFc,
    /// `[D, hidden]`
    CProj,
}

/// Computes the product of a layer of a block.
pub(crate) type Product<'a> = &'a mut dyn FnMut(Layer, &Tensor) -> Result<Tensor>;

pub(crate) struct Block {
    ln_1: LayerNorm,
    attention: Attention,
    ln_2: LayerNorm,
    mlp: Mlp,
    norm_order: NormOrder,
}

impl Block {
    pub(crate) fn load(
        weights: &Weights,
        prefix: &str,
        config: &TransformerConfig,
        placement: &Placement,
    ) -> Result<Self> {
        let norm = |name: &str| LayerNorm::load(weights, &format!("{prefix}.{name}"), config.norm_eps, placement);
        Ok(Self {
            ln_1: norm("ln_1")?,
            attention: Attention::load(weights, &format!("{prefix}.attn"), config, placement)?,
            ln_2: norm("ln_2")?,
            mlp: Mlp::load(weights, &format!("{prefix}.mlp"), config.activation, placement)?,
            norm_order: config.norm_order,
        })
    }

    /// The norm before attention, and the attention.
    pub(super) fn attention(&self) -> (&LayerNorm, &Attention) {
        (&self.ln_1, &self.attention)
    }

    pub(super) fn forward(&self, x: &Tensor, starts: Option<&[usize]>, buffers: &Buffers) -> Result<Tensor> {
        if let (None, Some(computed)) = (starts, self.forward_fused(x, x.dim(1)?, buffers)) {
            return computed;
        }
        self.forward_by(x, starts, &mut |layer, x| self.linear(layer).forward(x))
    }

    /// Computes the block with products that the caller computes.
    pub(crate) fn forward_by(&self, x: &Tensor, starts: Option<&[usize]>, product: Product<'_>) -> Result<Tensor> {
        let joined = self.joined_heads(x, starts, product)?;
        self.finish(x, &joined, product)
    }

    /// A matrix of the block.
    pub(crate) fn linear(&self, layer: Layer) -> &Linear {
        match layer {
            Layer::InProj => &self.attention.in_proj,
            Layer::OutProj => &self.attention.out_proj,
            Layer::CFc => &self.mlp.c_fc,
            Layer::CProj => &self.mlp.c_proj,
        }
    }

    /// `[B, N, D]` to `[B, 1, D]`.
    pub(super) fn forward_first_token(&self, x: &Tensor, buffers: &Buffers) -> Result<Tensor> {
        if let Some(computed) = self.forward_fused(x, 1, buffers) {
            return computed;
        }
        let mut product = |layer, x: &Tensor| self.linear(layer).forward(x);
        let joined = self.joined_heads(x, None, &mut product)?;
        let first = |tokens: &Tensor| tokens.narrow(1, 0, 1)?.contiguous();
        self.finish(&first(x)?, &first(&joined)?, &mut product)
    }

    /// The block as one operation, if `x` is f32 on the CPU and `of` returns the packed weights of each layer.
    pub(super) fn fused<'a, M>(
        &'a self,
        x: &Tensor,
        of: impl Fn(&'a Linear) -> Option<&'a M>,
    ) -> Option<FusedBlock<'a, M>> {
        if x.dtype() != DType::F32 || !x.device().is_cpu() || x.track_op() || self.norm_order != NormOrder::Pre {
            return None;
        }
        Some(FusedBlock {
            ln_1: &self.ln_1,
            in_proj: of(&self.attention.in_proj)?,
            out_proj: of(&self.attention.out_proj)?,
            ln_2: &self.ln_2,
            c_fc: of(&self.mlp.c_fc)?,
            c_proj: of(&self.mlp.c_proj)?,
            heads: self.attention.heads,
            is_causal: self.attention.is_causal,
            activation: self.mlp.activation,
        })
    }

    /// Whether [`Self::forward`] and [`Self::forward_first_token`] compute `x` as one operation.
    pub(super) fn is_fused(&self, x: &Tensor) -> bool {
        self.fused(x, Linear::int8).is_some() || self.fused(x, Linear::packed).is_some()
    }

    /// The first `n_wanted` tokens as one operation, if there is one.
    fn forward_fused(&self, x: &Tensor, n_wanted: usize, buffers: &Buffers) -> Option<Result<Tensor>> {
        if let Some(block) = self.fused(x, Linear::int8) {
            return Some(block.forward(x, n_wanted, &buffers.int8));
        }
        let block = self.fused(x, Linear::packed)?;
        Some(block.forward(x, n_wanted, &buffers.packed))
    }

    /// The heads' outputs, before the output projection.
    fn joined_heads(&self, x: &Tensor, starts: Option<&[usize]>, product: Product<'_>) -> Result<Tensor> {
        let qkv = match self.norm_order {
            NormOrder::Pre => product(Layer::InProj, &self.ln_1.forward(x)?)?,
            NormOrder::Post => product(Layer::InProj, x)?,
        };
        attention(&qkv, starts, self.attention.heads, self.attention.is_causal)
    }

    /// What is done for each token on its own.
    fn finish(&self, x: &Tensor, joined: &Tensor, product: Product<'_>) -> Result<Tensor> {
        let x = (x + product(Layer::OutProj, joined)?)?;
        match self.norm_order {
            NormOrder::Pre => Ok((&x + self.mlp.forward_by(&self.ln_2.forward(&x)?, product)?)?),
            NormOrder::Post => {
                let x = self.ln_1.forward(&x)?;
                self.ln_2.forward(&(&x + self.mlp.forward_by(&x, product)?)?)
            }
        }
    }
}

/// Multi-head self-attention with the fused input projection of `torch.nn.MultiheadAttention`.
pub(super) struct Attention {
    pub in_proj: Linear,
    pub out_proj: Linear,
    pub heads: usize,
    is_causal: bool,
}

impl Attention {
    fn load(weights: &Weights, prefix: &str, config: &TransformerConfig, placement: &Placement) -> Result<Self> {
        let in_bias = format!("{prefix}.in_proj_bias");
        let in_proj = Linear::load(weights, &format!("{prefix}.in_proj_weight"), Some(&in_bias), placement)?;
        let block_width = match in_proj.int8() {
            Some(matrix) => joined_block_width(matrix.n_in(), config.heads),
            None => BLOCK_WIDTH,
        };
        let [weight, bias] = ["weight", "bias"].map(|name| format!("{prefix}.out_proj.{name}"));
        let out_proj = Linear::load_in_blocks(weights, &weight, Some(&bias), placement, block_width)?;
        Ok(Self { in_proj, out_proj, heads: config.heads, is_causal: config.is_causal })
    }
}

/// Columns behind attention that share a scale and a zero. What one head joins is of one size, and may be of another
/// than its neighbor's.
pub(crate) fn joined_block_width(width: usize, heads: usize) -> usize {
    let head_width = width / heads.max(1);
    if head_width > 0 && head_width.is_multiple_of(INT8_QUAD) { head_width.min(BLOCK_WIDTH) } else { BLOCK_WIDTH }
}

pub(crate) struct Mlp {
    c_fc: Linear,
    c_proj: Linear,
    activation: Activation,
}

impl Mlp {
    pub fn load(weights: &Weights, prefix: &str, activation: Activation, placement: &Placement) -> Result<Self> {
        let c_fc = biased(weights, &format!("{prefix}.c_fc"), placement)?;
        let c_proj = biased(weights, &format!("{prefix}.c_proj"), placement)?;
        Ok(Self { c_fc, c_proj, activation })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = &mut |layer, x: &Tensor| match layer {
            Layer::CFc => self.c_fc.forward(x),
            _ => self.c_proj.forward(x),
        };
        self.forward_by(x, product)
    }

    fn forward_by(&self, x: &Tensor, product: Product<'_>) -> Result<Tensor> {
        let hidden = activation(&product(Layer::CFc, x)?, self.activation)?;
        product(Layer::CProj, &hidden)
    }
}

/// A layer with a bias.
pub(crate) fn biased(weights: &Weights, prefix: &str, placement: &Placement) -> Result<Linear> {
    Linear::load(weights, &format!("{prefix}.weight"), Some(&format!("{prefix}.bias")), placement)
}
