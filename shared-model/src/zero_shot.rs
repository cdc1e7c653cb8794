//! Zero-shot classification: a classifier from prompts, ranked labels from features.
//!
//! As in open_clip's `zero_shot_classifier.py`, a class is the mean of its unit text features over the templates,
//! brought to unit length again. Logits are 100 times the cosine, or as a calibration says.

use crate::calibration::{Calibration, Certainty};
use crate::labels::{LabelSet, Templates};
use crate::text::TextTower;
use crate::text_batches::encode_rows;
use crate::tokenizer::Tokenizer;
use crate::transformer::unit_length;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

pub use crate::logits::{LOGIT_FACTOR, softmax};

/// A label and its probability among the labels of its set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prediction {
    /// The class name.
    pub label: String,
    /// Softmax over the label set.
    pub probability: f32,
    /// The classifier's scale times the cosine: 100 times, unless another scale was chosen.
    pub logit: f32,
}

/// The answer to one photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The most probable labels by descending probability.
    pub predictions: Vec<Prediction>,
    /// Whether to believe them; `None` if the classifier is not calibrated.
    pub certainty: Option<Certainty>,
}

/// The weights of a zero-shot classifier: one unit vector for each class.
#[derive(Clone, Debug)]
pub struct Classifier {
    /// The classes, C of them.
    pub class_names: Vec<String>,
    /// `[E, C]` f32
    weights: Tensor,
    /// The factor between cosines and logits.
    scale: f64,
    calibration: Option<Calibration>,
}

impl Classifier {
    /// Encodes every class name of each label set in every template; returns a classifier for each set, in their order.
    /// What several sets have is encoded once.
    ///
    /// `progress` is called after each batch with the numbers of finished and of all different prompts.
    pub fn build_all(
        text: &TextTower,
        tokenizer: &Tokenizer,
        label_sets: &[LabelSet],
        templates: &Templates,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<Self>> {
        let prompts: Vec<Vec<String>> =
            label_sets.iter().map(|set| Self::prompts(&set.class_names, templates)).collect();
        let features = encode_rows(text, &tokenizer.encode_batch(&prompts.concat())?, progress)?;
        let mut first = 0;
        let of_set = |(set, prompts): (&LabelSet, &Vec<String>)| {
            let features = features.narrow(0, first, prompts.len())?;
            first += prompts.len();
            Self::from_prompts(&set.class_names, &features)
        };
        label_sets.iter().zip(&prompts).map(of_set).collect()
    }

    /// Returns the prompts to encode: every class name in every template, class by class.
    pub fn prompts(class_names: &[String], templates: &Templates) -> Vec<String> {
        class_names.iter().flat_map(|name| templates.prompts(name)).collect()
    }

    /// Creates a classifier from the features of [`Self::prompts`].
    ///
    /// # Shapes
    /// - `features`: `[C * K, E]`
    pub fn from_prompts(class_names: &[String], features: &Tensor) -> Result<Self> {
        let (n_prompts, embed_dim) = features.dims2()?;
        let n_templates = n_prompts / class_names.len().max(1);
        Self::from_embeddings(class_names, &features.reshape((class_names.len(), n_templates, embed_dim))?)
    }

    /// Creates a classifier from text embeddings, which need not have unit length.
    ///
    /// # Shapes
    /// - `text_embeddings`: `[C, K, E]`
    pub fn from_embeddings(class_names: &[String], text_embeddings: &Tensor) -> Result<Self> {
        let mean = unit_length(&text_embeddings.to_dtype(DType::F32)?)?.mean(1)?;
        Self::from_weights(class_names, unit_length(&mean)?.t()?.contiguous()?)
    }

    /// Takes the weights of a classifier that was computed before.
    ///
    /// # Shapes
    /// - `weights`: `[E, C]` f32, columns of unit length
    ///
    /// # Errors
    /// [`Error::Labels`] when there are more or fewer columns than names.
    pub fn from_weights(class_names: &[String], weights: Tensor) -> Result<Self> {
        let (_, n_classes) = weights.dims2()?;
        if n_classes != class_names.len() {
            return Err(Error::Labels {
                what: "classifier".into(),
                expected: format!("{} columns", class_names.len()),
                found: n_classes.to_string(),
            });
        }
        Ok(Self { class_names: class_names.to_vec(), weights, scale: LOGIT_FACTOR, calibration: None })
    }

    /// Returns the classifier with another factor between cosines and logits. The order of the labels stays the same;
    /// the larger the factor, the closer the first probability is to 1. It is not calibrated then.
    pub fn with_scale(self, scale: f64) -> Self {
        Self { scale, calibration: None, ..self }
    }

    /// Returns the classifier with the scale and the thresholds of a calibration for its labels.
    pub fn calibrated(self, calibration: &Calibration) -> Self {
        Self { scale: calibration.scale(), calibration: Some(calibration.clone()), ..self }
    }

    /// Returns the calibration, if there is one.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// Returns the factor between cosines and logits.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Returns the weights, `[E, C]` f32 with columns of unit length.
    pub fn weights(&self) -> &Tensor {
        &self.weights
    }

    /// Returns the logits, the scale times the cosines.
    ///
    /// # Shapes
    /// - `image_features`: `[B, E]` f32, rows of unit length
    /// - returns `[B, C]` f32
    pub fn logits(&self, image_features: &Tensor) -> Result<Tensor> {
        Ok((self.cosines(image_features)? * self.scale)?)
    }

    /// Returns the cosines of images and labels.
    ///
    /// # Shapes
    /// - `image_features`: `[B, E]` f32, rows of unit length
    /// - returns `[B, C]` f32
    pub fn cosines(&self, image_features: &Tensor) -> Result<Tensor> {
        Ok(image_features.matmul(&self.weights.to_device(image_features.device())?)?)
    }

    /// Returns the `top_k` most probable labels of each image by descending probability. Equal logits keep the label
    /// order.
    ///
    /// # Shapes
    /// - `image_features`: `[B, E]` f32, rows of unit length
    pub fn classify(&self, image_features: &Tensor, top_k: usize) -> Result<Vec<Vec<Prediction>>> {
        let logits = self.logits(image_features)?.to_device(&Device::Cpu)?.to_vec2::<f32>()?;
        Ok(logits.iter().map(|row| self.rank(row, top_k)).collect())
    }

    /// Returns for each image what [`Self::classify`] returns, and how far to believe it.
    ///
    /// # Shapes
    /// - `image_features`: `[B, E]` f32, rows of unit length
    pub fn answer(&self, image_features: &Tensor, top_k: usize) -> Result<Vec<Answer>> {
        let ranked = self.classify(image_features, top_k.max(1))?;
        let cosines = self.cosines(image_features)?.to_device(&Device::Cpu)?.to_vec2::<f32>()?;
        let answer = |(mut predictions, cosines): (Vec<Prediction>, Vec<f32>)| {
            let first = predictions.first().map_or(0.0, |first| first.probability);
            let certainty = self.calibration.as_ref().map(|found| found.certainty(&cosines, first));
            predictions.truncate(top_k);
            Answer { predictions, certainty }
        };
        Ok(ranked.into_iter().zip(cosines).map(answer).collect())
    }

    fn rank(&self, logits: &[f32], top_k: usize) -> Vec<Prediction> {
        let probabilities = softmax(logits);
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        let prediction = |&class: &usize| Prediction {
            label: self.class_names[class].clone(),
            probability: probabilities[class],
            logit: logits[class],
        };
        order.iter().take(top_k).map(prediction).collect()
    }
}

#[cfg(test)]
mod tests;
