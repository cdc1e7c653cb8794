//! `dermake gpu-check`.

use anyhow::Result;
use clap::Args;
use dermake_device::DeviceChoice;
use dermake_gpu_check::{self as gpu_check, GpuCheckOptions, PHASES};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Check that training on this GPU is right, and measure how fast it is
///
/// Compares every kernel, both towers and the gradients of a small model with the CPU's, measures memory and matrix
/// products at their best and each operation beside that, times ViT-B/16 steps of 512 and 2048 samples, and trains for
/// some thirty steps on drawn pictures. The file has each result as soon as it is there. Exit code 0: everything was
/// checked and is right; 1: something is wrong, or the time was over before all was checked.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  dermake gpu-check --out gpu.json")]
pub struct GpuCheck {
    /// Where to compute: cuda, cuda:N, or cpu to try the check itself
    #[arg(long, value_name = "DEVICE", default_value = "cuda")]
    device: DeviceChoice,

    /// JSON file for the results
    #[arg(long, value_name = "FILE", default_value = "gpu.json")]
    out: PathBuf,

    /// Seconds after which no phase begins
    #[arg(long, value_name = "SECS", default_value_t = 360)]
    limit_secs: u64,

    /// Phases to run, by name, in place of all: device, kernels, gradients, ceilings, operations (with
    /// ceilings), steps, training
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = PHASES)]
    phases: Vec<String>,

    /// Decides the random numbers that are compared
    #[arg(long, default_value_t = 7)]
    seed: u64,

    /// Small models and batches
    #[arg(long)]
    small: bool,
}

impl GpuCheck {
    pub fn run(self) -> Result<ExitCode> {
        let is_good = gpu_check::run(&GpuCheckOptions {
            device: self.device,
            out: self.out,
            limit: Duration::from_secs(self.limit_secs),
            phases: self.phases,
            seed: self.seed,
            is_small: self.small,
        })?;
        Ok(ExitCode::from(u8::from(!is_good)))
    }
}
