//! What a model is made of, as `open_clip_config.json` says it.
//!
//! Only plain ViT-CLIP is honoured. A field that would change the computation in a way this crate does not
//! implement (a timm or Hugging Face tower, attentional pooling, ...) is an error that names it, never ignored.

mod open_clip;
mod parameters;
mod section;

pub use parameters::Parameter;

use serde::{Deserialize, Serialize};

/// A CLIP model: two towers and the space they share.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipConfig {
    /// Width E of the joint space (`embed_dim`).
    pub embed_dim: usize,
    pub activation: Activation,
    pub vision: VisionConfig,
    pub text: TextConfig,
    pub preprocess: PreprocessConfig,
}

/// The activation of every MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`, of models that descend from OpenAI's weights (`quick_gelu: true`).
    QuickGelu,
    /// The exact GELU, with the error function.
    Gelu,
}

/// The vision transformer (`vision_cfg`).
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    /// Side S of the square input, in pixels.
    pub image_size: usize,
    /// Side of one square patch, in pixels.
    pub patch_size: usize,
    /// Width D of the residual stream.
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
}

/// The text transformer (`text_cfg`).
#[derive(Clone, Debug, PartialEq)]
pub struct TextConfig {
    /// Context length L, in tokens.
    pub context_length: usize,
    pub vocab_size: usize,
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub mlp_width: usize,
}

/// How an image becomes `pixel_values` (`preprocess_cfg`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessConfig {
    /// Side S of the square output, in pixels.
    pub image_size: usize,
    pub mean: [f32; 3],
    pub std: [f32; 3],
    pub interpolation: Interpolation,
    pub resize_mode: ResizeMode,
}

/// Resampling filter, antialiased when it shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Keys' cubic with a = -0.5, as Pillow's.
    Bicubic,
    Bilinear,
}

/// How a rectangle becomes a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMode {
    /// The short edge is brought to S, then the centre is cropped.
    Shortest,
    /// Both edges are brought to S; the aspect ratio is lost.
    Squash,
}

impl VisionConfig {
    /// Patches along one side.
    pub fn grid_size(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Patches P in all, the class token not counted.
    pub fn n_patches(&self) -> usize {
        self.grid_size() * self.grid_size()
    }
}

impl PreprocessConfig {
    /// OpenAI's constants, which MAKE and most CLIP models use, at side `image_size`.
    #[allow(clippy::excessive_precision, reason = "the digits as they were published")]
    pub fn openai(image_size: usize) -> Self {
        Self {
            image_size,
            mean: [0.48145466, 0.4578275, 0.40821073],
            std: [0.26862954, 0.26130258, 0.27577711],
            interpolation: Interpolation::Bicubic,
            resize_mode: ResizeMode::Shortest,
        }
    }
}
