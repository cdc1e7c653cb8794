//! `dermake classify`.

use crate::classify::{ClassifyOutput, classify};
use crate::cli::options::{LabelArguments, ModelArguments, scale};
use crate::inputs::gather;
use anyhow::Result;
use clap::Args;
use dermake_models::scale::Scale;
use shared_model::preprocess::Reading;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rank labels for photos
///
/// Ranks the labels by the cosine of the photo's feature and the label's. The probabilities are a softmax over 100 times
/// the cosines, as in MAKE's zero-shot evaluation: they compare the given labels with each other, and do not say how likely
/// a disease is. With a model that `dermake calibrate` has calibrated for the labels, a probability says how often
/// answers with it are right, and an answer can be "unsure" (the first label is more often wrong than right) or "none of
/// these" (no label fits the photo). Photos may be JPEG, PNG, WebP, GIF (first frame), BMP or TIFF, whatever their name.
/// They are turned upright by their EXIF data and converted to sRGB by their color profile.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake classify photo.jpg
  dermake classify photo.jpg --model hf-hub:xieji-x/MAKE
  dermake classify *.png --labels f17k --top-k 3 --json
  dermake classify photos @more.txt --json
  dermake classify photo.jpg --labels \"acne, rosacea, psoriasis\" --template \"a photo of {}\"")]
pub struct Classify {
    /// Photos: files, folders (all photos below them), `-` (standard input) or `@LIST` (a text file with one path per
    /// line)
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,

    #[command(flatten)]
    model: ModelArguments,

    #[command(flatten)]
    labels: LabelArguments,

    /// Number of labels to show, the most likely first
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,

    /// Factor between cosines and logits: it changes the probabilities, not the order
    #[arg(long, default_value = "calibrated", value_parser = scale())]
    scale: Scale,

    /// Print one JSON object per line: image, predictions (label, probability, logit), certainty (unsure, none_of_these,
    /// match_score, match_threshold; null if not calibrated), scale, model, millis
    #[arg(long)]
    json: bool,

    /// Read pixels as `dermake eval` does: ignore EXIF orientation and color profiles, and clip 16-bit gray
    #[arg(long, alias = "ignore-exif")]
    as_reference: bool,
}

impl Classify {
    pub fn run(self) -> Result<ExitCode> {
        let reading = if self.as_reference { Reading::Reference } else { Reading::Photo };
        let output = ClassifyOutput { top_k: self.top_k as usize, scale: self.scale, as_json: self.json, reading };
        Ok(classify(&gather(&self.images), &self.model.into(), &self.labels.into(), &output)?.exit_code())
    }
}
