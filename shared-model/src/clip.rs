//! Both towers and the scale between them.

use crate::config::ClipConfig;
use crate::text::TextTower;
use crate::transformer::unit_length;
use crate::vision::{ImageEmbeddings, VisionTower};
use crate::weights::{Placement, Weights};
use crate::{Error, Result};
use candle_core::{DType, Tensor};

/// A whole CLIP model.
pub struct Clip {
    /// Sizes and preprocessing.
    pub config: ClipConfig,
    /// Encodes images.
    pub vision: VisionTower,
    /// Encodes texts.
    pub text: TextTower,
    /// Stored as its logarithm; `exp` at use.
    log_logit_scale: f32,
    logit_bias: Option<f32>,
}

impl Clip {
    /// Builds both towers of a checkpoint of any family, resizing open_clip's position embeddings where the config asks
    /// for another length.
    ///
    /// # Errors
    /// [`Error::CheckpointMismatch`] with every tensor of both towers that does not fit; [`Error::NotFinite`] and
    /// [`Error::LogitScale`] for values that no model can have.
    pub fn load(weights: Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        let weights = weights.for_model(config)?;
        let on_cpu = Placement { dtype: DType::F32, ..Placement::default() };
        let scalar = |name: &str| -> Result<f32> { Ok(weights.tensor(name, &on_cpu)?.to_scalar()?) };
        let log_logit_scale = scalar("logit_scale")?;
        let logit_bias = config.has_logit_bias.then(|| scalar("logit_bias")).transpose()?;
        if !log_logit_scale.exp().is_finite() {
            return Err(Error::LogitScale { found: log_logit_scale });
        }
        Ok(Self {
            config: config.clone(),
            vision: VisionTower::build(&weights, config, placement)?,
            text: TextTower::build(&weights, config, placement)?,
            log_logit_scale,
            logit_bias,
        })
    }

    /// Pooled features and patch embeddings of `pixel_values` `[B, 3, S, S]`.
    pub fn encode_image(&self, pixel_values: &Tensor) -> Result<ImageEmbeddings> {
        self.vision.encode(pixel_values)
    }

    /// Unit text features `[B, E]` of token rows.
    pub fn encode_text(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        self.text.text_features(input_ids)
    }

    /// The learned factor between cosines and training logits. Zero-shot classification uses 100 instead.
    pub fn logit_scale(&self) -> f32 {
        self.log_logit_scale.exp()
    }

    /// What SigLIP adds to the training logits, whose sigmoids are its probabilities.
    pub fn logit_bias(&self) -> Option<f32> {
        self.logit_bias
    }

    /// The probabilities that the model was trained for: over the texts of each image by softmax, or for each pair on
    /// its own by a sigmoid (SigLIP).
    ///
    /// # Shapes
    /// - `image_features`: `[B, E]`, `text_features`: `[C, E]`, rows of unit length
    /// - returns logits and probabilities, `[B, C]`
    pub fn probabilities(&self, image_features: &Tensor, text_features: &Tensor) -> Result<(Tensor, Tensor)> {
        let logits = (image_features.matmul(&text_features.t()?)? * f64::from(self.logit_scale()))?;
        Ok(match self.logit_bias {
            Some(bias) => {
                let logits = (logits + f64::from(bias))?;
                let probabilities = candle_nn::ops::sigmoid(&logits)?;
                (logits, probabilities)
            }
            None => {
                let probabilities = candle_nn::ops::softmax_last_dim(&logits)?;
                (logits, probabilities)
            }
        })
    }
}

/// Each image's patches summed with weights from their similarity to a text (MAKE's local alignment).
///
/// `weight_p = s_p if s_p >= sigma else 0` with `s_p` the similarity of patch p and the text; weights are divided
/// by their L2 norm over the patches (at least 1e-12). The sum is not normalized again; a pair of which no patch is
/// kept gives a zero row. Differentiable in both arguments.
///
/// # Shapes
/// - `patch_embeddings`: `[B, P, E]`, unit rows
/// - `text_features`: `[B, K, E]`, unit rows; image i meets its own K texts
/// - returns `[B, K, E]`
pub fn weighted_patch_sum(patch_embeddings: &Tensor, text_features: &Tensor, sigma: f64) -> Result<Tensor> {
    // The patches themselves are never transposed: candle 0.11 loses values when a gradient in transposed layout
    // comes back through the slice that the patches are of all tokens.
    let similarity = patch_embeddings.matmul(&text_features.t()?.contiguous()?)?; // [B, P, K]
    let kept = similarity.detach().ge(sigma)?.to_dtype(similarity.dtype())?;
    let weights = (similarity * kept)?.t()?.contiguous()?; // [B, K, P]
    Ok(unit_length(&weights)?.matmul(patch_embeddings)?)
}
