//! Options of `--infer`.

use std::time::Duration;

use dermake_device::{DeviceChoice, Precision};
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;

/// Models that answer, their device, and batches.
#[derive(Debug, Clone)]
pub struct InferOptions {
    /// Answer requests at /v1, computing on cpu, cuda, cuda:N, wgpu or wgpu:N; without it, the server only serves files
    pub device: Option<DeviceChoice>,

    /// A model that answers requests, named as --model of `dermake classify`; may be repeated. The first answers
    /// requests that name no model [default: the models of --models]
    pub models: Vec<String>,

    /// Precision of weights that are not quantized
    pub dtype: Precision,

    /// Factor between cosines and logits for requests that name none
    pub scale: Scale,

    /// Largest number of photos in a batch
    pub max_batch: u32,

    /// Longest time that a photo waits for others to join its batch, in milliseconds; after a photo that was
    /// computed alone, the next does not wait
    pub batch_wait_ms: u32,

    /// Number of photos that are decoded at the same time; 0 means one per core
    pub decoders: u32,

    /// Number of classifiers of custom labels and concepts that are kept in memory
    pub cached_classifiers: u32,
}

impl InferOptions {
    /// No inference.
    pub const DEFAULT: Self = Self {
        device: None,
        models: Vec::new(),
        dtype: Precision::F32,
        scale: Scale::Calibrated,
        max_batch: 8,
        batch_wait_ms: 4,
        decoders: 0,
        cached_classifiers: 64,
    };

    /// Returns the options of one model.
    pub(super) fn model(&self, source: &str) -> ModelOptions {
        let device = self.device.unwrap_or(DeviceChoice::Cpu);
        ModelOptions { model: source.into(), arch: None, device, dtype: self.dtype }
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
    fn default() -> Self {
        Self::DEFAULT
    }
}
