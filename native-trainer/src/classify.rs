//! `dermake classify`: ranks labels for photos.

use crate::inputs::{Photo, Tally};
use anyhow::{Context, Result};
use dermake_files::labels;
use dermake_models::options::ModelOptions;
use dermake_process::print::{self, shown};
use dermake_process::progress;
use serde::Serialize;
use shared_model::ZeroShotModel;
use shared_model::labels::{LabelSet, Templates};
use shared_model::preprocess::Reading;
use shared_model::zero_shot::Classifier;
use shared_model::zero_shot::Prediction;
use std::time::Instant;

/// One line of `--json`.
#[derive(Serialize)]
struct Answer<'a> {
    image: &'a str,
    predictions: Vec<Prediction>,
    /// The factor between cosines and logits.
    scale: f64,
    model: &'a str,
    /// From the file's bytes to the ranked answers.
    millis: f64,
}

/// The labels to choose from, and their sentences.
pub struct LabelOptions {
    /// The key of a label set, a file, `-` or the labels themselves.
    pub labels: String,
    /// Sentences with `{}` where the label goes; none means MAKE's skin templates.
    pub templates: Vec<String>,
}

impl LabelOptions {
    fn resolve(&self) -> Result<(LabelSet, Templates)> {
        let templates = Templates::given_or_skin(self.templates.clone())?;
        Ok((labels::from_argument(&self.labels)?, templates))
    }
}

/// The factor between cosines and logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// 100, as in the reference.
    #[default]
    Reference,
    /// What the checkpoint learned.
    Own,
}

impl Scale {
    /// The factor to use with a model; `None` for the usual one.
    ///
    /// # Errors
    /// When the model's files do not have its scale.
    pub fn of(self, model: &ZeroShotModel) -> Result<Option<f64>> {
        match self {
            Self::Reference => Ok(None),
            Self::Own => {
                let scale = model
                    .logit_scale()
                    .context("the model's files have no scale of its own; leave out --scale own")?;
                Ok(Some(f64::from(scale)))
            }
        }
    }
}

/// Form of the answers.
pub struct ClassifyOutput {
    pub top_k: usize,
    pub scale: Scale,
    pub as_json: bool,
    pub reading: Reading,
}

/// Prints an answer for each photo that can be read. Returns how many could and could not be read.
pub fn classify(
    photos: &[Photo],
    model_options: &ModelOptions,
    label_options: &LabelOptions,
    output: &ClassifyOutput,
) -> Result<Tally> {
    let (labels, templates) = label_options.resolve()?;
    let (model, name) = model_options.load()?;
    dermake_models::warn_of(&model);
    let mut classifier = progress::of_prompts(|progress| model.classifier(&labels, &templates, progress))?;
    if let Some(scale) = output.scale.of(&model)? {
        classifier = classifier.with_scale(scale);
    }

    Tally::of(
        photos,
        |photo| answer(photo, &model, &classifier, output),
        |photo, (predictions, millis)| {
            let answer =
                Answer { image: &photo.name, predictions, scale: classifier.scale(), model: &name, millis };
            if output.as_json { print::json(&answer) } else { print::answer(&table(&answer)) }
        },
    )
}

fn answer(
    photo: &Photo,
    model: &ZeroShotModel,
    classifier: &Classifier,
    output: &ClassifyOutput,
) -> Result<(Vec<Prediction>, f64)> {
    let bytes = photo.read()?;
    let started = Instant::now();
    let features = model.decoded_image_features(dermake_pictures::decode(&bytes, output.reading)?)?;
    let predictions = classifier.classify(&features, output.top_k)?.remove(0);
    Ok((predictions, started.elapsed().as_secs_f64() * 1e3))
}

fn table(answer: &Answer) -> String {
    let longest = answer.predictions.iter().map(|p| p.label.chars().count()).max().unwrap_or(0);
    let mut text = format!("{} ({:.0} ms, {})", shown(answer.image), answer.millis, answer.model);
    for (rank, Prediction { label, probability, logit }) in answer.predictions.iter().enumerate() {
        let percent = probability * 100.0;
        text.push_str(&format!("\n{:>4}. {label:<longest$}  {percent:6.2} %  logit {logit:7.3}", rank + 1));
    }
    text
}
