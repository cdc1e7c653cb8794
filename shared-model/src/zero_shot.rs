//! Zero-shot classification: prompts to a classifier, features to ranked labels.
//!
//! The recipe is open_clip's `zero_shot_classifier.py`: unit text features, their mean over the templates, made
//! unit again; logits are 100 times the cosine.

use crate::labels::Templates;
use crate::text::{TextTower, text_length};
use crate::tokenizer::Tokenizer;
use crate::transformer::unit_length;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

/// The factor between cosines and logits that the reference uses, not the learned scale.
pub const LOGIT_FACTOR: f64 = 100.0;

/// Prompts encoded at once: enough to fill the cores, little enough for a phone.
const PROMPT_BATCH: usize = 32;

/// One label and how likely it is among its set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    pub label: String,
    /// Softmax over the label set.
    pub probability: f32,
    /// 100 times the cosine.
    pub logit: f32,
}

/// One unit vector a class.
#[derive(Clone, Debug)]
pub struct Classifier {
    pub class_names: Vec<String>,
    /// `[E, C]` f32
    weights: Tensor,
}

impl Classifier {
    /// Encodes every class name in every template.
    ///
    /// `progress` hears after each batch how many prompts of how many are done.
    pub fn build(
        text: &TextTower,
        tokenizer: &Tokenizer,
        class_names: &[String],
        templates: &Templates,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let features = encode_prompts(text, tokenizer, &Self::prompts(class_names, templates), progress)?;
        Self::from_prompts(class_names, &features)
    }

    /// What is encoded for a classifier: every class name in every template, class by class.
    pub fn prompts(class_names: &[String], templates: &Templates) -> Vec<String> {
        class_names.iter().flat_map(|name| templates.prompts(name)).collect()
    }

    /// From the features of [`Self::prompts`], `[C * K, E]`.
    pub fn from_prompts(class_names: &[String], features: &Tensor) -> Result<Self> {
        let (n_prompts, embed_dim) = features.dims2()?;
        let n_templates = n_prompts / class_names.len().max(1);
        Self::from_embeddings(class_names, &features.reshape((class_names.len(), n_templates, embed_dim))?)
    }

    /// # Shapes
    /// - `text_embeddings`: `[C, K, E]`, of any length
    pub fn from_embeddings(class_names: &[String], text_embeddings: &Tensor) -> Result<Self> {
        let mean = unit_length(&text_embeddings.to_dtype(DType::F32)?)?.mean(1)?;
        Self::from_weights(class_names, unit_length(&mean)?.t()?.contiguous()?)
    }

    /// Takes a classifier that was computed before.
    ///
    /// # Shapes
    /// - `weights`: `[E, C]` f32, columns of unit length
    ///
    /// # Errors
    /// [`Error::Labels`] when the columns are not as many as the names.
    pub fn from_weights(class_names: &[String], weights: Tensor) -> Result<Self> {
        let (_, n_classes) = weights.dims2()?;
        if n_classes != class_names.len() {
            return Err(Error::Labels {
                what: "classifier".into(),
                expected: format!("{} columns", class_names.len()),
                found: n_classes.to_string(),
            });
        }
        Ok(Self { class_names: class_names.to_vec(), weights })
    }

    /// `[E, C]` f32, columns of unit length.
    pub fn weights(&self) -> &Tensor {
        &self.weights
    }

    /// # Shapes
    /// - `image_features`: `[B, E]` f32, rows of unit length
    /// - returns `[B, C]` f32, 100 times the cosines
    pub fn logits(&self, image_features: &Tensor) -> Result<Tensor> {
        Ok((image_features.matmul(&self.weights.to_device(image_features.device())?)? * LOGIT_FACTOR)?)
    }

    /// For each image the `top_k` likeliest labels, likeliest first; equal logits keep the label order.
    pub fn classify(&self, image_features: &Tensor, top_k: usize) -> Result<Vec<Vec<Prediction>>> {
        let logits = self.logits(image_features)?.to_device(&Device::Cpu)?.to_vec2::<f32>()?;
        Ok(logits.iter().map(|row| self.rank(row, top_k)).collect())
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

/// Unit features `[N, E]` f32 of the prompts in their order.
///
/// Equal prompts are encoded once. Texts of like length go together, so that little padding is computed.
pub fn encode_prompts(
    text: &TextTower,
    tokenizer: &Tokenizer,
    prompts: &[String],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Tensor> {
    let rows = tokenizer.encode_batch(prompts)?;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| text_length(&rows[a]).cmp(&text_length(&rows[b])).then_with(|| rows[a].cmp(&rows[b])));

    let mut distinct: Vec<Vec<u32>> = Vec::new();
    let mut place = vec![0u32; rows.len()];
    for index in order {
        if distinct.last() != Some(&rows[index]) {
            distinct.push(rows[index].clone());
        }
        place[index] = distinct.len() as u32 - 1;
    }
    let mut batches = Vec::new();
    let mut n_done = 0;
    for batch in distinct.chunks(PROMPT_BATCH) {
        batches.push(text.text_features(batch)?.to_device(&Device::Cpu)?);
        n_done += batch.len();
        progress(n_done, distinct.len());
    }
    Ok(Tensor::cat(&batches, 0)?.index_select(&Tensor::new(place, &Device::Cpu)?, 0)?)
}

/// Softmax in f64, so that the probabilities of many labels add to one.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - largest).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.into_iter().map(|power| (power / total) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_ranked_and_ties_keep_the_label_order() {
        let names = ["a", "b", "c"].map(String::from);
        let weights = Tensor::new(&[[0.1f32, 0.6, 0.1], [0.0, 0.0, 0.0]], &Device::Cpu).unwrap();
        let classifier = Classifier::from_weights(&names, weights).unwrap();
        let features = Tensor::new(&[[1f32, 0.0]], &Device::Cpu).unwrap();
        let ranked = classifier.classify(&features, 5).unwrap().remove(0);
        assert_eq!(ranked.iter().map(|p| p.label.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
        assert!((ranked.iter().map(|p| p.probability).sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((ranked[0].logit - 60.0).abs() < 1e-4);
        assert_eq!(classifier.classify(&features, 1).unwrap()[0].len(), 1);
        assert!(Classifier::from_weights(&names[..2], classifier.weights().clone()).is_err());
    }
}
