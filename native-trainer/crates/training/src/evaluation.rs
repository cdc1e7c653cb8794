//! Evaluation between epochs: the validation loss and zero-shot accuracies.

use super::model::TrainedModel;
use super::plan::{Plan, ZeroShotSet};
use super::step::{Batch, loss};
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use dermake_data::Loader;
use dermake_evaluation::{UnreadableImage, check_unreadable};
use dermake_features::ImageFile;
use dermake_process::interrupt::{self, Interrupted};
use rayon::prelude::*;
use shared_model::config::PreprocessConfig;
use shared_model::labels::Templates;
use shared_model::preprocess::Reading;
use shared_model::zero_shot::Classifier;
use std::collections::HashSet;
use std::path::Path;

/// Images that are decoded and encoded together.
const IMAGES_AT_ONCE: usize = 64;

/// Figures by name, the validation loss among them, and a line for each image that has no part in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    pub scalars: Vec<(String, f64)>,
    pub validation_loss: Option<f64>,
    pub not_scored: Vec<String>,
}

/// Evaluates a model repeatedly; names each unreadable image once.
pub struct Evaluator<'a> {
    plan: &'a Plan,
    model: &'a TrainedModel,
    named: HashSet<String>,
}

impl<'a> Evaluator<'a> {
    pub fn new(plan: &'a Plan, model: &'a TrainedModel) -> Self {
        Self { plan, model, named: HashSet::new() }
    }

    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    pub fn model(&self) -> &'a TrainedModel {
        self.model
    }

    /// Measures the validation loss and zero-shot accuracies of the recipe.
    ///
    /// # Errors
    /// [`Interrupted`] on Ctrl-C; when too many images of a table cannot be read; when the model fails.
    pub fn measure(&mut self) -> Result<Measured> {
        let mut measured = Measured::default();
        if let Some(loss) = validation_loss(self.plan, self.model)? {
            measured.validation_loss = Some(loss.total());
            let scalars =
                [("validation_loss", loss.total()), ("validation_mkcl", loss.mkcl), ("validation_slra", loss.slra)];
            measured.scalars.extend(scalars.map(|(name, value)| (name.to_string(), value)));
        }
        for set in &self.plan.zero_shot {
            let ZeroShot { accuracy, unreadable } = zero_shot(set, self.model, self.plan.recipe.data.max_bad_share)
                .with_context(|| format!("zero-shot accuracy on {}", set.name))?;
            measured.scalars.push((format!("zero_shot_top1_{}", set.name), accuracy));
            if !unreadable.is_empty() {
                measured.scalars.push((format!("unreadable_{}", set.name), unreadable.len() as f64));
            }
            for UnreadableImage { row, file, problem } in unreadable {
                let line = format!("row {row} of {} is not scored: {problem}: {file}", set.name);
                if self.named.insert(line.clone()) {
                    measured.not_scored.push(line);
                }
            }
        }
        Ok(measured)
    }
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
fn validation_loss(plan: &Plan, model: &TrainedModel) -> Result<Option<ValidationLoss>> {
    let Some(source) = &plan.validation else { return Ok(None) };
    let objective = &plan.recipe.objective;
    let mut loader = Loader::evaluation(source.clone(), &plan.loader_options())?;
    let (mut sum, mut n_samples) = (ValidationLoss::default(), 0.0);
    while let Some(loaded) = loader.next_batch()? {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        if !objective.has_targets(&loaded.captions) {
            continue;
        }
        let batch = Batch { pixels: &loaded.pixels, captions: &loaded.captions, input_ids: &loaded.input_ids };
        let found = loss(model, objective, &batch, &plan.recipe.run.micro_batches)?;
        let weight = loaded.rows.len() as f64;
        sum.mkcl += weight * found.mkcl;
        sum.slra += weight * found.slra;
        n_samples += weight;
    }
    if n_samples == 0.0 {
        bail!("no row of the validation table could be used");
    }
    Ok(Some(ValidationLoss { mkcl: sum.mkcl / n_samples, slra: sum.slra / n_samples }))
}

/// Zero-shot accuracy on a labeled table.
struct ZeroShot {
    /// The share of the images read whose likeliest label is theirs.
    accuracy: f64,
    unreadable: Vec<UnreadableImage>,
}

fn zero_shot(set: &ZeroShotSet, model: &TrainedModel, max_unreadable: f64) -> Result<ZeroShot> {
    let model = model.for_inference()?;
    let prompts = Classifier::prompts(&set.class_names, &Templates::skin());
    let features = model.encode_texts(&prompts, &mut |_, _| {})?;
    let classifier = Classifier::from_prompts(&set.class_names, &features)?;
    let images = &set.images;
    let (mut n_right, mut unreadable) = (0, Vec::new());
    for start in (0..images.files.len()).step_by(IMAGES_AT_ONCE) {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        let rows = start..images.files.len().min(start + IMAGES_AT_ONCE);
        let read = |row: usize| read_image(&images.files[row].path, &model.config.preprocess);
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (row, image) in rows.clone().zip(rows.into_par_iter().map(read).collect::<Vec<_>>()) {
            match image {
                Ok(image) => {
                    pixels.push(image);
                    labels.push(images.labels[row]);
                }
                Err(problem) => unreadable.push(not_scored(row, &images.files[row], problem)),
            }
        }
        if !pixels.is_empty() {
            let features = model.pixel_features(&Tensor::stack(&pixels, 0)?)?;
            let best: Vec<u32> = classifier.logits(&features)?.argmax(1)?.to_vec1()?;
            n_right += best.iter().zip(&labels).filter(|(best, label)| **best as usize == **label).count();
        }
    }
    check_unreadable(&unreadable, images.files.len(), max_unreadable)?;
    let accuracy = n_right as f64 / (images.files.len() - unreadable.len()) as f64;
    Ok(ZeroShot { accuracy, unreadable })
}

fn not_scored(row: usize, file: &ImageFile, problem: String) -> UnreadableImage {
    UnreadableImage { row: row + 1, file: file.path.display().to_string(), problem }
}

/// `pixel_values` `[3, S, S]` of an image file as the benchmarks read it, or what is wrong with the file.
fn read_image(path: &Path, config: &PreprocessConfig) -> Result<Tensor, String> {
    let values =
        dermake_pictures::open_pixel_values(path, config, Reading::Reference).map_err(|err| err.to_string())?;
    let shape = (3, config.image_size, config.image_size);
    Tensor::from_vec(values, shape, &Device::Cpu).map_err(|err| err.to_string())
}
