//! A model that classifies photos: its towers, and the classifiers that came with it.

mod cut_texts;
mod logit_scale;
mod maps;
mod quantized;
mod towers;

use crate::calibration::Calibration;
use crate::config::ClipConfig;
use crate::labels::{LabelSet, Templates};
use crate::preprocess::{DecodedImage, Reading, preprocess, preprocess_decoded};
use crate::text::TextTower;
use crate::text_batches::{TextBatches, encode_rows};
use crate::tokenizer::Tokenizer;
use crate::tower_engine::TowerEngine;
use crate::vision::VisionTower;
use crate::weights::{Placement, Weights};
use crate::zero_shot::{Classifier, Prediction};
use crate::{Clip, Error, Result};
use candle_core::Tensor;
use logit_scale::logit_scale_of;
use std::collections::BTreeMap;
use towers::Towers;

/// Ranks labels for the bytes of a photo.
///
/// The text tower is optional: the classifiers of the built-in label sets come with a quantized model, so only other
/// labels need it.
pub struct ZeroShotModel {
    /// Sizes and preprocessing.
    pub config: ClipConfig,
    /// False for a model with random weights, whose answers mean nothing.
    pub is_trained: bool,
    /// A warning to show with every answer. [`Self::from_clip`] leaves it to the caller.
    pub notice: Option<String>,
    towers: Towers,
    tokenizer: Option<Tokenizer>,
    logit_scale: Option<f32>,
    shipped: BTreeMap<String, Classifier>,
    shipped_templates: Option<Templates>,
    calibrations: Vec<Calibration>,
    placement: Placement,
}

impl ZeroShotModel {
    /// Creates a model with both towers.
    pub fn from_clip(clip: Clip, tokenizer: Tokenizer, is_trained: bool, placement: Placement) -> Self {
        let logit_scale = Some(clip.logit_scale());
        let towers = Towers::own(clip.vision, Some(clip.text));
        Self { logit_scale, ..Self::with_towers(towers, clip.config, tokenizer, is_trained, placement) }
    }

    /// Creates a model from its towers, such as those over the parameters of a training run.
    pub fn from_towers(
        vision: VisionTower,
        text: TextTower,
        config: ClipConfig,
        tokenizer: Tokenizer,
        placement: Placement,
    ) -> Self {
        let towers = Towers::own(vision, Some(text));
        Self::with_towers(towers, config, tokenizer, true, placement)
    }

    /// Creates a model whose towers `engine` computes, in the device and type of `placement`.
    pub fn from_engine(
        engine: Box<dyn TowerEngine>,
        config: ClipConfig,
        tokenizer: Tokenizer,
        is_trained: bool,
        placement: Placement,
    ) -> Self {
        Self::with_towers(Towers::Engine(engine), config, tokenizer, is_trained, placement)
    }

    fn with_towers(
        towers: Towers,
        config: ClipConfig,
        tokenizer: Tokenizer,
        is_trained: bool,
        placement: Placement,
    ) -> Self {
        Self {
            config,
            is_trained,
            notice: None,
            towers,
            tokenizer: Some(tokenizer),
            logit_scale: None,
            shipped: BTreeMap::new(),
            shipped_templates: None,
            calibrations: Vec::new(),
            placement,
        }
    }

    /// Takes the learned scale from the weights that the towers were loaded from.
    ///
    /// # Errors
    /// When the tensor is no number.
    pub fn with_logit_scale_of(self, weights: &Weights) -> Result<Self> {
        Ok(Self { logit_scale: logit_scale_of(weights)?, ..self })
    }

    /// Returns the classifier of these labels and templates that came with the model: it needs no text tower.
    pub fn shipped_classifier(&self, labels: &LabelSet, templates: &Templates) -> Option<&Classifier> {
        let is_of_templates = self.shipped_templates.as_ref() == Some(templates);
        let shipped = self.shipped.get(&labels.key).filter(|_| is_of_templates)?;
        (shipped.class_names == labels.class_names).then_some(shipped)
    }

    /// Returns the calibration that came with the model for these labels, in any order, and templates.
    pub fn calibration(&self, class_names: &[String], templates: &Templates) -> Option<&Calibration> {
        let is_of_templates = self.shipped_templates.as_ref() == Some(templates);
        self.calibrations.iter().find(|calibration| is_of_templates && calibration.is_of(class_names))
    }

    /// Returns the classifier of these templates with the calibration that came with the model, if there is one.
    pub fn calibrated(&self, classifier: Classifier, templates: &Templates) -> Classifier {
        match self.calibration(&classifier.class_names, templates) {
            Some(calibration) => classifier.calibrated(calibration),
            None => classifier,
        }
    }

    /// Returns the scale that the model learned for its logits; `None` for a quantized model without its text tower, whose
    /// file has it.
    pub fn logit_scale(&self) -> Option<f32> {
        self.logit_scale
    }

    /// Returns whether the text tower is loaded.
    pub fn has_text(&self) -> bool {
        self.tokenizer.is_some()
    }

    /// Returns the device and type in which the towers compute.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Encodes texts; returns their features `[n, E]` f32, rows of unit length.
    ///
    /// `progress` is called after each batch with the numbers of finished and of all texts.
    ///
    /// # Errors
    /// [`Error::TextTowerMissing`] when the text tower was not added.
    pub fn encode_texts(&self, texts: &[String], progress: &mut dyn FnMut(usize, usize)) -> Result<Tensor> {
        encode_rows(self.towers.text_encoder()?, &self.tokenize(texts)?, progress)
    }

