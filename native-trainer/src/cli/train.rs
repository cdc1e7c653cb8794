//! `dermake train`.

use anyhow::Result;
use clap::Args;
use dermake_device::DeviceChoice;
use dermake_process::host;
use dermake_training::{Ending, RunPlaces, train};
use std::path::PathBuf;
use std::process::ExitCode;

/// Pretrain a model as a recipe says
///
/// Prints what it will do before the first step. RUN gets checkpoints (last, best) that open_clip and every other
/// command load as they are, metrics.jsonl, TensorBoard's files and curves.svg. Killed at any moment, the same command
/// goes on from the last complete checkpoint; Ctrl-C saves and leaves, as does SIGUSR1, which batch systems send.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake synth --images 2000 --out data/synth
  dermake train smoke --data data/synth --out runs/smoke
  dermake train my-recipe.toml --data /data/make --out runs/make --device cuda")]
pub struct Train {
    /// pretrain-vit-b-16, synth-demo, synth-demo-further, synth-demo-last, smoke, or a TOML file
    #[arg(value_name = "RECIPE")]
    recipe: String,

    /// The folder that the recipe's tables lie in
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// The run's folder, new or that of a run to go on with
    #[arg(long, value_name = "RUN")]
    out: PathBuf,

    /// Where to compute: cpu, cuda or cuda:N
    #[arg(long, env = "DERMAKE_DEVICE", default_value = "cpu")]
    device: DeviceChoice,
}

impl Train {
    pub fn run(self) -> Result<ExitCode> {
        host::prepare();
        let places = RunPlaces { data: &self.data, out: &self.out, device: self.device };
        Ok(match train(&self.recipe, &places)? {
            Ending::Finished => ExitCode::SUCCESS,
            Ending::Interrupted => ExitCode::from(130),
        })
    }
}
