//! `dermake quantize` and `dermake init`: write models.

use crate::cli::options::ModelArguments;
use crate::quantize::{self, QuantizeOptions};
use anyhow::Result;
use clap::Args;
use dermake_models::init;
use dermake_process::host;
use shared_model::quantize::WeightFormat;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a model smaller, for the page and the server
///
/// Writes vision.safetensors, text.safetensors, classifiers.safetensors, the tokenizer and manifest.json. int8 and int4
/// are calibrated on photos and texts, which takes minutes for a full-size model. Prints the size and error of each
/// tensor and how features and answers differ from the dense model's, and warns if they differ much.
#[derive(Debug, Args)]
pub struct Quantize {
    #[command(flatten)]
    model: ModelArguments,

    /// How weights are stored: int8 (a quarter of the size), int4 (an eighth, less exact; as fast once loaded), q8_0 or
    /// q4_0 (the blocks of GGML; slower)
    #[arg(long, default_value = "int8")]
    format: WeightFormat,

    /// Folder for the result; must be new
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Photos that int8 and int4 are calibrated on, named as in `dermake classify`, a folder for example; may be
    /// repeated. `none` rounds each weight by itself [default: drawn photos]
    #[arg(long, value_name = "IMAGE")]
    calibrate: Vec<PathBuf>,

    /// Photos whose features are compared, named as in `dermake classify`; may be repeated [default: three sample
    /// pictures]
    #[arg(long = "sample", value_name = "IMAGE")]
    samples: Vec<PathBuf>,

    /// results.json of `dermake eval --out` with the dense model, for the model card (`dermake card`); may be repeated
    #[arg(long, value_name = "FILE")]
    results: Vec<PathBuf>,
}

impl Quantize {
    pub fn run(self) -> Result<ExitCode> {
        host::prepare();
        let Self { model, format, out, calibrate, samples, results } = self;
        let options = QuantizeOptions { model: model.into(), format, calibrate, results, samples };
        Ok(quantize::quantize(&options, &out)?.exit_code())
    }
}

/// Write an untrained model, to try things with
///
/// Its weights are random, so its answers mean nothing. The files are in open_clip's layout.
#[derive(Debug, Args)]
pub struct Init {
    /// The kind of model: ViT-B-32, ViT-B-16, ViT-L-14 or ViT-L-14-336, each also with -quickgelu
    #[arg(long, default_value = "ViT-B-16")]
    arch: String,

    /// Random seed; the same seed gives the same file
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Folder for the result; must be new
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Init {
    pub fn run(self) -> Result<ExitCode> {
        init::init(&self.arch, self.seed, &self.out)?;
        Ok(ExitCode::SUCCESS)
    }
}
