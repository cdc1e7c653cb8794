//! The vision transformer (`vision_cfg`).

use super::{Activation, Blocks, Projection, TORCH_NORM_EPS};
use serde::{Deserialize, Serialize};

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

impl VisionPooling {
    /// Whether the first token alone becomes the vector, so that the last block computes no other.
    pub fn takes_first_token(self) -> bool {
        self == Self::ClassToken
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

    /// Sizes and activation of its blocks.
    pub(super) fn blocks(&self) -> Blocks {
        let Self { width, layers, heads, mlp_width, activation, .. } = *self;
        Blocks { width, layers, heads, mlp_width, activation }
    }

    /// Whether the feature is the class token, projected linearly, so that each patch has a share in it
    /// ([`VisionTower::similarity_map`](crate::VisionTower::similarity_map)).
    pub fn makes_maps(&self) -> bool {
        self.pooling == VisionPooling::ClassToken && !matches!(self.projection, Projection::Mlp { .. })
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
