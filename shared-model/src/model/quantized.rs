//! A quantized model from the files that its manifest lists.

use super::ZeroShotModel;
use super::logit_scale::logit_scale_of;
use super::towers::Towers;
#[cfg(doc)]
use crate::Error;
use crate::Result;
use crate::labels::Templates;
use crate::manifest::Manifest;
use crate::text::TextTower;
use crate::tokenizer::Tokenizer;
use crate::tower_engine::TowerEngine;
use crate::vision::VisionTower;
use crate::weights::{Placement, Weights};
use crate::zero_shot::Classifier;
use bytes::Bytes;
use std::collections::BTreeMap;

impl ZeroShotModel {
    /// Loads the vision tower of a quantized model and its classifiers.
    ///
    /// # Errors
    /// [`Error::Config`] for an unsupported manifest, [`Error::CheckpointMismatch`] for weights that do not fit it.
    pub fn from_quantized(
        manifest: &Manifest,
        vision: Bytes,
        classifiers: Bytes,
        placement: Placement,
    ) -> Result<Self> {
        let config = manifest.clip_config()?;
        let vision = VisionTower::load(&Weights::from_safetensors(vision)?, &config, &placement)?;
        Self::of_manifest(manifest, Towers::own(vision, None), classifiers, placement)
    }

    /// Creates a quantized model whose towers `engine` computes, with its classifiers and its tokenizer from its files
    /// by their names. `text` has the learned scale.
    ///
    /// # Errors
    /// [`Error::Config`] for an unsupported manifest, [`Error::Vocabulary`] for a damaged tokenizer.
    pub fn from_quantized_engine(
        manifest: &Manifest,
        engine: Box<dyn TowerEngine>,
        classifiers: Bytes,
        text: &Weights,
        tokenizer: &BTreeMap<String, Bytes>,
    ) -> Result<Self> {
        let model = Self::of_manifest(manifest, Towers::Engine(engine), classifiers, Placement::default())?;
        let tokenizer =
            Tokenizer::from_files(tokenizer, &model.config.tokenizer, model.config.text.context_length)?;
        Ok(Self { tokenizer: Some(tokenizer), logit_scale: logit_scale_of(text)?, ..model })
    }

    fn of_manifest(manifest: &Manifest, towers: Towers, classifiers: Bytes, placement: Placement) -> Result<Self> {
        let classifiers = Weights::from_safetensors(classifiers)?;
        let on_cpu = Placement::default();
        let shipped = manifest.label_sets.iter().map(|set| {
            let weights = classifiers.tensor(&set.key, &on_cpu)?;
            Ok((set.key.clone(), Classifier::from_weights(&set.class_names, weights)?))
        });
        Ok(Self {
            shipped: shipped.collect::<Result<_>>()?,
            shipped_templates: Some(Templates::new(manifest.templates.clone())?),
            calibrations: manifest.calibrations.clone(),
            config: manifest.clip_config()?,
            is_trained: manifest.trained,
            notice: manifest.notice.clone(),
            towers,
            tokenizer: None,
            logit_scale: None,
            placement,
        })
    }

    /// Loads the text tower of a quantized model, and its tokenizer from its files by their names.
    ///
    /// # Errors
    /// [`Error::CheckpointMismatch`] for weights that do not fit, [`Error::Vocabulary`] for a damaged tokenizer.
    pub fn add_text(&mut self, text: Bytes, tokenizer: &BTreeMap<String, Bytes>) -> Result<()> {
        let weights = Weights::from_safetensors(text)?;
        let logit_scale = logit_scale_of(&weights)?;
        let tower = TextTower::load(&weights, &self.config, &self.placement)?;
        let tokenizer = Tokenizer::from_files(tokenizer, &self.config.tokenizer, self.config.text.context_length)?;
        if let Towers::Own(own) = &mut self.towers {
            (own.text, self.tokenizer, self.logit_scale) = (Some(tower), Some(tokenizer), logit_scale);
        }
        Ok(())
    }
}
