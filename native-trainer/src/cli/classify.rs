//! `dermake classify`.

use anyhow::Result;
use clap::Args;
use native_trainer::classify::{ClassifyOutput, classify};
use native_trainer::options::{LabelOptions, ModelOptions};
use shared_model::preprocess::Orientation;
use std::path::PathBuf;
use std::process::ExitCode;

/// Name what is on one or more photos
///
/// Ranks the labels by the cosine between the photo's feature and the label's, as MAKE's zero-shot evaluation does.
/// Photos may be JPEG, PNG, WebP, GIF (first frame), BMP or TIFF; EXIF orientation is applied.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake classify photo.jpg
  dermake classify photo.jpg --model hf-hub:xieji-x/MAKE
  dermake classify *.png --labels f17k --top-k 3 --json
  dermake classify photo.jpg --labels \"acne, rosacea, psoriasis\" --template \"a photo of {}\"")]
pub struct Classify {
    /// Photos to look at
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,

    #[command(flatten)]
    model: ModelOptions,

    #[command(flatten)]
    labels: LabelOptions,

    /// How many labels to show, likeliest first
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,

    /// One JSON object a line: image, predictions (label, probability, logit), model, millis
    #[arg(long)]
    json: bool,

    /// Leave pixels as they are stored, as benchmark runs do, whatever the EXIF orientation says
    #[arg(long)]
    ignore_exif: bool,
}

impl Classify {
    pub fn run(self) -> Result<ExitCode> {
        let orientation = if self.ignore_exif { Orientation::AsStored } else { Orientation::FromExif };
        let output = ClassifyOutput { top_k: self.top_k as usize, as_json: self.json, orientation };
        let all_read = classify(&self.images, &self.model, &self.labels, &output)?;
        Ok(ExitCode::from(u8::from(!all_read)))
    }
}
