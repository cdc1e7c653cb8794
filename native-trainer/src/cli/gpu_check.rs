//! `dermake gpu-check`.

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use dermake_device::DeviceChoice;
use dermake_gpu_check::{GpuCheckOptions, PHASES};
use std::env;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Check training on this GPU, and time it
///
/// Compares each kernel, both towers, the gradients and the features of a small model with the CPU's. Measures the
/// highest speed of memory and of matrix products, each operation beside it, and the vision tower beside PyTorch's where
/// a Python has it. Times steps of ViT-B/16 with 512 and 2048 samples, and trains for about thirty steps on drawn
/// pictures. Each result is in the file as soon as it is known, and a part that fails does not end the others. Exit code
/// 0: everything was checked and passed; 1: a check failed, or the time ended before all were done.
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
            new_process,
        })?;
        Ok(ExitCode::from(u8::from(!is_good)))
    }
}

/// This program, to check with these options.
fn new_process(options: &GpuCheckOptions) -> io::Result<Command> {
    let GpuCheckOptions { device, out, limit, phases, seed, python, is_small, new_process: _ } = options;
    let mut command = Command::new(env::current_exe()?);
    command.args(["gpu-check", "--device", &device.to_string(), "--phases", &phases.join(","), "--python", python]);
    command.args(["--limit-secs", &limit.as_secs().to_string(), "--seed", &seed.to_string()]);
    command.arg("--out").arg(out).args(is_small.then_some("--small"));
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;
    use clap::Parser;
    use dermake_device::DeviceChoice;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        check: GpuCheck,
    }

    #[test]
    fn a_new_process_checks_with_the_same_options() {
        let options = GpuCheckOptions {
            device: DeviceChoice::Cuda(2),
            out: "here/gpu.json".into(),
            limit: Duration::from_millis(90_500),
            phases: vec!["steps".into(), "training".into()],
            seed: 11,
            python: "/opt/python".into(),
            is_small: true,
            new_process,
        };
        let command = new_process(&options).unwrap();
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments[0], "gpu-check");
        // The first one is the program's name to clap.
        let read = Program::parse_from(arguments).check;
        assert_eq!((read.device, read.out, read.limit_secs), (options.device, options.out, 90));
        assert_eq!((read.phases, read.seed, read.python, read.small), (options.phases, 11, options.python, true));
    }

    #[test]
    fn phases_are_named_as_the_check_names_them() {
        let read = cli::Cli::read(["dermake", "gpu-check", "--phases", "DEVICE,Operations"]).unwrap();
        let cli::Command::GpuCheck(GpuCheck { phases, .. }) = read.command else { panic!("{read:?}") };
        assert_eq!(phases, ["device", "operations"]);
    }
}
