//! What a model is made of: sizes, and where one family of models differs from another.
//!
//! [`ClipConfig`] describes the towers completely: a tower is built from it alone, whichever library wrote the
//! checkpoint. Each library's files have a reader here, which is all (with a key map, [`crate::weights`]) that a family
//! of models needs. A field that would change the computation in a way that this crate does not implement is an error
//! that names it, never ignored.

mod bert;
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
mod timm;
mod tokenizer;
mod transformers;

pub use files::{ConfigFiles, NamedFiles};
pub use parameters::Parameter;
pub use preprocess::{CropRounding, Interpolation, PreprocessConfig, ResizeMode, RgbConversion};
pub use tokenizer::{TextCleaning, TokenizerConfig};

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

/// The activation of every MLP of a tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`, of models that descend from OpenAI's weights (`quick_gelu: true`).
    QuickGelu,
    /// The exact GELU, with the error function.
    Gelu,
    /// GELU's approximation with the hyperbolic tangent (`gelu_pytorch_tanh`).
    TanhGelu,
}

/// The vision transformer (`vision_cfg`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisionConfig {
    /// Side S of the square input, in pixels.
    pub image_size: usize,
    /// Side of one square patch, in pixels.
    pub patch_size: usize,
    /// Width D of the residual stream.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of attention heads H, a divisor of the width.
    pub heads: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Activation of the MLPs.
    pub activation: Activation,
    /// Epsilon of every layer norm.
    pub norm_eps: f32,
    /// Whether the patch embedding adds a bias.
    pub has_patch_bias: bool,
    /// Whether a class token precedes the patches.
    pub has_class_token: bool,
    /// Whether the tokens pass a layer norm before the blocks (`ln_pre`).
    pub has_ln_pre: bool,
    /// From tokens to one vector.
    pub pooling: VisionPooling,
    /// From that vector to the feature.
    pub projection: Projection,
}

/// How the tokens of an image become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisionPooling {
    /// The class token, normalized.
    ClassToken,
    /// The mean of the normalized patches.
    NormThenMean,
    /// The mean of the patches, normalized.
    MeanThenNorm,
    /// The mean of the normalized patches, normalized again by the same norm (PanDerm).
    NormMeanNorm,
    /// A learned query attends to the normalized patches; an MLP follows (SigLIP).
    Attention,
}

/// The way from a pooled vector into the joint space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// The tower's width is that of the joint space.
    None,
    /// One layer.
    Linear {
        /// Whether it has a bias.
        bias: bool,
    },
    /// Two layers with an exact GELU between them.
    Mlp {
        /// Width of the hidden layer.
        width: usize,
        /// Whether the first layer has a bias.
        hidden_bias: bool,
        /// Whether the second layer has a bias.
        bias: bool,
    },
}

/// The text transformer (`text_cfg`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextConfig {
    /// Context length L, in tokens.
    pub context_length: usize,
    /// Positions that have an embedding, where they are more than `context_length`.
    pub positions: Option<usize>,
    /// Token ids that have an embedding.
    pub vocab_size: usize,
    /// Width D of the residual stream.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of attention heads H, a divisor of the width.
    pub heads: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Activation of the MLPs.
    pub activation: Activation,
    /// Epsilon of every layer norm.
    pub norm_eps: f32,
    /// Where the layer norms of a block are.
    pub norm_order: NormOrder,
    /// Which tokens a token sees.
    pub visibility: Visibility,
    /// BERT's number of token types; every token is of the first.
    pub token_types: Option<usize>,
    /// From tokens to one vector.
    pub pooling: TextPooling,
    /// From that vector to the feature.
    pub projection: Projection,
}

/// Where the layer norms of a block are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormOrder {
    /// `x + f(norm(x))`, and a norm behind the last block.
    Pre,
    /// `norm(x + f(x))`, and a norm before the first block (BERT).
    Post,
}

