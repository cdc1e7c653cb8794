//! Options of `--infer`.

use std::time::Duration;

use clap::Args;
use shared_model::weights::Placement;

use dermake_device::{DeviceChoice, Precision, placement};

/// Models that answer, their device, and batches.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Inference")]
pub struct InferOptions {
    /// Answer requests at /v1, computing on cpu, cuda or cuda:N; without it, the server only serves files
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
    pub models: Vec<String>,

    /// Precision of weights that are not quantized
    #[arg(long, env = "DERMAKE_DTYPE", value_enum, ignore_case = true, default_value_t = Precision::F32)]
    pub dtype: Precision,

    /// Largest number of photos in a batch
    #[arg(
        long,
        env = "DERMAKE_MAX_BATCH",
        default_value_t = Self::MAX_BATCH,
        value_parser = clap::value_parser!(u32).range(1..=1024)
    )]
    pub max_batch: u32,

    /// Longest time that a photo waits for others to join its batch, in milliseconds
    #[arg(
        long,
        env = "DERMAKE_BATCH_WAIT_MS",
        default_value_t = Self::BATCH_WAIT_MS,
        value_parser = clap::value_parser!(u32).range(0..=10_000)
    )]
    pub batch_wait_ms: u32,

    /// Number of photos that are decoded at the same time; 0 means one per core
    #[arg(long, env = "DERMAKE_DECODERS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=256))]
    pub decoders: u32,

    /// Number of classifiers of custom labels and concepts that are kept in memory
    #[arg(
        long,
        env = "DERMAKE_CACHED_CLASSIFIERS",
        default_value_t = Self::CACHED_CLASSIFIERS,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub cached_classifiers: u32,
}

impl InferOptions {
    const MAX_BATCH: u32 = 8;
    const BATCH_WAIT_MS: u32 = 4;
    const CACHED_CLASSIFIERS: u32 = 64;

    pub(super) fn placement(&self) -> anyhow::Result<Placement> {
        placement(self.device.unwrap_or(DeviceChoice::Cpu), self.dtype)
    }

    pub(super) fn batch_wait(&self) -> Duration {
        Duration::from_millis(self.batch_wait_ms.into())
    }

    pub(super) fn decoders(&self) -> usize {
        match self.decoders {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n as usize,
        }
    }
}

impl Default for InferOptions {
    /// No inference.
    fn default() -> Self {
        Self {
            device: None,
            models: Vec::new(),
            dtype: Precision::F32,
            max_batch: Self::MAX_BATCH,
            batch_wait_ms: Self::BATCH_WAIT_MS,
            decoders: 0,
            cached_classifiers: Self::CACHED_CLASSIFIERS,
        }
    }
}
