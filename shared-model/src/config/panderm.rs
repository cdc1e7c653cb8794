//! PanDerm's vision transformer (CAE). Its loader builds the tower by the model's name: `vision_cfg` describes another
//! one, so all sizes are those of the tensors.

use super::tensors::Tensors;
use super::{Activation, Projection, VisionConfig, VisionPooling};
use crate::{Error, Result};

/// The tensor that tells the tower from open_clip's own.
const PATCHES: &str = "visual.patch_embed.proj.weight";

/// Whether the checkpoint's vision tower is PanDerm's.
pub(super) fn is_panderm(tensors: &Tensors) -> bool {
    tensors.has(PATCHES)
}

pub(super) fn vision(tensors: &Tensors) -> Result<VisionConfig> {
    let [width, _, patch_size, _] = tensors.shape(PATCHES)?;
    let [mlp_width, _] = tensors.shape("visual.blocks.0.mlp.fc1.weight")?;
    let [_, n_tokens, _] = tensors.shape("visual.pos_embed")?;
    let grid = n_tokens.saturating_sub(1).isqrt();
    if grid * grid + 1 != n_tokens {
        let detail =
            format!("tensor visual.pos_embed has {n_tokens} positions, expected a class token and a square");
        return Err(Error::Weights { detail });
    }
    Ok(VisionConfig {
        image_size: grid.saturating_mul(patch_size),
        patch_size,
        width,
        layers: tensors.layers("visual.blocks."),
        heads: Tensors::heads("vision.heads", width)?,
        mlp_width,
        activation: Activation::Gelu,
        norm_eps: 1e-6,
        has_patch_bias: true,
        has_class_token: true,
        has_ln_pre: false,
        pooling: VisionPooling::NormMeanNorm,
        projection: Projection::Linear { bias: true },
    })
}
