//! `dermake map`.

use crate::cli::options::{LabelArguments, ModelArguments};
use crate::inputs::Photo;
use crate::map::{MapOptions, map};
use anyhow::Result;
use clap::Args;
use shared_model::preprocess::Reading;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show where in a photo it is most like a text
///
/// A map is a similarity, not a reason: it says which patches of the photo move the model's feature towards the text, not
/// why an answer is right. A patch's value is what it adds to the cosine of photo and text through the attention of the
/// model's last four blocks, less what it adds to the mean of all labels. The model must take its feature from the class
/// token, as open_clip's and transformers' CLIP models do; others are refused. Maps are computed on the CPU: with
/// --device wgpu, and with models of open_clip's own family on --device cuda, the command ends with an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake map photo.jpg --out map.png
  dermake map photo.jpg --text \"scale\" --out map.png
  dermake map photo.jpg --text melanoma --labels f17k --json")]
pub struct Map {
    /// A photo, or `-` for standard input
    #[arg(value_name = "IMAGE")]
    image: PathBuf,

    #[command(flatten)]
    model: ModelArguments,

    /// What to look for: a label or words of your own, which are put into the templates [default: the first label of the
    /// answer]
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,

    #[command(flatten)]
    labels: LabelArguments,

    /// Write a picture: on the left the square that the model looks at, on the right the same, darker where it is less
    /// like the text, with a frame around the patch that is most like it
    #[arg(long, value_name = "PNG")]
    out: Option<PathBuf>,

    /// Print one JSON object: image, text, rows, columns, values (row by row: what a patch adds to the cosine), maximum
    /// (row, column, place; null where no patch adds anything), model
    #[arg(long)]
    json: bool,

    /// Read pixels as `dermake eval` does: ignore EXIF orientation and color profiles, and clip 16-bit gray
    #[arg(long, alias = "ignore-exif")]
    as_reference: bool,
}

impl Map {
    pub fn run(self) -> Result<ExitCode> {
        let options = MapOptions {
            text: self.text,
            labels: self.labels.into(),
            out: self.out,
            as_json: self.json,
            reading: if self.as_reference { Reading::Reference } else { Reading::Photo },
        };
        map(&Photo::single(&self.image)?, &self.model.into(), &options)?;
        Ok(ExitCode::SUCCESS)
    }
}
