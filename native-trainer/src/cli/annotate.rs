//! `dermake annotate`.

use crate::annotate::{AnnotateOptions, annotate};
use crate::inputs::gather;
use anyhow::Result;
use clap::Args;
use dermake_features::default_cache;
use dermake_models::options::ModelOptions;
use shared_model::preprocess::Reading;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say which clinical concepts are most present on photos
///
/// A concept's score compares the photo with sentences that name it and the same sentences without it, as MAKE's
/// concept annotation does: above 0.5 the photo is nearer to those that name it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake annotate photo.jpg
  dermake annotate photo.jpg --concepts \"bulla, scale, tattoo\" --json")]
pub struct Annotate {
    /// Photos to look at: files, folders (all photos below), `-` (standard input) or `@LIST` (a text file with a path a
    /// line)
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,

    #[command(flatten)]
    model: ModelOptions,

    /// Concepts to look for, separated by commas, or a file with one a line; may be repeated. Words that are no known
    /// concept stand for themselves [default: the 64 known ones]
    #[arg(long, value_name = "CONCEPTS")]
    concepts: Vec<String>,

    /// How many concepts to show, the most present first
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,

    /// One JSON object a line: image, concepts (concept, score), model
    #[arg(long)]
    json: bool,

    /// Read pixels as benchmark runs do: EXIF orientation and color profiles ignored, 16-bit gray clipped
    #[arg(long, alias = "ignore-exif")]
    as_reference: bool,
}

impl Annotate {
    pub fn run(self) -> Result<ExitCode> {
        let options = AnnotateOptions {
            concepts: self.concepts,
            top_k: self.top_k as usize,
            as_json: self.json,
            reading: if self.as_reference { Reading::Reference } else { Reading::Photo },
            cache: default_cache(),
        };
        Ok(annotate(&gather(&self.images), &self.model, &options)?.exit_code())
    }
}