/// Which tokens a token of a text sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Itself and the tokens before it.
    Causal,
    /// All tokens, padding included (SigLIP).
    All,
    /// All tokens but those of this id (BERT).
    AllBut {
        /// The id of the padding.
        padding: u32,
    },
}

/// How the tokens of a text become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPooling {
    /// The first token of the largest id, which is the end token of OpenAI's vocabulary.
    LargestId,
    /// The first token of this id, or the first of all where there is none.
    FirstOf {
        /// The id of the end token.
        id: u32,
    },
    /// The first token of all.
    FirstToken,
    /// The first token through a linear layer and the hyperbolic tangent (BERT's own pooler).
    PooledFirstToken,
    /// The last token, padding included.
    LastToken,
    /// The mean of all tokens that are seen.
    Mean,
}

/// Epsilon of PyTorch's layer norms, and of open_clip's and OpenAI's.
pub const TORCH_NORM_EPS: f32 = 1e-5;

impl ClipConfig {
    /// Whether both towers are open_clip's plain ones, which `open_clip_config.json` describes and which are trained.
    pub fn is_plain(&self) -> bool {
        let (vision, text) = (&self.vision, &self.text);
        let is_known = vision.activation == text.activation && vision.activation != Activation::TanhGelu;
        *vision == VisionConfig::plain(vision.image_size, vision.patch_size, vision.blocks())
            && *text == TextConfig::plain(text.context_length, text.vocab_size, text.blocks())
            && is_known
            && !self.has_logit_bias
            && self.preprocess.is_open_clip()
            && self.tokenizer == TokenizerConfig::OpenClip
    }
}

impl VisionConfig {
    /// open_clip's own vision transformer of these sizes.
    pub(crate) fn plain(image_size: usize, patch_size: usize, blocks: Blocks) -> Self {
        let Blocks { width, layers, heads, mlp_width, activation } = blocks;
        Self {
            image_size,
            patch_size,
            width,
            layers,
            heads,
            mlp_width,
            activation,
            norm_eps: TORCH_NORM_EPS,
            has_patch_bias: false,
            has_class_token: true,
            has_ln_pre: true,
            pooling: VisionPooling::ClassToken,
            projection: Projection::Linear { bias: false },
        }
    }

    fn blocks(&self) -> Blocks {
        let Self { width, layers, heads, mlp_width, activation, .. } = *self;
        Blocks { width, layers, heads, mlp_width, activation }
    }

    /// Patches along one side.
    pub fn grid_size(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Patches P in all, the class token not counted.
    pub fn n_patches(&self) -> usize {
        self.grid_size() * self.grid_size()
    }

    /// Tokens N in all.
    pub fn n_tokens(&self) -> usize {
        self.n_patches() + usize::from(self.has_class_token)
    }
}

impl TextConfig {
    fn blocks(&self) -> Blocks {
        let Self { width, layers, heads, mlp_width, activation, .. } = *self;
        Blocks { width, layers, heads, mlp_width, activation }
    }

    /// Positions that have an embedding.
    pub fn n_positions(&self) -> usize {
        self.positions.unwrap_or(self.context_length)
    }

    /// open_clip's own text transformer of these sizes.
    pub(crate) fn plain(context_length: usize, vocab_size: usize, blocks: Blocks) -> Self {
        let Blocks { width, layers, heads, mlp_width, activation } = blocks;
        Self {
            context_length,
            positions: None,
            vocab_size,
            width,
            layers,
            heads,
            mlp_width,
            activation,
            norm_eps: TORCH_NORM_EPS,
            norm_order: NormOrder::Pre,
            visibility: Visibility::Causal,
            token_types: None,
            pooling: TextPooling::LargestId,
            projection: Projection::Linear { bias: false },
        }
    }
}

/// The sizes and the activation of a tower's blocks.
#[derive(Clone, Copy)]
pub(crate) struct Blocks {
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub mlp_width: usize,
    pub activation: Activation,
}
