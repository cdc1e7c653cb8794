//! The pre-norm transformer that both towers are made of.
//!
//! Block: `x + attention(ln_1(x))`, then `x + mlp(ln_2(x))`, as open_clip's `ResidualAttentionBlock`.

use crate::Result;
use crate::config::Activation;
use crate::kernels::int8::BLOCK_WIDTH;
use crate::linear::Linear;
use crate::ops::{Int8Block, LayerNorm, Workspace, activation, attention, short_attention};
use crate::weights::packing::INT8_QUAD;
use crate::weights::{Placement, Weights};
use candle_core::{D, DType, Tensor};

/// Sees the activations of a forward pass by stage name: `conv1`, `ln_pre`, `block0`, ..., `ln_post`, `ln_final`.
pub type Observer<'a> = &'a mut dyn FnMut(&str, &Tensor);

/// `resblocks`: the blocks of one tower.
pub(crate) struct Transformer {
    blocks: Vec<Block>,
    workspace: Workspace,
}

/// Sizes of a [`Transformer`].
pub(crate) struct TransformerConfig {
    pub layers: usize,
    pub heads: usize,
    pub activation: Activation,
    /// Whether a token sees only itself and what stands before it.
    pub is_causal: bool,
}

impl Transformer {
    pub(crate) fn load(
        weights: &Weights,
        prefix: &str,
        config: &TransformerConfig,
        placement: &Placement,
    ) -> Result<Self> {
        let block = |layer| Block::load(weights, &format!("{prefix}.{layer}"), config, placement);
        Ok(Self { blocks: (0..config.layers).map(block).collect::<Result<_>>()?, workspace: Workspace::default() })
    }

    /// Whether its matrices are int8, on the CPU.
    pub(crate) fn is_int8(&self) -> bool {
        self.blocks.first().is_some_and(|block| block.mlp.c_fc.int8().is_some())
    }

    /// All blocks.
    ///
    /// # Shapes
    /// - `x`: `[B, N, D]`; returns the same
    pub fn forward(&self, x: Tensor, observe: Observer<'_>) -> Result<Tensor> {
        let mut x = x;
        for (layer, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, &self.workspace)?;
            observe(&format!("block{layer}"), &x);
        }
        Ok(x)
    }

    /// The first token as it leaves the blocks: of the last block, nothing else is computed but what it attends to.
    ///
    /// # Shapes
    /// - `x`: `[B, N, D]`; returns `[B, 1, D]`
    pub fn forward_first_token(&self, mut x: Tensor) -> Result<Tensor> {
        let Some((last, others)) = self.blocks.split_last() else { return Ok(x.narrow(1, 0, 1)?) };
        for block in others {
            x = block.forward(&x, &self.workspace)?;
        }
        last.forward_first_token(&x, &self.workspace)
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
            ln_1: LayerNorm::load(weights, &format!("{prefix}.ln_1"), placement)?,
            attention: Attention::load(weights, &format!("{prefix}.attn"), config, placement)?,
            ln_2: LayerNorm::load(weights, &format!("{prefix}.ln_2"), placement)?,
            mlp: Mlp::load(weights, &format!("{prefix}.mlp"), config.activation, placement)?,
        })
    }

    fn forward(&self, x: &Tensor, workspace: &Workspace) -> Result<Tensor> {
        if let Some(block) = self.int8(x) {
            return block.forward(x, x.dim(1)?, workspace);
        }
        let joined = self.attention.joined_heads(&self.ln_1.forward(x)?)?;
        self.finish(x, &joined)
    }

    /// `[B, N, D]` to `[B, 1, D]`.
    fn forward_first_token(&self, x: &Tensor, workspace: &Workspace) -> Result<Tensor> {
        if let Some(block) = self.int8(x) {
            return block.forward(x, 1, workspace);
        }
        let joined = self.attention.joined_heads(&self.ln_1.forward(x)?)?;
        let first = |tokens: &Tensor| tokens.narrow(1, 0, 1)?.contiguous();
        self.finish(&first(x)?, &first(&joined)?)
    }

    /// The block as one operation, if all of its matrices are int8 and such is `x`.
    fn int8(&self, x: &Tensor) -> Option<Int8Block<'_>> {
        if x.dtype() != DType::F32 || !x.device().is_cpu() {
            return None;
        }
        Some(Int8Block {
            ln_1: &self.ln_1,
            in_proj: self.attention.in_proj.int8()?,
            out_proj: self.attention.out_proj.int8()?,
            ln_2: &self.ln_2,
            c_fc: self.mlp.c_fc.int8()?,
            c_proj: self.mlp.c_proj.int8()?,
            heads: self.attention.heads,
            is_causal: self.attention.is_causal,
            activation: self.mlp.activation,
        })
    }

    /// What is done for each token on its own.
    fn finish(&self, x: &Tensor, joined: &Tensor) -> Result<Tensor> {
        let x = (x + self.attention.out_proj.forward(joined)?)?;
        Ok((&x + self.mlp.forward(&self.ln_2.forward(&x)?)?)?)
    }
}

/// Multi-head self-attention with the fused input projection of `torch.nn.MultiheadAttention`.
struct Attention {
    in_proj: Linear,
    out_proj: Linear,
    heads: usize,
    is_causal: bool,
}

impl Attention {
    fn load(weights: &Weights, prefix: &str, config: &TransformerConfig, placement: &Placement) -> Result<Self> {
        let in_bias = format!("{prefix}.in_proj_bias");
        let in_proj = Linear::load(weights, &format!("{prefix}.in_proj_weight"), Some(&in_bias), placement)?;
        // What one head joins is of one size, and may be of another than its neighbour's.
        let head_width = in_proj.int8().map(|matrix| matrix.n_in() / config.heads);
        let block_width = head_width.filter(|width| width.is_multiple_of(INT8_QUAD)).unwrap_or(BLOCK_WIDTH);
        let [weight, bias] = ["weight", "bias"].map(|name| format!("{prefix}.out_proj.{name}"));
        let out_proj =
            Linear::load_in_blocks(weights, &weight, Some(&bias), placement, block_width.min(BLOCK_WIDTH))?;
        Ok(Self { in_proj, out_proj, heads: config.heads, is_causal: config.is_causal })
    }

    /// The heads' outputs side by side, before the output projection.
    fn joined_heads(&self, x: &Tensor) -> Result<Tensor> {
        let qkv = self.in_proj.forward(x)?;
        match self.in_proj.int8().is_some() && qkv.dtype() == DType::F32 {
            true => short_attention(&qkv, self.heads, self.is_causal),
            false => attention(&qkv, self.heads, self.is_causal),
        }
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
        self.c_proj.forward(&activation(&self.c_fc.forward(x)?, self.activation)?)
    }
}

fn biased(weights: &Weights, prefix: &str, placement: &Placement) -> Result<Linear> {
    Linear::load(weights, &format!("{prefix}.weight"), Some(&format!("{prefix}.bias")), placement)
}

/// Divides the last axis by its L2 norm, at least 1e-12, as `torch.nn.functional.normalize`.
///
/// # Shapes
/// - `x`: `[.., E]`; returns the same shape, rows of unit length (a zero row stays zero)
pub fn unit_length(x: &Tensor) -> Result<Tensor> {
    // The bound stands under the root, whose gradient would be infinite at zero.
    let norm = x.sqr()?.sum_keepdim(D::Minus1)?.maximum(1e-24)?.sqrt()?;
    Ok(x.broadcast_div(&norm)?)
}
