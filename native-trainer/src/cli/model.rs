//! `dermake quantize` and `dermake init`: models made and remade.

use crate::quantize;
use anyhow::Result;
use clap::Args;
use dermake_models::init;
use dermake_models::options::ModelOptions;
use shared_model::quantize::WeightFormat;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make the browser's files from a checkpoint: quantised towers, label classifiers, a manifest
///
/// Writes vision.safetensors, text.safetensors, classifiers.safetensors, the tokenizer and manifest.json, and prints
/// what quantisation did: size and error a tensor, and the cosine of the sample images' features to the dense model's.
#[derive(Debug, Args)]
pub struct Quantize {
    #[command(flatten)]
    model: ModelOptions,

    /// int8 (one scale an output channel), int4 (half its bytes, for phones; as fast once loaded), q8_0 or q4_0 (GGML
    /// blocks, slower)
    #[arg(long, default_value = "int8")]
    format: WeightFormat,

    /// A new folder for the result
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Photos to compare the features on, as `dermake classify` takes them; may be repeated [default: the project's sample
    /// images]
    #[arg(long = "sample", value_name = "IMAGE")]
    samples: Vec<PathBuf>,
}

impl Quantize {
    pub fn run(self) -> Result<ExitCode> {
        quantize::quantize(&self.model, self.format, &self.samples, &self.out)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Make a fresh, randomly initialised checkpoint in open_clip's layout
#[derive(Debug, Args)]
pub struct Init {
    /// ViT-B-32, ViT-B-16, ViT-L-14 or ViT-L-14-336, each also with -quickgelu
    #[arg(long, default_value = "ViT-B-16")]
    arch: String,

    /// The same seed gives the same file
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// A new folder for the result
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Init {
    pub fn run(self) -> Result<ExitCode> {
        init::init(&self.arch, self.seed, &self.out)?;
        Ok(ExitCode::SUCCESS)
    }
}
