//! The vision tower (`visual.`), forward and backward: pixels to raw embeddings.

use super::keep::{Keep, PartBytes};
use super::layout::{LinearLayer, NormLayer, ParameterLayout, Projection};
use super::locked::Locked;
use super::ops::{Ops, PatchCut, Sequences};
use super::stack::{KeptBlocks, Stack};
use anyhow::Result;
use candle_core::Tensor;
use shared_model::config::ClipConfig;
use shared_model::fused::Heads;
use std::ops::Range;

/// The offsets of the tower's parameters in the flat arrays.
#[derive(Clone, Debug)]
pub struct VisionEngine {
    conv1: LinearLayer,
    class_embedding: Range<usize>,
    positional_embedding: Range<usize>,
    ln_pre: NormLayer,
    blocks: Stack,
    ln_post: NormLayer,
    proj: Projection,
    cut: PatchCut,
    /// N: the class token and the patches.
    n_tokens: usize,
}

/// Which tokens are projected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectedTokens {
    /// The class token of each image.
    Class,
    /// The class token of each image and its patches behind it.
    All,
}

/// Activations for the backward pass.
pub struct ImageActivations<O: Ops> {
    /// `[B N, D]`: what enters `ln_pre`; none if that is locked.
    tokens: Option<O::Matrix>,
    blocks: KeptBlocks<O>,
    /// `[R, D]`: what enters `ln_post`; none if the tower is locked.
    pooled: Option<O::Matrix>,
    projected: ProjectedTokens,
    sequences: Sequences,
}

impl VisionEngine {
    /// # Errors
    /// When a parameter of the tower is not in the layout.
    pub fn new(layout: &ParameterLayout, config: &ClipConfig) -> Result<Self> {
        let vision = &config.vision;
        let heads = Heads { count: vision.heads, width: vision.width / vision.heads, is_causal: false };
        Ok(Self {
            conv1: layout.linear("visual.conv1.weight", None)?,
            class_embedding: layout.span("visual.class_embedding")?.range(),
            positional_embedding: layout.span("visual.positional_embedding")?.range(),
            ln_pre: layout.layer_norm("visual.ln_pre")?,
            blocks: Stack::new(layout, "visual.transformer.resblocks", vision.layers, heads, vision.activation)?,
            ln_post: layout.layer_norm("visual.ln_post")?,
            proj: layout.projection("visual.proj")?,
            cut: PatchCut {
                patch_size: vision.patch_size,
                mean: config.preprocess.mean,
                std: config.preprocess.std,
            },
            n_tokens: vision.n_patches() + 1,
        })
    }

    /// The tower with a locked part, whose gradients are neither computed nor written.
    pub fn with_locked(mut self, locked: Locked) -> Self {
        self.blocks.lock(locked);
        self
    }

    /// Whether the whole tower is locked.
    pub fn is_locked(&self) -> bool {
        self.blocks.locked() == Locked::Tower
    }

    /// N: tokens of an image.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// R: tokens of `n_images` that are projected.
    pub fn n_projected(&self, n_images: usize, projected: ProjectedTokens) -> usize {
        match projected {
            ProjectedTokens::Class => n_images,
            ProjectedTokens::All => n_images * self.n_tokens,
        }
    }

    /// E
    pub fn embed_dim(&self) -> usize {
        self.proj.n_out
    }

    /// Bytes that [`ImageActivations`] of `n_images` hold, in values of `value_bytes`, and the raw embeddings in f32.
    pub fn bytes(&self, n_images: usize, projected: ProjectedTokens, value_bytes: usize) -> PartBytes {
        let n_tokens = n_images * self.n_tokens;
        let n_projected = self.n_projected(n_images, projected);
        let n_in = if self.blocks.locked() == Locked::Nothing { n_tokens } else { 0 };
        let n_out = if self.is_locked() { 0 } else { n_projected };
        let ends = (n_in + n_out) * self.blocks.width() * value_bytes + n_projected * self.embed_dim() * 4;
        let ends = ends as u64;
        let PartBytes { all, inputs } = self.blocks.bytes(n_tokens, value_bytes);
        PartBytes { all: all + ends, inputs: inputs + ends }
    }

    /// Encodes images.
    ///
    /// # Shapes
    /// - `pixels`: `[B, 3, S, S]`, RGB in u8 or normalized in f32
    /// - returns `[R, E]` f32, R = B or B N as `projected` says, not normalized to unit length
    pub fn forward<O: Ops>(
        &self,
        ops: &mut O,
        pixels: &Tensor,
        projected: ProjectedTokens,
        keep: Keep,
    ) -> Result<(Tensor, ImageActivations<O>)> {
        let n_images = pixels.dim(0)?;
        let sequences = Sequences::of_lengths(std::iter::repeat_n(self.n_tokens, n_images));
        let patches = ops.patches(pixels, &self.cut)?;
        let embedded = ops.linear(&patches, &self.conv1, None)?;
        drop(patches);
        let tokens = ops.image_tokens(&embedded, &self.class_embedding, &self.positional_embedding)?;
        drop(embedded);
        let x = ops.layer_norm(&tokens, &self.ln_pre)?;
        let tokens = (self.blocks.locked() == Locked::Nothing).then_some(tokens);
        let (x, blocks) = self.blocks.forward(ops, x, &sequences, keep)?;
        let pooled = match projected {
            ProjectedTokens::Class => ops.gather_rows(&x, self.blocks.width(), &self.class_rows(n_images))?,
            ProjectedTokens::All => x,
        };
        let normalized = ops.layer_norm(&pooled, &self.ln_post)?;
        let raw = ops.project(&normalized, &self.proj)?;
        let pooled = (!self.is_locked()).then_some(pooled);
        Ok((raw, ImageActivations { tokens, blocks, pooled, projected, sequences }))
    }

    /// Adds the gradients of the tower's parameters that are not locked, given that of the raw embeddings, `[R, E]` f32.
    ///
    /// # Errors
    /// When nothing was kept.
    pub fn backward<O: Ops>(
        &self,
        ops: &mut O,
        kept: ImageActivations<O>,
        pixels: &Tensor,
        d_raw: &Tensor,
    ) -> Result<()> {
        let ImageActivations { tokens, blocks, pooled, projected, sequences } = kept;
        let Some(pooled) = pooled else { return Ok(()) };
        let normalized = ops.layer_norm(&pooled, &self.ln_post)?;
        let d_normalized = ops.project_gradient(&normalized, &self.proj, d_raw)?;
        drop(normalized);
        let d_pooled = ops.layer_norm_gradient(&pooled, &self.ln_post, d_normalized, None)?;
        drop(pooled);
        let d_x = match projected {
            ProjectedTokens::Class => {
                let rows = self.class_rows(sequences.len());
                ops.gather_rows_gradient(self.blocks.width(), &rows, sequences.n_tokens(), &d_pooled)?
            }
            ProjectedTokens::All => d_pooled,
        };
        let d_x = self.blocks.backward(ops, blocks, &sequences, d_x)?;
        let Some(tokens) = tokens else { return Ok(()) };
        let d_tokens = ops.layer_norm_gradient(&tokens, &self.ln_pre, d_x, None)?;
        drop(tokens);
        let d_embedded = ops.image_tokens_gradient(&self.class_embedding, &self.positional_embedding, &d_tokens)?;
        let patches = ops.patches(pixels, &self.cut)?;
        ops.linear_weight_gradient(&patches, &self.conv1, &d_embedded)
    }

    fn class_rows(&self, n_images: usize) -> Vec<u32> {
        (0..n_images).map(|image| (image * self.n_tokens) as u32).collect()
    }
}
