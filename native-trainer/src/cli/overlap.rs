//! `dermake data overlap`.

use crate::cli::options::{CacheArguments, ModelArguments};
use crate::inputs::{name_of, photos_below};
use anyhow::{Result, bail};
use clap::Args;
use dermake_evaluation::overlap::{ImageSet, OverlapOptions, Thresholds, overlap};
use dermake_process::host;
use dermake_process::print::shown;
use dermake_sources::Closed;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Find evaluation images that are in the training data, too
///
/// Compares each image of the evaluation sets with all training images: by the SHA-256 of the file, by a perceptual hash
/// in eight orientations, and by the cosine of the model's features. Writes a list of the images that overlap, which
/// `dermake eval --exclude` takes, and prints a summary of each set. Every image is decoded; features are cached as by
/// `dermake eval`. Exit code 0: all images were compared; 1: some could not be read.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  dermake data overlap pretrain.csv data/PAD/MAKE_PAD.csv data/SNU/MAKE_SNU.csv --out overlap.csv
  dermake eval --data data --exclude overlap.csv")]
pub struct Overlap {
    /// Training images: a table with a column of images, or a folder of photos
    #[arg(value_name = "TRAIN")]
    training: PathBuf,

    /// Evaluation images, in the same forms
    #[arg(value_name = "EVAL", required = true)]
    evaluations: Vec<PathBuf>,

    #[command(flatten)]
    model: ModelArguments,

    /// Folder where the names of training images start [default: the table's folder, or the one above]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Column with the image's file name [default: filename, image_path or another usual name]
    #[arg(long, value_name = "COLUMN")]
    image_column: Option<String>,

    /// Bits of the perceptual hash, of 63, in which two images may differ, 0 to 31
    #[arg(long, value_name = "BITS", default_value_t = 6, value_parser = clap::value_parser!(u32).range(0..=31))]
    hash_distance: u32,

    /// Least cosine of two images whose hashes are that close
    #[arg(long, value_name = "COSINE", default_value_t = 0.9, value_parser = cosine)]
    hash_cosine: f32,

    /// Least cosine of two images whose hashes differ in more bits, up to --cosine-distance
    #[arg(long, value_name = "COSINE", default_value_t = 0.99, value_parser = cosine)]
    cosine: f32,

    /// Bits in which the hashes of such images may differ, 0 to 63; 63 leaves it to the cosine
    #[arg(long, value_name = "BITS", default_value_t = 16, value_parser = clap::value_parser!(u32).range(0..=63))]
    cosine_distance: u32,

    /// CSV file for the list: evaluation, image, sha256, training_image, training_sha256, cosine, hash_distance, reason
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    cache: CacheArguments,
}

fn cosine(text: &str) -> Result<f32, String> {
    let cosine = text.parse().ok().filter(|cosine| (-1.0..=1.0).contains(cosine));
    cosine.ok_or_else(|| "expected a number from -1 to 1".into())
}

impl Overlap {
    pub fn run(self) -> Result<ExitCode> {
        host::prepare();
        let column = self.image_column.as_deref();
        let of_evaluation = |path: &PathBuf| images(path, column, None);
        let is_whole = overlap(&OverlapOptions {
            training: images(&self.training, column, self.root.as_deref())?,
            evaluations: self.evaluations.iter().map(of_evaluation).collect::<Result<_>>()?,
            model: &self.model.into(),
            thresholds: Thresholds {
                hash_distance: self.hash_distance,
                hash_cosine: self.hash_cosine,
                cosine: self.cosine,
                cosine_distance: self.cosine_distance,
            },
            cache: self.cache.folder(),
            out: &self.out,
        })?;
        Ok(ExitCode::from(u8::from(!is_whole)))
    }
}

/// The images of a table or a folder.
fn images(path: &Path, image_column: Option<&str>, root: Option<&Path>) -> Result<ImageSet> {
    if !path.is_dir() {
        return ImageSet::of_table(path, image_column, root);
    }
    let (photos, closed) = photos_below(path, None);
    for Closed { path, reason } in &closed {
        tracing::error!("{reason}: {}", shown(&name_of(path)));
    }
    if photos.is_empty() {
        bail!("the folder has no photos: {}", path.display());
    }
    Ok(ImageSet::of_folder(path, photos, closed.is_empty()))
}
