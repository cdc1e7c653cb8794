//! The tokens of an image to one vector.

use crate::Result;
use crate::config::{VisionConfig, VisionPooling};
use crate::linear::Linear;
use crate::ops::LayerNorm;
use crate::transformer::{Mlp, biased};
use crate::weights::{Placement, Weights};
use candle_core::{D, Tensor};

/// The end of a vision tower before its projection.
pub(crate) struct Pooling {
    ln_post: LayerNorm,
    kind: Kind,
}

enum Kind {
    ClassToken,
    Mean { norm_before: bool, norm_after: bool },
    Attention(Box<AttentionPool>),
}

impl Pooling {
    pub fn load(weights: &Weights, config: &VisionConfig, placement: &Placement) -> Result<Self> {
        let kind = match config.pooling {
            VisionPooling::ClassToken => Kind::ClassToken,
            VisionPooling::NormThenMean => Kind::Mean { norm_before: true, norm_after: false },
            VisionPooling::MeanThenNorm => Kind::Mean { norm_before: false, norm_after: true },
            VisionPooling::NormMeanNorm => Kind::Mean { norm_before: true, norm_after: true },
            VisionPooling::Attention => Kind::Attention(Box::new(AttentionPool::load(weights, config, placement)?)),
        };
        Ok(Self { ln_post: LayerNorm::load(weights, "visual.ln_post", config.norm_eps, placement)?, kind })
    }

    /// Whether nothing but the first token counts.
    pub fn takes_first_token(&self) -> bool {
        matches!(self.kind, Kind::ClassToken)
    }

    /// How the pooled vector comes about, in words.
    pub fn description(&self) -> &'static str {
        match self.kind {
            Kind::ClassToken => "the class token",
            Kind::Mean { .. } => "the mean of all patches",
            Kind::Attention(_) => "made by an attention pool",
        }
    }

    /// The norm behind the blocks.
    pub fn norm(&self) -> &LayerNorm {
        &self.ln_post
    }

    /// The tokens as the pooling takes them.
    ///
    /// # Shapes
    /// - `tokens`: `[B, N, D]`, as they leave the blocks; returns the same
    pub fn normalize(&self, tokens: &Tensor) -> Result<Tensor> {
        match self.kind {
            Kind::Mean { norm_before: false, .. } => Ok(tokens.clone()),
            _ => self.ln_post.forward(tokens),
        }
    }

    /// # Shapes
    /// - `tokens`: `[B, N, D]`, of [`Self::normalize`]
    /// - `n_prefix`: how many tokens precede the patches
    /// - returns `[B, D]`
    pub fn pool(&self, tokens: &Tensor, n_prefix: usize) -> Result<Tensor> {
        match &self.kind {
            Kind::ClassToken => Ok(tokens.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?),
            Kind::Mean { norm_after, .. } => {
                let mean = tokens.narrow(1, n_prefix, tokens.dim(1)? - n_prefix)?.mean(1)?;
                if *norm_after { self.ln_post.forward(&mean) } else { Ok(mean) }
            }
            Kind::Attention(pool) => pool.forward(tokens),
        }
    }
}

/// Key of the layer of an attention pool that computes every token, without `.weight` and `.bias`.
pub(crate) const ATTENTION_POOL_KV: &str = "visual.attn_pool.attn.kv";

/// Attention with one learned query, then `y + mlp(ln(y))` (SigLIP's `MAPHead`).
struct AttentionPool {
    /// `[H, 1, D / H]`, scaled; the same for every image.
    query: Tensor,
    kv: Linear,
    out_proj: Linear,
    ln: LayerNorm,
    mlp: Mlp,
    heads: usize,
}

impl AttentionPool {
    fn load(weights: &Weights, config: &VisionConfig, placement: &Placement) -> Result<Self> {
        let layer = |name: &str| biased(weights, &format!("visual.attn_pool.{name}"), placement);
        let (heads, head_width) = (config.heads, config.width / config.heads);
        let latent = weights.tensor("visual.attn_pool.query", placement)?.unsqueeze(0)?;
        let query = layer("attn.q")?.forward(&latent)?.reshape((heads, 1, head_width))?;
        Ok(Self {
            query: (query * (head_width as f64).powf(-0.5))?,
            kv: biased(weights, ATTENTION_POOL_KV, placement)?,
            out_proj: layer("attn.out_proj")?,
            ln: LayerNorm::load(weights, "visual.attn_pool.ln", config.norm_eps, placement)?,
            mlp: Mlp::load(weights, "visual.attn_pool.mlp", config.activation, placement)?,
            heads,
        })
    }

    /// # Shapes
    /// - `tokens`: `[B, N, D]`; returns `[B, D]`
    fn forward(&self, tokens: &Tensor) -> Result<Tensor> {
        let (batch, n_tokens, width) = tokens.dims3()?;
        let kv = self.kv.forward(tokens)?.reshape((batch, n_tokens, 2, self.heads, width / self.heads))?;
        // [B, N, H, W] to [B, H, N, W]
        let part = |index| kv.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let (keys, values) = (part(0)?, part(1)?);
        let logits = self.query.unsqueeze(0)?.broadcast_matmul(&keys.t()?)?; // [B, H, 1, N]
        let weights = candle_nn::ops::softmax(&logits, D::Minus1)?;
        let joined = weights.matmul(&values)?.transpose(1, 2)?.reshape((batch, width))?;
        let y = self.out_proj.forward(&joined)?;
        Ok((&y + self.mlp.forward(&self.ln.forward(&y)?)?)?)
    }
}
