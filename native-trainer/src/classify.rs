//! `dermake classify`: names what is on photos.

use crate::device::placement;
use crate::model;
use crate::options::{LabelOptions, ModelOptions};
use crate::pictures;
use anyhow::{Context, Result};
use serde::Serialize;
use shared_model::ZeroShotModel;
use shared_model::api::Prediction;
use shared_model::preprocess::Reading;
use shared_model::zero_shot::Classifier;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// One line of `--json`.
#[derive(Serialize)]
struct Answer<'a> {
    image: &'a str,
    predictions: Vec<Prediction>,
    model: &'a str,
    /// From the file's bytes to the ranked answers.
    millis: f64,
}

/// How the answers are written.
pub struct ClassifyOutput {
    pub top_k: usize,
    pub as_json: bool,
    pub reading: Reading,
}

/// Answers for every image that can be read; returns whether all could.
pub fn classify(
    images: &[PathBuf],
    model_options: &ModelOptions,
    label_options: &LabelOptions,
    output: &ClassifyOutput,
) -> Result<bool> {
    let (labels, templates) = label_options.resolve()?;
    let placement = placement(model_options.device, model_options.dtype)?;
    let (model, name) = model::load(&model_options.model, model_options.arch.as_deref(), &placement)?;
    model::warn_of(&model);
    let progress = crate::progress::prompts();
    let classifier = model.classifier(&labels, &templates, &mut |done, total| {
        progress.set_length(total as u64);
        progress.set_position(done as u64);
    })?;
    progress.finish_and_clear();

    let mut all_read = true;
    let mut stdout = std::io::stdout().lock();
    for path in images {
        match answer(path, &model, &classifier, output) {
            Ok((predictions, millis)) => {
                let image = path.to_string_lossy();
                let answer = Answer { image: &image, predictions, model: &name, millis };
                let text = if output.as_json { serde_json::to_string(&answer)? } else { table(&answer) };
                writeln!(stdout, "{text}").context("cannot write the answer")?;
            }
            Err(err) => {
                all_read = false;
                tracing::error!("{err:#}: {}", path.display());
            }
        }
    }
    Ok(all_read)
}

fn answer(
    path: &Path,
    model: &ZeroShotModel,
    classifier: &Classifier,
    output: &ClassifyOutput,
) -> Result<(Vec<Prediction>, f64)> {
    let bytes = pictures::read(path)?;
    let started = Instant::now();
    let features = model.decoded_image_features(&pictures::decode(&bytes, output.reading)?)?;
    let predictions = classifier.classify(&features, output.top_k)?.remove(0);
    Ok((predictions, started.elapsed().as_secs_f64() * 1e3))
}

fn table(answer: &Answer) -> String {
    let longest = answer.predictions.iter().map(|p| p.label.chars().count()).max().unwrap_or(0);
    let mut text = format!("{} ({:.0} ms, {})", answer.image, answer.millis, answer.model);
    for (rank, Prediction { label, probability, logit }) in answer.predictions.iter().enumerate() {
        let percent = probability * 100.0;
        text.push_str(&format!("\n{:>4}. {label:<longest$}  {percent:6.2} %  logit {logit:7.3}", rank + 1));
    }
    text
}
