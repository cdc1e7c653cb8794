//! `dermake gpu-check`.

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use dermake_device::DeviceChoice;
use dermake_gpu_check::{GpuCheckOptions, PHASES};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Check training on this GPU, and time it
///
/// Compares each kernel, both towers, the gradients and the features of a small model with the CPU's. Measures the
/// highest speed of memory and of matrix products, each operation beside it, and the vision tower beside PyTorch's where
/// a Python has it. Times steps of ViT-B/16 with 512 and 2048 samples, and trains for about thirty steps on drawn
/// pictures. Each result is in the file as soon as it is known. Exit code 0:
/// everything was checked and passed; 1: a check failed, or the time ended before all were done.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  dermake gpu-check --out gpu.json")]
pub struct GpuCheck {
    /// Device to check: cuda, cuda:N, or cpu to try the check itself
    #[arg(long, value_name = "DEVICE", default_value = "cuda")]
    device: DeviceChoice,

    /// JSON file for the results
    #[arg(long, value_name = "FILE", default_value = "gpu.json")]
    out: PathBuf,

    /// Seconds after which no further part of the check starts
    #[arg(long, value_name = "SECS", default_value_t = 360)]
    limit_secs: u64,

    /// Parts of the check to run, separated by commas [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = phase())]
    phases: Vec<String>,

    /// The Python whose PyTorch is compared with
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,

    /// Random seed of the numbers that are compared
    #[arg(long, default_value_t = 7)]
    seed: u64,

    /// Use small models and batches
    #[arg(long)]
    small: bool,
}

/// Parses the name of a phase.
fn phase() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(PHASES).map(|name| name.to_lowercase())
}

impl GpuCheck {
    pub fn run(self) -> Result<ExitCode> {
        let is_good = dermake_gpu_check::run(&GpuCheckOptions {
            device: self.device,
            out: self.out,
            limit: Duration::from_secs(self.limit_secs),
            phases: self.phases,
            seed: self.seed,
            python: self.python,
            is_small: self.small,
        })?;
        Ok(ExitCode::from(u8::from(!is_good)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn phases_are_named_as_the_check_names_them() {
        let read = Cli::read(["dermake", "gpu-check", "--phases", "DEVICE,Operations"]).unwrap();
        let Command::GpuCheck(GpuCheck { phases, .. }) = read.command else { panic!("{read:?}") };
        assert_eq!(phases, ["device", "operations"]);
    }
}
