//! The vision tower (`visual.`): pixels to one pooled vector and one vector a patch.

use crate::config::ClipConfig;
use crate::linear::Linear;
use crate::ops::LayerNorm;
use crate::transformer::{Observer, Transformer, TransformerConfig, unit_length};
use crate::weights::{Placement, Weights};
use crate::{Error, Result, finite};
use candle_core::{DType, Tensor};

/// open_clip's `VisionTransformer` with a class token.
pub struct VisionTower {
    patch_embedding: Linear,
    class_embedding: Tensor,
    positional_embedding: Tensor,
    ln_pre: LayerNorm,
    transformer: Transformer,
    ln_post: LayerNorm,
    proj: Linear,
    image_size: usize,
    patch_size: usize,
    placement: Placement,
}

/// What the tower says of a batch of images, before and after normalisation to unit length.
#[derive(Clone, Debug)]
pub struct ImageEmbeddings {
    /// `[B, E]` f32: the class token after `ln_post` and `proj`.
    pub raw_image_features: Tensor,
    /// `[B, P, E]` f32: the patch tokens after `ln_post` and the same `proj`, row-major over the grid.
    pub raw_patch_embeddings: Tensor,
}

impl ImageEmbeddings {
    /// `[B, E]`, rows of unit length.
    pub fn image_features(&self) -> Result<Tensor> {
        unit_length(&self.raw_image_features)
    }

    /// `[B, P, E]`, rows of unit length.
    pub fn patch_embeddings(&self) -> Result<Tensor> {
        unit_length(&self.raw_patch_embeddings)
    }
}

impl VisionTower {
    /// Builds the tower from a checkpoint that has it, alone or beside the text tower.
    ///
    /// # Errors
    /// [`Error::CheckpointMismatch`] with every tensor that is missing, unexpected or misshapen.
    pub fn load(weights: &Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        weights.check(&config.vision_parameters(), &config.text_parameters())?;
        let vision = &config.vision;
        let blocks = TransformerConfig {
            layers: vision.layers,
            heads: vision.heads,
            activation: config.activation,
            is_causal: false,
        };
        // The convolution's kernel equals its stride: it is a matrix product over flattened patches.
        let kernel = weights.tensor("visual.conv1.weight", placement)?.flatten_from(1)?;
        let projection = weights.projection("visual.proj", placement)?.t()?;
        let transformer = Transformer::load(weights, "visual.transformer.resblocks", &blocks, placement)?;
        let patch_embedding = if transformer.is_int8() { Linear::short(&kernel)? } else { Linear::dense(kernel) };
        Ok(Self {
            patch_embedding,
            class_embedding: weights.tensor("visual.class_embedding", placement)?,
            positional_embedding: weights.tensor("visual.positional_embedding", placement)?,
            ln_pre: LayerNorm::load(weights, "visual.ln_pre", placement)?,
            transformer,
            ln_post: LayerNorm::load(weights, "visual.ln_post", placement)?,
            proj: Linear::dense(projection),
            image_size: vision.image_size,
            patch_size: vision.patch_size,
            placement: placement.clone(),
        })
    }

    /// Encodes images: the pooled feature alone, which is all that classification needs.
    ///
    /// # Shapes
    /// - `pixel_values`: `[B, 3, S, S]` f32, normalized by [`crate::preprocess`]
    /// - returns `[B, E]` f32, rows of unit length
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the weights lead to values that are NaN or infinite.
    pub fn image_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let token = self.transformer.forward_first_token(self.embed(pixel_values, &mut |_, _| {})?)?;
        let pooled = self.proj.forward(&self.ln_post.forward(&token)?.squeeze(1)?)?.to_dtype(DType::F32)?;
        finite::check_features("image features", &pooled)?;
        unit_length(&pooled)
    }

    /// Encodes images: the pooled feature and one embedding a patch.
    ///
    /// # Shapes
    /// - `pixel_values`: `[B, 3, S, S]` f32, normalized by [`crate::preprocess`]
    pub fn encode(&self, pixel_values: &Tensor) -> Result<ImageEmbeddings> {
        self.encode_observed(pixel_values, &mut |_, _| {})
    }

    /// [`Self::encode`], showing each stage's activations to `observe`.
    pub fn encode_observed(&self, pixel_values: &Tensor, observe: Observer<'_>) -> Result<ImageEmbeddings> {
        self.project_tokens(self.tokens(pixel_values, observe)?)
    }

    fn project_tokens(&self, tokens: Tensor) -> Result<ImageEmbeddings> {
        let projected = self.proj.forward(&tokens)?.to_dtype(DType::F32)?;
        let n_patches = projected.dim(1)? - 1;
        Ok(ImageEmbeddings {
            raw_image_features: projected.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?,
            raw_patch_embeddings: projected.narrow(1, 1, n_patches)?.contiguous()?,
        })
    }

    /// All tokens after `ln_post`, `[B, 1 + P, D]`, the class token first.
    fn tokens(&self, pixel_values: &Tensor, observe: Observer<'_>) -> Result<Tensor> {
        let tokens = self.embed(pixel_values, observe)?;
        let tokens = self.ln_post.forward(&self.transformer.forward(tokens, observe)?)?;
        observe("ln_post", &tokens);
        Ok(tokens)
    }

    fn embed(&self, pixel_values: &Tensor, observe: Observer<'_>) -> Result<Tensor> {
        let pixel_values = pixel_values.to_dtype(self.placement.dtype)?.to_device(&self.placement.device)?;
        let patches = self.patch_embedding.forward(&self.patches(&pixel_values)?)?;
        observe("conv1", &patches);
        let (batch, _, width) = patches.dims3()?;
        let class_token = self.class_embedding.expand((batch, 1, width))?;
        let tokens = Tensor::cat(&[&class_token, &patches], 1)?.broadcast_add(&self.positional_embedding)?;
        let tokens = self.ln_pre.forward(&tokens)?;
        observe("ln_pre", &tokens);
        Ok(tokens)
    }

    /// `[B, 3, S, S]` cut into flattened patches, `[B, P, 3 * patch * patch]`.
    fn patches(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let (size, patch) = (self.image_size, self.patch_size);
        let (batch, channels, height, width) = pixel_values.dims4()?;
        if (channels, height, width) != (3, size, size) {
            let detail = format!("pixel_values are {channels}x{height}x{width}, expected 3x{size}x{size}");
            return Err(Error::Tensor(candle_core::Error::Msg(detail)));
        }
        let grid = size / patch;
        let used = grid * patch; // a stride-`patch` convolution leaves the remainder out
        let pixels = pixel_values.narrow(2, 0, used)?.narrow(3, 0, used)?.contiguous()?;
        let cut = pixels.reshape(&[batch, 3, grid, patch, grid, patch][..])?.permute(vec![0, 2, 4, 1, 3, 5])?;
        Ok(cut.reshape((batch, grid * grid, 3 * patch * patch))?)
    }
}
