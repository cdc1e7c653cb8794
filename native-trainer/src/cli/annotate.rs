//! `dermake annotate`.

use crate::annotate::{AnnotateOptions, annotate};
use crate::cli::options::{CONCEPT_SCALE, ModelArguments, concept_scale};
use crate::inputs::{gather, lists};
use anyhow::Result;
use clap::Args;
use dermake_features::default_cache;
use dermake_models::scale::Scale;
use shared_model::preprocess::Reading;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rank clinical concepts, such as scale or ulcer, for photos
///
/// The score of a concept compares the photo with sentences that name the concept and with the same sentences without
/// it, as MAKE's concept annotation does. Above 0.5, the photo is closer to those that name it; it is no probability.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake annotate photo.jpg
  dermake annotate photo.jpg --concepts \"bulla, scale, tattoo\" --json
  dermake annotate photo.jpg --typical-of psoriasis
  dermake annotate photos --out scores.csv")]
pub struct Annotate {
    /// Photos: files, folders (all photos below them), `-` (standard input) or `@LIST` (a text file with one path per
    /// line)
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,

    #[command(flatten)]
    model: ModelArguments,

    /// Concepts to score, separated by commas, or a file with one per line; may be repeated. A word that is not a known
    /// concept is used as it is [default: the 64 known concepts]
    #[arg(long, value_name = "CONCEPTS")]
    concepts: Vec<String>,

    /// Number of concepts to show, the most present first
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,

    /// Mark the concepts that textbooks name for a condition, and show them beyond --top-k, too. The marks are general
    /// morphology, not from the photo or the model, and no criteria of a diagnosis
    #[arg(long, value_name = "LABEL")]
    typical_of: Option<String>,

    /// Factor between cosines and scores: a higher one moves scores away from 0.5, and hardly changes their order
    #[arg(long, default_value = CONCEPT_SCALE, value_parser = concept_scale())]
    scale: Scale,

    /// Print one JSON object per line: image, concepts (concept, score, and typical with --typical-of), scale, model
    #[arg(long)]
    json: bool,

    /// Write the scores of all concepts, a row for each photo, in place of printing: a file ending in .csv, .tsv,
    /// .parquet or .npy (with the names of photos and concepts beside it)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "top_k", "typical_of"])]
    out: Option<PathBuf>,

    /// Read pixels as `dermake eval` does: ignore EXIF orientation and color profiles, and clip 16-bit gray
    #[arg(long, alias = "ignore-exif")]
    as_reference: bool,
}

impl Annotate {
    pub fn run(self) -> Result<ExitCode> {
        let options = AnnotateOptions {
            concepts: self.concepts,
            top_k: self.top_k as usize,
            typical_of: self.typical_of,
            scale: self.scale,
            as_json: self.json,
            reading: if self.as_reference { Reading::Reference } else { Reading::Photo },
            cache: default_cache(),
            out: self.out,
            lists: lists(&self.images),
        };
        Ok(annotate(&gather(&self.images), &self.model.into(), &options)?.exit_code())
    }
}
