//! Locked parts of a model: they stay as the run found them, and cost neither gradients nor moments.
//!
//! `image = true` with text trained is LiT (arXiv 2111.07991), open_clip's `--lock-image`.

use super::parameters::{is_decayed, parameters};
use super::place::{Depth, Tower, n_blocks, place};
use anyhow::{Result, ensure};
use dermake_engine::{Locked, ParameterLayout};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared_model::config::ClipConfig;

/// What a run does not change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Whether the whole image tower is locked.
    #[serde(default)]
    pub image: bool,
    /// Locks the patch embedding and this many blocks of the image tower, from the first on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_blocks: Option<usize>,
    /// Whether the whole text tower is locked.
    #[serde(default)]
    pub text: bool,
    /// Locks the token embedding and this many blocks of the text tower, from the first on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_blocks: Option<usize>,
}

impl Lock {
    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// When a tower is locked in two ways, or nothing is left to train.
    pub fn validate(&self) -> Result<()> {
        for (name, is_whole, blocks) in
            [("image", self.image, self.image_blocks), ("text", self.text, self.text_blocks)]
        {
            ensure!(!is_whole || blocks.is_none(), "there are {name} and {name}_blocks, expected one of them");
        }
        ensure!(
            !(self.image && self.text),
            "image and text are true, which leaves nothing to train but the logit scale; expected one of them"
        );
        Ok(())
    }

    /// Checks that a model has the blocks.
    ///
    /// # Errors
    /// Names the tower that has fewer.
    pub fn check_blocks(&self, config: &ClipConfig) -> Result<()> {
        for (name, blocks, tower) in
            [("image", self.image_blocks, Tower::Image), ("text", self.text_blocks, Tower::Text)]
        {
            let there = n_blocks(config, tower);
            ensure!(
                blocks.is_none_or(|blocks| blocks <= there),
                "lock.{name}_blocks is {}, but the {name} tower has {there} blocks",
                blocks.unwrap_or_default()
            );
        }
        Ok(())
    }

    /// The locked part of a tower.
    pub fn of(&self, tower: Tower) -> Locked {
        let (is_whole, blocks) = match tower {
            Tower::Image => (self.image, self.image_blocks),
            Tower::Text => (self.text, self.text_blocks),
        };
        if is_whole { Locked::Tower } else { blocks.map_or(Locked::Nothing, Locked::Blocks) }
    }

    /// Whether a parameter is locked.
    pub fn locks(&self, name: &str) -> bool {
        place(name).is_some_and(|(tower, depth)| match (self.of(tower), depth) {
            (Locked::Nothing, _) | (Locked::Blocks(_), Depth::Head) => false,
            (Locked::Tower, _) | (Locked::Blocks(_), Depth::Embeddings) => true,
            (Locked::Blocks(n), Depth::Block(block)) => block < n,
        })
    }

    /// The places of a model's parameters, the locked ones last.
    pub fn layout(&self, config: &ClipConfig) -> ParameterLayout {
        ParameterLayout::with_locked(&parameters(config), is_decayed, |name| self.locks(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_its_parameters_and_no_others() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let lock = Lock { image_blocks: Some(2), text: true, ..Lock::default() };
        lock.validate().unwrap();
        lock.check_blocks(&config).unwrap();
        for (name, is_locked) in [
            ("visual.conv1.weight", true),
            ("visual.ln_pre.bias", true),
            ("visual.transformer.resblocks.1.mlp.c_fc.weight", true),
            ("visual.transformer.resblocks.2.mlp.c_fc.weight", false),
            ("visual.transformer.resblocks.11.ln_1.bias", false),
            ("visual.proj", false),
            ("transformer.resblocks.11.ln_1.bias", true),
            ("text_projection", true),
            ("logit_scale", false),
        ] {
            assert_eq!(lock.locks(name), is_locked, "{name}");
        }
        let embeddings = Lock { image_blocks: Some(0), ..Lock::default() };
        assert!(embeddings.locks("visual.class_embedding"));
        assert!(!embeddings.locks("visual.transformer.resblocks.0.ln_1.bias"));
        let error =
            Lock { text_blocks: Some(13), ..Lock::default() }.check_blocks(&config).unwrap_err().to_string();
        assert_eq!(error, "lock.text_blocks is 13, but the text tower has 12 blocks");
    }

    #[test]
    fn locks_that_contradict_or_leave_nothing_are_refused() {
        let both = Lock { image: true, image_blocks: Some(2), ..Lock::default() };
        assert!(both.validate().unwrap_err().to_string().contains("image and image_blocks"));
        let all = Lock { image: true, text: true, ..Lock::default() };
        assert!(all.validate().unwrap_err().to_string().contains("nothing to train"));
    }
}
