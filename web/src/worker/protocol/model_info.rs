//! What the page knows of the model.

use serde::{Deserialize, Serialize};
use shared_model::calibration::Calibration;
use shared_model::card::ModelCard;
use shared_model::config::ResizeMode;
use shared_model::labels::LabelSet;
use shared_model::manifest::{Manifest, ManifestFile};

/// The parts of a manifest that the page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ModelInfo {
    pub name: String,
    pub is_trained: bool,
    /// A warning about the model.
    pub notice: Option<String>,
    /// The label sets whose classifiers are shipped with the model.
    pub label_sets: Vec<LabelSet>,
    /// Format of the big matrices, such as `int8`.
    pub weight_format: String,
    /// Side of the square that the model sees, in pixels; `None` if this version does not know the model's config.
    pub image_size: Option<usize>,
    /// Whether it maps where a photo is like a text.
    pub makes_maps: bool,
    /// Whether it sees the square in the middle of a photo, not the whole photo squeezed or padded.
    pub sees_middle: bool,
    /// The model's files, with their hashes.
    pub files: Vec<ManifestFile>,
    /// The label sets for which probabilities are calibrated.
    pub calibrations: Vec<Calibration>,
    /// What people should know of the model; `None` if nobody has said it.
    pub card: Option<ModelCard>,
}

impl From<&Manifest> for ModelInfo {
    fn from(manifest: &Manifest) -> Self {
        let config = manifest.clip_config().ok();
        Self {
            name: manifest.name.clone(),
            is_trained: manifest.trained,
            notice: manifest.notice.clone(),
            label_sets: manifest.label_sets.clone(),
            weight_format: manifest.weight_format.name().into(),
            image_size: config.as_ref().map(|config| config.preprocess.image_size),
            makes_maps: config.as_ref().is_some_and(|config| config.vision.makes_maps()),
            sees_middle: config.is_some_and(|config| config.preprocess.resize_mode == ResizeMode::Shortest),
            files: manifest.files.clone(),
            calibrations: manifest.calibrations.clone(),
            card: manifest.card.clone(),
        }
    }
}

impl ModelInfo {
    /// The notice to show; `None` if the weights are untrained, which has a warning of its own.
    pub fn shown_notice(&self) -> Option<&str> {
        self.notice.as_deref().filter(|_| self.is_trained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_at_most_one_warning_about_a_model() {
        let model = |trained: bool, notice: serde_json::Value| {
            let manifest = serde_json::json!({
                "format": Manifest::FORMAT, "name": "m", "trained": trained, "notice": notice,
                "weight_format": "int8", "config": {}, "files": [], "label_sets": [], "templates": [],
            });
            ModelInfo::from(&Manifest::from_json(manifest.to_string().as_bytes()).unwrap())
        };
        assert_eq!(model(true, "Drawn.".into()).shown_notice(), Some("Drawn."));
        assert_eq!(model(true, serde_json::Value::Null).shown_notice(), None);
        assert_eq!(model(false, "Drawn.".into()).shown_notice(), None);
    }
}
