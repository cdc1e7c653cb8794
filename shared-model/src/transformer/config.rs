//! What a transformer is made by.

use crate::config::{Activation, ClipConfig, NormOrder, Visibility};

/// Sizes of a transformer, and how its blocks compute.
pub(crate) struct TransformerConfig {
    pub layers: usize,
    pub heads: usize,
    pub activation: Activation,
    pub norm_eps: f32,
    pub norm_order: NormOrder,
    /// Whether a token sees only itself and the tokens before it.
    pub is_causal: bool,
}

impl TransformerConfig {
    /// Those of the vision tower.
    pub fn vision(config: &ClipConfig) -> Self {
        let vision = &config.vision;
        Self {
            layers: vision.layers,
            heads: vision.heads,
            activation: vision.activation,
            norm_eps: vision.norm_eps,
            norm_order: NormOrder::Pre,
            is_causal: false,
        }
    }

    /// Those of the text tower.
    pub fn text(config: &ClipConfig) -> Self {
        let text = &config.text;
        Self {
            layers: text.layers,
            heads: text.heads,
            activation: text.activation,
            norm_eps: text.norm_eps,
            norm_order: text.norm_order,
            is_causal: text.visibility == Visibility::Causal,
        }
    }
}
