//! What is measured between epochs: the validation loss, and zero-shot accuracy.

use super::model::TrainedModel;
use super::plan::{Plan, ZeroShotSet};
use super::step::{Batch, loss};
use crate::data::{Batch as LoadedBatch, Loader};
use crate::eval::LabelledImages;
use crate::features::ImageFile;
use crate::model::MERGES_GZ;
use crate::objective::{Captions, Objective, Variant};
use crate::pictures;
use anyhow::{Result, anyhow};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use shared_model::labels::Templates;
use shared_model::preprocess::Reading;
use shared_model::tokenizer::Tokenizer;
use shared_model::zero_shot::Classifier;
use std::sync::Arc;

/// Images that are decoded and encoded together.
const IMAGES_AT_ONCE: usize = 64;

/// The captions of a loaded batch that the objective looks at, each distinct one once, and their tokens.
pub fn distinct_captions(batch: &LoadedBatch, objective: &Objective) -> (Captions, Vec<Vec<u32>>) {
    let n_loaded = batch.captions.len() / batch.rows.len();
    let n_kinds = if objective.variant == Variant::Clip { 1 } else { n_loaded };
    let used: Vec<Arc<[u32]>> = batch.captions.chunks(n_loaded).flat_map(|row| &row[..n_kinds]).cloned().collect();
    let mask = batch.caption_mask.chunks(n_loaded).flat_map(|row| &row[..n_kinds]).copied().collect();
    let (captions, distinct) = Captions::distinct(&used, mask, n_kinds);
    (captions, distinct.iter().map(|ids: &Arc<[u32]>| ids.to_vec()).collect())
}

/// Losses over the validation table, each batch weighted by its size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ValidationLoss {
    pub mkcl: f64,
    pub slra: f64,
}

impl ValidationLoss {
    pub fn total(&self) -> f64 {
        self.mkcl + self.slra
    }
}

/// Measures the validation loss, or nothing when the recipe names no validation table.
pub fn validation_loss(plan: &Plan, model: &TrainedModel) -> Result<Option<ValidationLoss>> {
    let Some(source) = &plan.validation else { return Ok(None) };
    let mut loader = Loader::evaluation(source.clone(), &plan.loader_options())?;
    let (mut sum, mut n_samples) = (ValidationLoss::default(), 0.0);
    while let Some(loaded) = loader.next_batch()? {
        let (captions, input_ids) = distinct_captions(&loaded, &plan.recipe.objective);
        let batch = Batch { pixel_values: &loaded.pixel_values, captions: &captions, input_ids: &input_ids };
        let found = loss(model, &plan.recipe.objective, &batch, &plan.recipe.run.micro_batches)?;
        let weight = loaded.rows.len() as f64;
        sum.mkcl += weight * found.mkcl;
        sum.slra += weight * found.slra;
        n_samples += weight;
    }
    Ok(Some(ValidationLoss { mkcl: sum.mkcl / n_samples, slra: sum.slra / n_samples }))
}

/// The share of a table's images whose likeliest label is theirs.
pub fn zero_shot_accuracy(set: &ZeroShotSet, model: &TrainedModel) -> Result<f64> {
    let LabelledImages { files, labels } = LabelledImages::read(&set.table, &set.labels, &set.data)?;
    let tokenizer = Tokenizer::from_merges_gz(MERGES_GZ, model.config.text.context_length)?;
    let text = &model.plain.text;
    let classifier =
        Classifier::build(text, &tokenizer, &set.labels.class_names, &Templates::skin(), &mut |_, _| {})?;
    let mut n_right = 0;
    for (files, labels) in files.chunks(IMAGES_AT_ONCE).zip(labels.chunks(IMAGES_AT_ONCE)) {
        let read = |ImageFile { path, .. }: &ImageFile| -> Result<Tensor> {
            let config = &model.config.preprocess;
            let values = pictures::open_pixel_values(path, config, Reading::Reference);
            let values = values.map_err(|err| anyhow!("{err}: {}", path.display()))?;
            Ok(Tensor::from_vec(values, (3, config.image_size, config.image_size), &Device::Cpu)?)
        };
        let images = files.par_iter().map(read).collect::<Result<Vec<_>>>()?;
        let features = model.plain.vision.image_features(&Tensor::stack(&images, 0)?)?;
        let best: Vec<u32> = classifier.logits(&features)?.argmax(1)?.to_vec1()?;
        n_right += best.iter().zip(labels).filter(|(best, label)| **best as usize == **label).count();
    }
    Ok(n_right as f64 / labels.len() as f64)
}
