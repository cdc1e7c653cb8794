//! The families of towers: how each is recognized by its keys, and what its library calls the parameters.

use super::key_rules::{BERT, OPEN_CLIP_TEXT, PANDERM, Rule, TIMM, TRANSFORMERS_TEXT, TRANSFORMERS_VISION};

/// One of a model's two encoders.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tower {
    Vision,
    Text,
}

/// A family of towers of one library.
pub(super) struct Family {
    /// A key that each of its towers has once, and no other family has.
    pub key: &'static str,
    pub tower: Tower,
    /// Where its parameters are; empty where all keys are open_clip's own.
    pub rules: &'static [Rule],
}

const fn vision(key: &'static str, rules: &'static [Rule]) -> Family {
    Family { key, tower: Tower::Vision, rules }
}

const fn text(key: &'static str, rules: &'static [Rule]) -> Family {
    Family { key, tower: Tower::Text, rules }
}

/// All families. A key that ends like another one comes before it.
pub(super) static FAMILIES: [Family; 7] = [
    vision("visual.conv1.weight", &[]),
    vision("visual.trunk.patch_embed.proj.weight", TIMM),
    vision("visual.patch_embed.proj.weight", PANDERM),
    vision("vision_model.embeddings.patch_embedding.weight", TRANSFORMERS_VISION),
    text("transformer.embeddings.word_embeddings.weight", BERT),
    text("text_model.embeddings.token_embedding.weight", TRANSFORMERS_TEXT),
    text("token_embedding.weight", OPEN_CLIP_TEXT),
];
