//! A quantized model's `manifest.json`, and the config, labels and templates in it.

use shared_model::config::ClipConfig;
use shared_model::labels::Templates;
use shared_model::manifest::Manifest;

/// Reads the input as a manifest, and what is written of it again.
pub(super) fn run(json: &[u8]) {
    let Ok(manifest) = Manifest::from_json(json) else { return };
    for file in &manifest.files {
        assert!(!file.file.contains(['/', '\\']), "{} leads out of the folder", file.file);
    }
    let written = serde_json::to_vec(&manifest).expect("what was JSON can be JSON again");
    assert_eq!(Manifest::from_json(&written).expect("it was read before"), manifest);
    let _ = ClipConfig::from_json(manifest.config.to_string().as_bytes());
    let _ = Templates::new(manifest.templates);
}
