//! The model that the methods look into.

use anyhow::{Context, Result};
use dermake_models::Checkpoint;
use dermake_synth::{MarkedPhoto, conditions};
use shared_model::config::ClipConfig;
use shared_model::labels::{LabelSet, Templates};
use shared_model::weights::{Placement, Weights};
use shared_model::zero_shot::Classifier;
use shared_model::{Clip, VisionTower, ZeroShotModel, demo};

/// A dense model, and its classifier of the drawn conditions.
pub struct Subject {
    pub config: ClipConfig,
    pub weights: Weights,
    pub tower: VisionTower,
    pub classifier: Classifier,
    /// What a crop is to be most like, as one label.
    pub close_up: Classifier,
}

/// The sentence that a sweep of crops is compared with.
const CLOSE_UP: &str = "a close-up of a skin lesion";

impl Subject {
    /// Loads a dense checkpoint, or the demo model.
    pub fn load(model: Option<&str>) -> Result<Self> {
        let cpu = Placement::default();
        let labels = |class_names| LabelSet { key: LabelSet::CUSTOM.into(), title: String::new(), class_names };
        let names: Vec<String> = conditions().into_iter().map(String::from).collect();
        let (config, weights, model) = match model {
            None => {
                let (config, weights) = demo::dense()?;
                (config, weights, demo::model(cpu.clone())?)
            }
            Some(name) => {
                let checkpoint = Checkpoint::open(&dermake_hub::resolve(name)?, None)?;
                let clip = Clip::load(checkpoint.weights.clone(), &checkpoint.config, &cpu)?;
                let model = ZeroShotModel::from_clip(clip, checkpoint.tokenizer()?, true, cpu.clone());
                (checkpoint.config, checkpoint.weights, model)
            }
        };
        let templates = Templates::skin();
        let classifier = model.classifier(&labels(names), &templates, &mut |_, _| ())?;
        let alone = Templates::new(vec!["{}".into()])?;
        let close_up = model.classifier(&labels(vec![CLOSE_UP.into()]), &alone, &mut |_, _| ())?;
        let tower = VisionTower::load(&weights, &config, &cpu)?;
        Ok(Self { config, weights, tower, classifier, close_up })
    }

    /// Returns the index of the photo's condition.
    pub fn label_of(&self, photo: &MarkedPhoto) -> Result<usize> {
        let names = &self.classifier.class_names;
        names.iter().position(|name| name == photo.condition).context("a condition without a label")
    }
}
