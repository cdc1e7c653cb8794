//! What a model is made of: sizes, and where one family of models differs from another.
//!
//! [`ClipConfig`] describes the towers completely: a tower is built from it alone, whichever library wrote the
//! checkpoint. Each library's files have a reader here, which is all (with a key map, [`crate::weights`]) that a family
//! of models needs. A field that would change the computation in a way that this crate does not implement is an error
//! that names it, never ignored.

mod bert;
mod blocks;
mod checks;
mod files;
mod image_processor;
mod named;
mod native;
mod open_clip;
mod open_clip_fields;
mod panderm;
mod parameters;
mod preprocess;
mod section;
mod tensors;
mod text;
mod timm;
mod tokenizer;
mod transformers;
mod vision;

pub(crate) use blocks::Blocks;
pub use blocks::{Activation, NormOrder, Projection, TORCH_NORM_EPS};
pub use files::{ConfigFiles, NamedFiles};
pub use parameters::Parameter;
pub use preprocess::{CropRounding, Interpolation, PreprocessConfig, ResizeMode, RgbConversion};
pub use text::{TextConfig, TextPooling, Visibility};
pub use tokenizer::{TextCleaning, TokenizerConfig};
pub use vision::{VisionConfig, VisionPooling};

use serde::{Deserialize, Serialize};

/// A CLIP model: two towers and the space they share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipConfig {
    /// Width E of the joint space (`embed_dim`).
    pub embed_dim: usize,
    /// The vision tower.
    pub vision: VisionConfig,
    /// The text tower.
    pub text: TextConfig,
    /// Whether the model was trained with a sigmoid loss (SigLIP): it then has a `logit_bias`.
    pub has_logit_bias: bool,
    /// How a picture becomes `pixel_values`.
    pub preprocess: PreprocessConfig,
    /// How a text becomes `input_ids`.
    #[serde(default)]
    pub tokenizer: TokenizerConfig,
}

impl ClipConfig {
    /// The same model for images of another size: it has as many position embeddings as it then has patches.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if the size does not fit the rest.
    pub fn with_image_size(mut self, image_size: usize) -> crate::Result<Self> {
        self.vision.image_size = image_size;
        self.preprocess.image_size = image_size;
        self.checked()
    }

    /// Whether both towers are open_clip's plain ones, which `open_clip_config.json` describes and which are trained.
    pub fn is_plain(&self) -> bool {
        let (vision, text) = (&self.vision, &self.text);
        let is_known = vision.activation == text.activation && vision.activation != Activation::TanhGelu;
        *vision == VisionConfig::plain(vision.image_size, vision.patch_size, vision.blocks())
            && *text == TextConfig::plain(text.context_length, text.vocab_size, text.blocks())
            && is_known
            && self.preprocess.is_open_clip()
            && self.tokenizer == TokenizerConfig::OpenClip
    }
}
