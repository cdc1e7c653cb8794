//! `dermake classify`: ranks labels for photos.

use crate::inputs::{Photo, Tally};
use anyhow::Result;
use dermake_files::labels;
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;
use dermake_models::texts;
use dermake_process::print::{self, shown};
use dermake_process::progress;
use serde::Serialize;
use shared_model::ZeroShotModel;
use shared_model::calibration::Certainty;
use shared_model::labels::{LabelSet, Templates};
use shared_model::preprocess::Reading;
use shared_model::zero_shot::{Answer, Classifier, Prediction};
use std::time::Instant;

/// One line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    image: &'a str,
    #[serde(flatten)]
    answer: Answer,
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
    pub fn resolve(&self) -> Result<(LabelSet, Templates)> {
        let templates = Templates::given_or_skin(self.templates.clone())?;
        Ok((labels::from_argument(&self.labels)?, templates))
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
    output.scale.check(&model)?;
    let classifier = progress::of_prompts(|progress| texts::classifier(&model, &labels, &templates, progress))?;
    let classifier = output.scale.of(classifier, &model, &templates)?;
    tracing::info!("{}", output.scale.in_words(&classifier));

    Tally::of(
        photos,
        |photo| answer(photo, &model, &classifier, output),
        |photo, (answer, millis)| {
            let line = Line { image: &photo.name, answer, scale: classifier.scale(), model: &name, millis };
            if output.as_json { print::json(&line) } else { print::answer(&table(&line)) }
        },
    )
}

fn answer(
    photo: &Photo,
    model: &ZeroShotModel,
    classifier: &Classifier,
    output: &ClassifyOutput,
) -> Result<(Answer, f64)> {
    let bytes = photo.read()?;
    let started = Instant::now();
    let features = model.decoded_image_features(dermake_pictures::decode(&bytes, output.reading)?)?;
    let answer = classifier.answer(&features, output.top_k)?.remove(0);
    Ok((answer, started.elapsed().as_secs_f64() * 1e3))
}

fn table(line: &Line<'_>) -> String {
    let Answer { predictions, certainty } = &line.answer;
    let longest = predictions.iter().map(|p| p.label.chars().count()).max().unwrap_or(0);
    let mut text = format!("{} ({:.0} ms, {})", shown(line.image), line.millis, line.model);
    for (rank, Prediction { label, probability, logit }) in predictions.iter().enumerate() {
        let percent = probability * 100.0;
        text.push_str(&format!("\n{:>4}. {label:<longest$}  {percent:6.2} %  logit {logit:7.3}", rank + 1));
    }
    if let Some(remark) = certainty.as_ref().and_then(remark) {
        text.push_str(&format!("\n      {remark}"));
    }
    text
}

/// What to know before the labels are believed.
fn remark(certainty: &Certainty) -> Option<String> {
    let Certainty { match_score, match_threshold, .. } = certainty;
    if certainty.none_of_these {
        return Some(format!("none of these: no label fits (score {match_score:.3}, below {match_threshold:.3})"));
    }
    certainty.unsure.then(|| "unsure: at this probability, the first label is more often wrong than right".into())
}
