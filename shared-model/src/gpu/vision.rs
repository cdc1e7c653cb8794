//! The vision tower as a program for a GPU.

use super::blocks::{BlockSizes, Transformer};
use super::buffer::Buffer;
use super::constants::{Constant, Constants};
use super::dispatch::Dispatch;
use super::plan::Plan;
use crate::config::{ClipConfig, VisionConfig};
use crate::weights::Weights;
use crate::{Error, Result};

/// The vision tower of an int8 model: its constants, and plans for batches.
pub struct VisionProgram {
    /// The constant buffers.
    pub constants: Vec<Constant>,
    /// What computes some of the constants, once.
    pub preparation: Vec<Dispatch>,
    config: VisionConfig,
    embed_dim: usize,
    kernels: Buffer,
    class_token: Buffer,
    positional_embedding: Buffer,
    ln_pre: Buffer,
    transformer: Transformer,
    ln_post: Buffer,
    projection: Buffer,
}

impl VisionProgram {
    /// Reads the tower of open_clip's own models in int8 or int4.
    ///
    /// # Errors
    /// [`Error::GpuConfig`] for other models, [`Error::CheckpointMismatch`] and [`Error::Weights`] for tensors that do
    /// not fit.
    pub fn load(weights: &Weights, config: &ClipConfig) -> Result<Self> {
        check_family(config)?;
        weights.check(&config.vision_parameters(), &config.text_parameters())?;
        let vision = &config.vision;
        let mut constants = Constants::new(weights);
        let sizes = BlockSizes {
            width: vision.width,
            heads: vision.heads,
            mlp_width: vision.mlp_width,
            activation: vision.activation,
            norm_eps: vision.norm_eps,
            is_causal: false,
        };
        Ok(Self {
            config: vision.clone(),
            embed_dim: config.embed_dim,
            kernels: constants.float("visual.conv1.weight")?,
            class_token: constants.float("visual.class_embedding")?,
            positional_embedding: constants.float("visual.positional_embedding")?,
            ln_pre: constants.norm("visual.ln_pre")?,
            transformer: Transformer::load(&mut constants, "visual.transformer.resblocks", vision.layers, sizes)?,
            ln_post: constants.norm("visual.ln_post")?,
            projection: constants.projection("visual.proj")?,
            constants: constants.constants,
            preparation: constants.preparation,
        })
    }

    /// Returns the plan for `batch` images. The pooled token of each is at position 0.
    pub fn plan(&self, batch: usize) -> Plan {
        let VisionConfig { image_size, patch_size, width, norm_eps, .. } = self.config;
        let n_tokens = self.config.n_tokens();
        let mut plan = Plan::new(batch, batch * 3 * image_size * image_size, self.embed_dim);
        let patches = plan.buffer(batch * self.config.n_patches() * width);
        let x = plan.buffer(batch * n_tokens * width);
        let buffers = [plan.input, self.kernels, patches];
        plan.dispatches.push(Dispatch::patchify([batch, width], [image_size, patch_size], buffers));
        plan.mark("conv1", patches);
        let buffers = [patches, self.class_token, self.positional_embedding, self.ln_pre, x];
        plan.dispatches.push(Dispatch::embed_patches([batch, n_tokens], width, norm_eps, buffers));
        plan.mark("ln_pre", x);
        let pooled = self.transformer.append(&mut plan, [batch, n_tokens], x);
        let buffers = [pooled, self.ln_post, self.projection, plan.output];
        plan.dispatches.push(Dispatch::project(batch, [width, self.embed_dim], norm_eps, buffers));
        plan
    }
}

/// Checks that a model is one of open_clip's own ViT-CLIP models.
///
/// # Errors
/// [`Error::GpuConfig`] for others.
pub(super) fn check_family(config: &ClipConfig) -> Result<()> {
    if config.is_plain() {
        return Ok(());
    }
    Err(Error::GpuConfig { detail: "it is not one of open_clip's own ViT-CLIP models".into() })
}
