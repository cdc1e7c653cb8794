//! `open_clip_config.json`, and the config of a quantized model.

use crate::parameters;
use shared_model::config::ClipConfig;

/// Reads the input as a config, and what is written of it again.
pub(super) fn run(json: &[u8]) {
    let Ok(config) = ClipConfig::from_json(json) else { return };
    let written = config.to_json().to_string();
    let again = ClipConfig::from_json(written.as_bytes()).expect("what we write is what we read");
    assert_eq!(again, config, "{written}");
    assert!(parameters(&config).iter().all(|parameter| !parameter.shape.contains(&0)));
}
