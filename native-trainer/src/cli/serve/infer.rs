//! Options of `--infer`.

use crate::cli::options::{precision, scale};
use clap::{Args, value_parser};
use dermake_device::{DeviceChoice, Precision};
use dermake_models::scale::Scale;
use dermake_server::InferOptions;

/// Models that answer, their device, and batches.
#[derive(Debug, Args)]
#[command(next_help_heading = "Inference")]
pub struct InferArguments {
    /// Answer requests at /v1, computing on cpu, cuda, cuda:N, wgpu or wgpu:N; without it, the server only serves files
    #[arg(long = "infer", env = "DERMAKE_INFER", value_name = "DEVICE")]
    pub device: Option<DeviceChoice>,

    /// A model that answers requests, named as --model of `dermake classify`; may be repeated. The first answers
    /// requests that name no model [default: the models of --models]
    #[arg(
        id = "infer_models",
        long = "infer-model",
        requires = "device",
        env = "DERMAKE_INFER_MODEL",
        value_name = "MODEL",
        value_delimiter = ','
    )]
    models: Vec<String>,

    /// Number format to compute in: f32, or bf16 or f16, which need half the memory and are less exact. A quantized model
    /// keeps its own
    #[arg(long, env = "DERMAKE_DTYPE", default_value = "f32", value_parser = precision())]
    dtype: Precision,

    /// Factor between cosines and logits, for requests without the parameter scale
    #[arg(long, env = "DERMAKE_SCALE", default_value = "calibrated", value_parser = scale())]
    scale: Scale,

    /// Largest number of photos in a batch
    #[arg(
        long,
        env = "DERMAKE_MAX_BATCH",
        default_value_t = InferOptions::DEFAULT.max_batch,
        value_parser = value_parser!(u32).range(1..=1024)
    )]
    max_batch: u32,

    /// Longest time that a photo waits for others to join its batch, in milliseconds; after a photo that was
    /// computed alone, the next does not wait
    #[arg(
        long,
        env = "DERMAKE_BATCH_WAIT_MS",
        default_value_t = InferOptions::DEFAULT.batch_wait_ms,
        value_parser = value_parser!(u32).range(0..=10_000)
    )]
    batch_wait_ms: u32,

    /// Number of photos that are decoded at the same time; 0 means one per core
    #[arg(
        long,
        env = "DERMAKE_DECODERS",
        default_value_t = InferOptions::DEFAULT.decoders,
        value_parser = value_parser!(u32).range(0..=256)
    )]
    decoders: u32,

    /// Number of classifiers of custom labels and concepts that are kept in memory
    #[arg(
        long,
        env = "DERMAKE_CACHED_CLASSIFIERS",
        default_value_t = InferOptions::DEFAULT.cached_classifiers,
        value_parser = value_parser!(u32).range(1..=100_000)
    )]
    cached_classifiers: u32,
}

impl From<InferArguments> for InferOptions {
    fn from(typed: InferArguments) -> Self {
        let InferArguments { device, models, dtype, scale, max_batch, batch_wait_ms, decoders, cached_classifiers } =
            typed;
        Self { device, models, dtype, scale, max_batch, batch_wait_ms, decoders, cached_classifiers }
    }
}
