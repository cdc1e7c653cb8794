//! `dermake synth` and `dermake data`: draw, check and shrink training data; `overlap.rs` has its third part.

use crate::cli::overlap::Overlap;
use anyhow::Result;
use clap::{Args, Subcommand};
use dermake_data::TableOptions;
use dermake_data::check::{self, CheckOptions};
use dermake_data::shrink::{self, ShrinkSettings};
use dermake_synth::{Extras, SynthOptions, synth, write_contact_sheet};
use std::path::PathBuf;
use std::process::ExitCode;

/// Draw a data set of skin pictures for training, evaluation and demonstration
///
/// Draws fourteen conditions on six skin tones, with captions, and held-out sets in the layout of the zero-shot,
/// concept and retrieval benchmarks. A model trained on drawings is not fit for diagnosis.
#[derive(Debug, Args)]
pub struct Synth {
    /// Number of training pictures; held-out sets are drawn in addition
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    images: u32,

    /// Random seed; the same seed draws the same pictures
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Short side of a picture in pixels
    #[arg(long, default_value_t = SynthOptions::DEFAULT_IMAGE_SIZE, value_parser = clap::value_parser!(u32).range(64..=1024))]
    image_size: u32,

    /// Folder for the data set; must be new
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Write one PNG with twelve pictures of each condition on the six skin tones, and no data set
    #[arg(long, conflicts_with = "images")]
    contact_sheet: bool,

    /// Also draw pictures without skin into the folder other: this many
    #[arg(long, default_value_t = 0, value_name = "N", conflicts_with = "contact_sheet")]
    other: u32,

    /// Also write where the lesions of the zero-shot pictures are, as masks in zeroshot/masks
    #[arg(long, conflicts_with = "contact_sheet")]
    masks: bool,

    /// Draw small lesions away from the middle
    #[arg(long, conflicts_with = "contact_sheet")]
    off_center: bool,
}

impl Synth {
    pub fn run(self) -> Result<ExitCode> {
        if self.contact_sheet {
            write_contact_sheet(self.seed, self.image_size, &self.out)?;
        } else {
            synth(&SynthOptions {
                n_images: self.images as usize,
                seed: self.seed,
                image_size: self.image_size,
                out: self.out,
                extras: Extras {
                    n_other: self.other as usize,
                    has_masks: self.masks,
                    is_off_center: self.off_center,
                },
            })?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Check training data, copy them with smaller images, or find evaluation images in them
#[derive(Debug, Subcommand)]
pub enum Data {
    Check(Check),
    Shrink(Shrink),
    Overlap(Overlap),
}

impl Data {
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Self::Check(check) => check.run(),
            Self::Shrink(shrink) => shrink.run(),
            Self::Overlap(overlap) => overlap.run(),
        }
    }
}

/// Find every problem of your training data before you train
///
/// Takes everything that `dermake train --data` does: CSV, TSV, JSON lines, Parquet, tar files, or a folder of images with
/// text files beside them. Only an image and a caption in each row are needed; the columns of MAKE's table may be there,
/// too. Reads the data as training does, decodes each image and counts the tokens of each caption. Prints each problem with
/// its row, line and column, then statistics of the table, and which objectives can learn from it. Exit code 0:
/// training would use every row; 1: it would skip some rows, or no objective can learn from the data; 2: nothing can be
/// read there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake data check captions.csv
  dermake data check pretrain.csv --root images --json")]
pub struct Check {
    /// The data: a table, Parquet or tar files, a folder, or a pattern such as "shards/*.tar"
    #[arg(value_name = "PATH")]
    table: PathBuf,

    /// Folder where image names start, from the working folder on [default: the table's folder, images beside it, the
    /// folder above, or the working folder: the one that has most of the first images]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Tokens of a caption that the model reads (its context length); longer captions are reported
    #[arg(long, value_name = "TOKENS", default_value_t = 77)]
    model_context: usize,

    /// Column with the image's file name; without a column filename, other usual names are found
    #[arg(long, value_name = "COLUMN", default_value_t = TableOptions::default().image_column)]
    image_column: String,

    /// Column with the caption; without a column truncated_caption, other usual names are found
    #[arg(long, value_name = "COLUMN", default_value_t = TableOptions::default().caption_column)]
    caption_column: String,

    /// Number of sub-captions of each row that training would use
    #[arg(long, value_name = "N", default_value_t = 8)]
    subcaptions: usize,

    /// Print one JSON object with problems and statistics
    #[arg(long)]
    json: bool,
}

impl Check {
    fn run(self) -> Result<ExitCode> {
        let table = TableOptions {
            image_column: self.image_column,
            caption_column: self.caption_column,
            n_subcaptions: self.subcaptions,
        };
        let options = CheckOptions { table, image_root: self.root, context_length: self.model_context };
        let is_usable = check::run(&self.table, &options, self.json)?;
        Ok(ExitCode::from(u8::from(!is_usable)))
    }
}

/// Copy a training table and its images, making large images smaller
///
/// Training decodes small images faster. An image whose short side is larger than --short-side becomes a JPEG of that
/// size, under its old name; other images are copied unchanged. After an interruption, the same command continues; images
/// that have changed since are copied again. A run that was started on the originals cannot continue on the copy. Exit code
/// 0: all images were copied; 1: some are missing or unreadable.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  dermake data shrink pretrain.csv --root images --out small
  dermake train pretrain-vit-b-16 --data small --out runs/make")]
pub struct Shrink {
    /// A table with MAKE's columns: image, captions and masks; a file that names its images, below --root
    #[arg(value_name = "FILE")]
    table: PathBuf,

    /// Folder where image names start, from the working folder on [default: the table's folder, images beside it, the
    /// folder above, or the working folder: the one that has most of the first images]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Folder for the copy: a new one, or that of an earlier copy of the same table and images
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Short side of the images that are made smaller, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 384, value_parser = clap::value_parser!(u32).range(16..=4096))]
    short_side: u32,

    /// JPEG quality, 1 to 100
    #[arg(long, value_name = "QUALITY", default_value_t = 92, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,

    /// Column with the image's file name
    #[arg(long, value_name = "COLUMN", default_value_t = TableOptions::default().image_column)]
    image_column: String,

    /// Column with the caption
    #[arg(long, value_name = "COLUMN", default_value_t = TableOptions::default().caption_column)]
    caption_column: String,
}

impl Shrink {
    fn run(self) -> Result<ExitCode> {
        let table =
            TableOptions { image_column: self.image_column, caption_column: self.caption_column, n_subcaptions: 0 };
        let settings = ShrinkSettings { short_side: self.short_side, quality: self.quality };
        let is_whole = shrink::run(&self.table, self.root.as_deref(), &table, settings, &self.out)?;
        Ok(ExitCode::from(u8::from(!is_whole)))
    }
}
