//! What is checked, and for how long.

use dermake_device::DeviceChoice;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The phases, in order; `steps` is two of them.
pub const PHASES: [&str; 9] =
    ["device", "kernels", "gradients", "inference", "ceilings", "operations", "pytorch", "steps", "training"];

/// Options of the check.
#[derive(Clone, Debug)]
pub struct GpuCheckOptions {
    pub device: DeviceChoice,
    pub out: PathBuf,
    /// No phase begins after this time.
    pub limit: Duration,
    /// The [`PHASES`] to run; empty means all.
    pub phases: Vec<String>,
    pub seed: u64,
    /// The Python whose PyTorch is compared with.
    pub python: String,
    /// Small models and batches, to see that the check itself works.
    pub is_small: bool,
    /// The command that checks with other options, for the phases behind one after which this process cannot use the
    /// device any more.
    pub new_process: fn(&Self) -> io::Result<Command>,
}

impl GpuCheckOptions {
    /// Whether one of the [`PHASES`] is to be run.
    pub fn has(&self, phase: &str) -> bool {
        self.phases.is_empty() || self.phases.iter().any(|wanted| wanted == phase)
    }
}
