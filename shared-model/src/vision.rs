//! The vision tower (`visual.`): pixels to one pooled vector and one vector a patch.

mod map;

use crate::config::ClipConfig;
use crate::linear::Linear;
use crate::ops::LayerNorm;
use crate::pooling::Pooling;
use crate::projection::Projection;
use crate::transformer::{Observer, Transformer, TransformerConfig, unit_length};
use crate::weights::{Placement, Weights};
use crate::{Error, Result, finite};
use candle_core::{DType, Tensor};
pub use map::ImageTrace;

/// A vision transformer: patches, blocks, a pooling and a projection.
pub struct VisionTower {
    patch_embedding: Linear,
    class_embedding: Option<Tensor>,
    positional_embedding: Tensor,
    ln_pre: Option<LayerNorm>,
    transformer: Transformer,
    pooling: Pooling,
    projection: Projection,
    image_size: usize,
    patch_size: usize,
    placement: Placement,
}

/// What the tower says of a batch of images, before and after normalization to unit length.
#[derive(Clone, Debug)]
pub struct ImageEmbeddings {
    /// `[B, E]` f32: the pooled tokens, projected.
    pub raw_image_features: Tensor,
    /// `[B, P, E]` f32: the patch tokens as the pooling takes them, projected, row-major over the grid.
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
        Self::build(weights, config, placement)
    }

    /// Builds the tower from weights that were checked.
    pub(crate) fn build(weights: &Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        let vision = &config.vision;
        let blocks = TransformerConfig::vision(config);
        let tensor = |name: &str| weights.tensor(name, placement);
        // The convolution's kernel equals its stride: it is a matrix product over flattened patches.
        let kernel = tensor("visual.conv1.weight")?.flatten_from(1)?;
        let bias = vision.has_patch_bias.then(|| tensor("visual.conv1.bias")).transpose()?;
        let transformer = Transformer::load(weights, "visual.transformer.resblocks", &blocks, placement)?;
        let ln_pre = || LayerNorm::load(weights, "visual.ln_pre", vision.norm_eps, placement);
        Ok(Self {
            patch_embedding: match transformer.is_int8() {
                true => Linear::short(&kernel, bias)?,
                false => Linear::dense(kernel, bias)?,
            },
            class_embedding: vision.has_class_token.then(|| tensor("visual.class_embedding")).transpose()?,
            positional_embedding: tensor("visual.positional_embedding")?,
            ln_pre: vision.has_ln_pre.then(ln_pre).transpose()?,
            transformer,
            pooling: Pooling::load(weights, vision, placement)?,
            projection: Projection::load(weights, "visual.proj", vision.projection, placement)?,
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
        let tokens = self.last_tokens(pixel_values)?;
        unit_length(&self.raw_feature_of(&tokens)?)
    }

    /// Encodes images: the pooled tokens before their projection, from which PanDerm's authors train linear probes
    /// (`linear_prob=True` in their open_clip).
    ///
    /// # Shapes
    /// - `pixel_values`: `[B, 3, S, S]` f32, normalized by [`crate::preprocess`]
    /// - returns `[B, D]` f32
    ///
    /// # Errors
    /// As [`Self::image_features`].
    pub fn pooled_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let pooled = self.pooled(&self.last_tokens(pixel_values)?)?.to_dtype(DType::F32)?;
        finite::check_features("image features", &pooled)?;
        Ok(pooled)
    }

    /// The tokens that the pooling takes, as they leave the blocks.
    fn last_tokens(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let takes_first_token = self.pooling.takes_first_token();
        self.transformer.each_sample(self.tokens(pixel_values)?, |tokens| match takes_first_token {
            true => self.transformer.forward_first_token(tokens, &mut |_| ()),
            false => self.transformer.forward(tokens, None, &mut |_, _| {}),
        })
    }

    /// `[B, E]` of what [`Self::last_tokens`] returns.
    fn raw_feature_of(&self, tokens: &Tensor) -> Result<Tensor> {
        let raw = self.projection.forward(&self.pooled(tokens)?)?.to_dtype(DType::F32)?;
        finite::check_features("image features", &raw)?;
        Ok(raw)
    }

    /// `[B, D]` of what [`Self::last_tokens`] returns.
    fn pooled(&self, tokens: &Tensor) -> Result<Tensor> {
        self.pooling.pool(&self.pooling.normalize(tokens)?, self.n_prefix())
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
        let tokens = self.embed(pixel_values, observe)?;
        let tokens = self.pooling.normalize(&self.transformer.forward(tokens, None, observe)?)?;
        observe("ln_post", &tokens);
        let pooled = self.pooling.pool(&tokens, self.n_prefix())?;
        observe("pooled", &pooled);
        if self.pooling.takes_first_token() {
            return self.project_tokens(&tokens);
        }
        let ImageEmbeddings { raw_patch_embeddings, .. } = self.project_tokens(&tokens)?;
        let raw_image_features = self.projection.forward(&pooled)?.to_dtype(DType::F32)?;
        Ok(ImageEmbeddings { raw_image_features, raw_patch_embeddings })
    }

    /// Projects every token; the pooled feature is the first one's.
    fn project_tokens(&self, tokens: &Tensor) -> Result<ImageEmbeddings> {
        let projected = self.projection.forward(tokens)?.to_dtype(DType::F32)?;
        let n_prefix = self.n_prefix();
        let n_patches = projected.dim(1)? - n_prefix;
        Ok(ImageEmbeddings {
            raw_image_features: projected.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?,
            raw_patch_embeddings: projected.narrow(1, n_prefix, n_patches)?.contiguous()?,
        })
    }

    /// Returns the tokens as they enter the blocks, `[B, N, D]`.
    pub(crate) fn tokens(&self, pixel_values: &Tensor) -> Result<Tensor> {
        self.embed(pixel_values, &mut |_, _| {})
    }

    /// How many tokens precede the patches.
    fn n_prefix(&self) -> usize {
        usize::from(self.class_embedding.is_some())
    }

    fn embed(&self, pixel_values: &Tensor, observe: Observer<'_>) -> Result<Tensor> {
        let pixel_values = pixel_values.to_dtype(self.placement.dtype)?.to_device(&self.placement.device)?;
        let patches = self.patch_embedding.forward(&self.patches(&pixel_values)?)?;
        observe("conv1", &patches);
        let (batch, _, width) = patches.dims3()?;
        let tokens = match &self.class_embedding {
            Some(class_embedding) => Tensor::cat(&[&class_embedding.expand((batch, 1, width))?, &patches], 1)?,
            None => patches,
        };
        let tokens = tokens.broadcast_add(&self.positional_embedding)?;
        let Some(ln_pre) = &self.ln_pre else {
            observe("embeddings", &tokens);
            return Ok(tokens);
        };
        let tokens = ln_pre.forward(&tokens)?;
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