    /// Returns the batches of texts in which [`Self::encode_texts`] encodes them.
    ///
    /// # Errors
    /// As [`Self::tokenize`].
    pub fn text_batches(&self, texts: &[String]) -> Result<TextBatches<'_>> {
        Ok(TextBatches::new(self.towers.text_encoder()?, &self.tokenize(texts)?))
    }

    /// Tokenizes texts; returns their `input_ids` `[n, L]`, padded to the context length.
    ///
    /// # Errors
    /// [`Error::TextTowerMissing`] when the text tower was not added, [`Error::TextTooLong`].
    pub fn tokenize(&self, texts: &[String]) -> Result<Vec<Vec<u32>>> {
        self.tokenizer.as_ref().ok_or(Error::TextTowerMissing)?.encode_batch(texts)
    }

    /// Returns the batches of texts that [`Self::tokenize`] has tokenized.
    ///
    /// # Errors
    /// [`Error::TextTowerMissing`] when the text tower was not added; [`Error::Labels`] for rows of different lengths, rows
    /// that are too long, and rows with ids that the model does not know.
    pub fn id_batches(&self, input_ids: &[Vec<u32>]) -> Result<TextBatches<'_>> {
        let (most, n_ids) = (self.config.text.context_length, self.config.text.vocab_size);
        let length = input_ids.first().map_or(0, Vec::len);
        let is_known = |row: &Vec<u32>| {
            row.len() == length && (1..=most).contains(&length) && row.iter().all(|&id| (id as usize) < n_ids)
        };
        if let Some(row) = input_ids.iter().find(|row| !is_known(row)) {
            return Err(Error::Labels {
                what: "input_ids".into(),
                expected: format!("rows of one length, of 1 to {most} ids below {n_ids}"),
                found: format!("a row of {} ids up to {}", row.len(), row.iter().max().unwrap_or(&0)),
            });
        }
        Ok(TextBatches::new(self.towers.text_encoder()?, input_ids))
    }

    /// Returns the classifier of these labels and templates: the shipped one, or one that is computed now.
    ///
    /// `progress` is called after each batch with the numbers of finished and of all prompts.
    ///
    /// # Errors
    /// [`Error::TextTowerMissing`] when the text tower is needed and was not added.
    pub fn classifier(
        &self,
        labels: &LabelSet,
        templates: &Templates,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Classifier> {
        if let Some(shipped) = self.shipped_classifier(labels, templates) {
            return Ok(shipped.clone());
        }
        let prompts = Classifier::prompts(&labels.class_names, templates);
        Classifier::from_prompts(&labels.class_names, &self.encode_texts(&prompts, progress)?)
    }

    /// Returns the `top_k` most probable labels of one photo by descending probability.
    ///
    /// # Errors
    /// The image errors of [`preprocess`].
    pub fn classify(
        &self,
        image: &[u8],
        reading: Reading,
        classifier: &Classifier,
        top_k: usize,
    ) -> Result<Vec<Prediction>> {
        let features = self.image_features(image, reading)?;
        Ok(classifier.classify(&features, top_k)?.remove(0))
    }

    /// Encodes one photo; returns its feature `[1, E]` f32, of unit length.
    ///
    /// # Errors
    /// The image errors of [`preprocess`].
    pub fn image_features(&self, image: &[u8], reading: Reading) -> Result<Tensor> {
        let pixel_values = preprocess(image, &self.config.preprocess, reading)?;
        self.pixel_features(&pixel_values.unsqueeze(0)?)
    }

    /// Encodes images; returns their features `[B, E]` f32, rows of unit length.
    ///
    /// # Shapes
    /// - `pixels`: `[B, 3, S, S]`, RGB in u8 or normalized in f32 by [`preprocess`]
    ///
    /// # Errors
    /// [`Error::NotFinite`] and [`Error::Tensor`].
    pub fn pixel_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.towers.image_features(pixels, &self.config.preprocess)
    }

    /// Encodes images; returns their features `[B, E]` f32 as the tower gives them, not of unit length.
    ///
    /// # Shapes
    /// - `pixel_values`: `[B, 3, S, S]`, normalized
    ///
    /// # Errors
    /// As [`Self::pixel_features`].
    pub fn raw_pixel_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        self.towers.raw_image_features(pixel_values)
    }

    /// Encodes images; returns their pooled tokens `[B, D]` f32, before the projection; see
    /// [`VisionTower::pooled_features`].
    ///
    /// # Shapes
    /// - `pixel_values`: `[B, 3, S, S]`, normalized
    ///
    /// # Errors
    /// As [`Self::pixel_features`]; for a model whose towers an engine computes.
    pub fn pooled_pixel_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        self.towers.pooled_image_features(pixel_values)
    }

    /// Encodes one decoded photo; returns its feature `[1, E]` f32, of unit length.
    ///
    /// The photo's pixels are freed before the tower computes.
    ///
    /// # Errors
    /// [`Error::NotFinite`] and [`Error::Tensor`].
    pub fn decoded_image_features(&self, image: DecodedImage) -> Result<Tensor> {
        let pixel_values = preprocess_decoded(&image, &self.config.preprocess)?;
        drop(image);
        self.pixel_features(&pixel_values.unsqueeze(0)?)
    }
}

#[cfg(test)]
mod tests;
