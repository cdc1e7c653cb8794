//! Evaluation between epochs: the validation loss and zero-shot accuracies.

use super::early_stopping::{VALIDATION_LOSS, ZERO_SHOT};
use super::model::TrainedModel;
use super::plan::Plan;
use super::rank_batch::{check_bad_rows, n_bad_cells};
use super::ranks::Ranks;
use super::step::{Batch, loss};
use super::tables::ZeroShotSet;
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use dermake_data::{Loader, SampleSource};
use dermake_evaluation::{UnreadableImage, check_unreadable};
use dermake_features::ImageFile;
use dermake_process::interrupt::{self, Interrupted};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use shared_model::config::PreprocessConfig;
use shared_model::labels::Templates;
use shared_model::preprocess::Reading;
use shared_model::zero_shot::Classifier;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// Images that are decoded and encoded together.
const IMAGES_AT_ONCE: usize = 64;

/// Figures by name, the validation loss among them, and a line for each row that has no part in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    pub scalars: Vec<(String, f64)>,
    pub validation_loss: Option<f64>,
    pub not_scored: Vec<String>,
}

/// Evaluates a model repeatedly; names each unreadable image once. Ranks have parts of the tables, and all get the same
/// figures, which do not depend on their number.
pub struct Evaluator<'a> {
    plan: &'a Plan,
    model: &'a TrainedModel,
    ranks: &'a Ranks,
    named: HashSet<String>,
}

impl<'a> Evaluator<'a> {
    pub fn new(plan: &'a Plan, model: &'a TrainedModel, ranks: &'a Ranks) -> Self {
        Self { plan, model, ranks, named: HashSet::new() }
    }

