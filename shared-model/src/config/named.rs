//! open_clip's ViT-CLIP architectures by name.

use super::section::config_error;
use super::{Activation, Blocks, ClipConfig, PreprocessConfig, TextConfig, TokenizerConfig, VisionConfig};
use crate::Result;

impl ClipConfig {
    /// The names that [`Self::named`] knows.
    pub const ARCHITECTURES: [&str; 4] = ["ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336"];

    /// One of open_clip's ViT-CLIP architectures by name; a `-quickgelu` suffix selects QuickGELU.
    ///
    /// # Errors
    /// [`crate::Error::Config`] listing the names known here.
    pub fn named(architecture: &str) -> Result<Self> {
        // OpenAI writes ViT-B/16 and ViT-L/14@336px.
        let name = architecture.trim().to_ascii_lowercase().replace(['/', '@'], "-").replace("336px", "336");
        let base = name.strip_suffix("-quickgelu");
        let (patch_size, image_size, layers, width, embed_dim, text_width) = match base.unwrap_or(&name) {
            "vit-b-32" => (32, 224, 12, 768, 512, 512),
            "vit-b-16" => (16, 224, 12, 768, 512, 512),
            "vit-l-14" => (14, 224, 24, 1024, 768, 768),
            "vit-l-14-336" => (14, 336, 24, 1024, 768, 768),
            _ => {
                let expected = "ViT-B-32, ViT-B-16, ViT-L-14 or ViT-L-14-336, with or without -quickgelu";
                return Err(config_error("architecture", architecture, expected));
            }
        };
        let activation = if base.is_some() { Activation::QuickGelu } else { Activation::Gelu };
        let blocks = |width| Blocks { width, layers, heads: width / 64, mlp_width: 4 * width, activation };
        Ok(Self {
            embed_dim,
            vision: VisionConfig::plain(image_size, patch_size, blocks(width)),
            text: TextConfig::plain(77, 49408, Blocks { layers: 12, ..blocks(text_width) }),
            has_logit_bias: false,
            preprocess: PreprocessConfig::openai(image_size),
            tokenizer: TokenizerConfig::OpenClip,
        })
    }
}
