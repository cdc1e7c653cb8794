//! The targets of fuzzing, and a model small enough to be loaded for every input.

mod served;
pub mod targets;

use dermake_models::init;
use shared_model::config::{ClipConfig, Parameter};
use shared_model::weights::Weights;

/// Sides that every weight format takes, and no more than that.
const CONFIG: &[u8] = include_bytes!("../seeds/config/tiny.json");

/// The config of `seeds/config/tiny.json`.
pub(crate) fn tiny_config() -> ClipConfig {
    ClipConfig::from_open_clip_json(CONFIG).expect("a seed of ours")
}

/// Its first weights, the same each time.
pub(crate) fn tiny_weights(config: &ClipConfig) -> Weights {
    init::weights(config, 0)
}

/// All of a config's parameters.
pub(crate) fn parameters(config: &ClipConfig) -> Vec<Parameter> {
    config.vision_parameters().into_iter().chain(config.text_parameters()).collect()
}

/// The files of a quantized model.
pub(crate) struct Parts {
    manifest: Vec<u8>,
    vision: Vec<u8>,
    classifiers: Vec<u8>,
    text: Vec<u8>,
    merges_gz: Vec<u8>,
}

impl Parts {
    /// Those of a model that loads.
    pub(crate) fn good() -> Self {
        let part = |seed: &[u8]| seed[1..].to_vec();
        Self {
            manifest: part(include_bytes!("../seeds/quantized/manifest")),
            vision: part(include_bytes!("../seeds/quantized/vision")),
            classifiers: part(include_bytes!("../seeds/quantized/classifiers")),
            text: part(include_bytes!("../seeds/quantized/text")),
            merges_gz: part(include_bytes!("../seeds/quantized/merges")),
        }
    }

    /// Puts other bytes in the place of one of them, which its first letter names.
    pub(crate) fn replace(&mut self, letter: u8, bytes: &[u8]) {
        let part = match letter {
            b'v' => &mut self.vision,
            b'c' => &mut self.classifiers,
            b't' => &mut self.text,
            b'z' => &mut self.merges_gz,
            _ => &mut self.manifest,
        };
        *part = bytes.to_vec();
    }
}