    pub fn ranks(&self) -> &'a Ranks {
        self.ranks
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
        if let Some((loss, single_rows)) = validation_loss(self.plan, self.model, self.ranks)? {
            let of_row = |row: usize| {
                let row = row + 1;
                format!(
                    "row {row} of the validation table is not part of its loss, because its batch has no other row"
                )
            };
            measured
                .not_scored
                .extend(single_rows.into_iter().map(of_row).filter(|line| self.named.insert(line.clone())));
            measured.validation_loss = Some(loss.total());
            let scalars =
                [(VALIDATION_LOSS, loss.total()), ("validation_mkcl", loss.mkcl), ("validation_slra", loss.slra)];
            measured.scalars.extend(scalars.map(|(name, value)| (name.to_string(), value)));
        }
        for set in &self.plan.zero_shot {
            let max_unreadable = self.plan.recipe.data.max_bad_share;
            let ZeroShot { accuracy, unreadable } = zero_shot(set, self.model, self.ranks, max_unreadable)
                .with_context(|| format!("zero-shot accuracy on {}", set.name))?;
            measured.scalars.push((format!("{ZERO_SHOT}{}", set.name), accuracy));
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

/// The losses of one batch of the validation table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct BatchLoss {
    /// The batch's place in the table.
    batch: usize,
    n_samples: usize,
    #[serde(with = "bits")]
    mkcl: f64,
    #[serde(with = "bits")]
    slra: f64,
}

/// Numbers for other ranks as their bits: JSON knows neither NaN nor infinity, which a loss may be.
mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.to_bits().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// Measures the validation loss, or nothing when the recipe names no validation table. Also returns the rows that have no
/// part in it, since each is alone in its batch.
fn validation_loss(
    plan: &Plan,
    model: &TrainedModel,
    ranks: &Ranks,
) -> Result<Option<(ValidationLoss, Vec<usize>)>> {
    let Some(source) = &plan.validation else { return Ok(None) };
    let found = ranks.together(batch_losses(plan, source, model, ranks))?;
    // Each rank has counted its own: whether they are too many must not depend on the number of ranks.
    let n_unreadable: usize = found.iter().map(|part| part.n_unreadable).sum();
    let n_rows = source.table().n_rows_of_part();
    check_bad_rows(n_bad_cells(source) + n_unreadable, n_rows, plan.recipe.data.max_bad_share)
        .context("in the validation table")?;
    let mut single_rows: Vec<usize> = found.iter().flat_map(|part| part.single_rows.iter().copied()).collect();
    single_rows.sort_unstable();
    let mut losses: Vec<BatchLoss> = found.into_iter().flat_map(|part| part.losses).collect();
    // The order of one rank, so that the sums are the same for any number.
    losses.sort_by_key(|loss| loss.batch);
    let (mut sum, mut n_samples) = (ValidationLoss::default(), 0.0);
    for loss in losses {
        let weight = loss.n_samples as f64;
        sum.mkcl += weight * loss.mkcl;
        sum.slra += weight * loss.slra;
        n_samples += weight;
    }
    if n_samples == 0.0 {
        bail!("no row of the validation table could be used");
    }
    Ok(Some((ValidationLoss { mkcl: sum.mkcl / n_samples, slra: sum.slra / n_samples }, single_rows)))
}

/// What a rank has measured on its batches.
#[derive(Clone, Default, Serialize, Deserialize)]
struct PartLosses {
    losses: Vec<BatchLoss>,
    /// Rows that are alone in their batch: nothing is compared there, and the loss would be 0.
    single_rows: Vec<usize>,
    /// Images that cannot be read.
    n_unreadable: usize,
}

/// The losses of this rank's batches.
fn batch_losses(
    plan: &Plan,
    source: &Arc<SampleSource>,
    model: &TrainedModel,
    ranks: &Ranks,
) -> Result<PartLosses> {
    let objective = &plan.recipe.objective;
    let mut loader = Loader::evaluation(source.clone(), &plan.loader_options(ranks))?;
    let mut part = PartLosses::default();
    while let Some(loaded) = loader.next_batch()? {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        if !objective.has_targets(&loaded.captions) {
            continue;
        }
        if let [row] = loaded.rows[..] {
            part.single_rows.push(row);
            continue;
        }
        let batch = Batch { pixels: &loaded.pixels, captions: &loaded.captions, input_ids: &loaded.input_ids };
        let found = loss(model, objective, &batch, &plan.recipe.run.micro_batches)?;
        let (batch, n_samples) = (loaded.position.batch, loaded.rows.len());
        part.losses.push(BatchLoss { batch, n_samples, mkcl: found.mkcl, slra: found.slra });
    }
    part.n_unreadable = loader.n_bad_rows() - n_bad_cells(source);
    Ok(part)
}

/// Zero-shot accuracy on a labeled table.
struct ZeroShot {
    /// The share of the images read whose likeliest label is theirs.
    accuracy: f64,
    unreadable: Vec<UnreadableImage>,
}

fn zero_shot(set: &ZeroShotSet, model: &TrainedModel, ranks: &Ranks, max_unreadable: f64) -> Result<ZeroShot> {
    let of_ranks = ranks.together(own_answers(set, model, ranks))?;
    let n_right: usize = of_ranks.iter().map(|(n_right, _)| n_right).sum();
    // Named with the rank: it may be its disk, and not the image.
    let of_rank = |(rank, (_, mut unreadable)): (usize, (usize, Vec<UnreadableImage>))| {
        let is_other = rank > 0;
        unreadable.iter_mut().filter(|_| is_other).for_each(|image| {
            image.problem = format!("on rank {rank}: {}", image.problem);
        });
        unreadable
    };
    let mut unreadable: Vec<UnreadableImage> = of_ranks.into_iter().enumerate().flat_map(of_rank).collect();
    unreadable.sort_by_key(|image| image.row);
    let n_images = set.images.files.len();
    check_unreadable(&unreadable, n_images, max_unreadable)?;
    Ok(ZeroShot { accuracy: n_right as f64 / (n_images - unreadable.len()) as f64, unreadable })
}

/// Right answers among this rank's images, and those of them that cannot be read.
fn own_answers(set: &ZeroShotSet, model: &TrainedModel, ranks: &Ranks) -> Result<(usize, Vec<UnreadableImage>)> {
    let model = model.for_inference()?;
    let prompts = Classifier::prompts(&set.class_names, &Templates::skin());
    let features = model.encode_texts(&prompts, &mut |_, _| {})?;
    let classifier = Classifier::from_prompts(&set.class_names, &features)?;
    let images = &set.images;
    let (mut n_right, mut unreadable) = (0, Vec::new());
    let starts = (0..images.files.len()).step_by(IMAGES_AT_ONCE);
    for start in starts.skip(ranks.rank()).step_by(ranks.size()) {
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
    Ok((n_right, unreadable))
}

fn not_scored(row: usize, file: &ImageFile, problem: String) -> UnreadableImage {
    UnreadableImage { row: row + 1, file: file.place(), problem }
}

/// `pixel_values` `[3, S, S]` of an image file as the benchmarks read it, or what is wrong with the file.
fn read_image(path: &Path, config: &PreprocessConfig) -> Result<Tensor, String> {
    let values =
        dermake_pictures::open_pixel_values(path, config, Reading::Reference).map_err(|err| err.to_string())?;
    let shape = (3, config.image_size, config.image_size);
    Tensor::from_vec(values, shape, &Device::Cpu).map_err(|err| err.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_not_finite_comes_to_other_ranks_as_it_is() {
        let sent = BatchLoss { batch: 2, n_samples: 3, mkcl: f64::NAN, slra: f64::INFINITY };
        let found: BatchLoss = serde_json::from_slice(&serde_json::to_vec(&sent).unwrap()).unwrap();
        assert!(found.mkcl.is_nan() && found.slra == f64::INFINITY, "{found:?}");
        assert_eq!((found.batch, found.n_samples), (2, 3));
    }
}
