//! `dermake train`.

use anyhow::Result;
use clap::Args;
use dermake_device::DeviceChoice;
use dermake_process::host;
use dermake_training::{Ending, RunPlaces, train};
use std::path::PathBuf;
use std::process::ExitCode;

/// Train a model on images with captions
///
/// A recipe says how to train; `dermake help recipe` lists its keys. Prints its plan before the first step. Writes into RUN: checkpoints (last, best), which open_clip and all commands
/// load as they are, metrics.jsonl, TensorBoard's files and curves.svg. After an interruption, even a kill, the same
/// command continues from the last complete checkpoint. Ctrl-C, and SIGUSR1 from a batch system, save a checkpoint and
/// end the run with exit code 130.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake data check captions.csv && dermake train clip-small --data captions.csv --out runs/own
  dermake synth --images 2000 --out data/synth
  dermake train smoke --data data/synth --out runs/smoke
  dermake train my-recipe.toml --data /data/make --out runs/make --device cuda")]
pub struct Train {
    /// A recipe, which says how to train: a TOML file, or one that comes with the program. clip-small and clip-finetune
    /// are for images and captions of your own, pretrain-vit-b-16 is the paper's run; synth-demo, synth-demo-further,
    /// synth-demo-last and smoke are for drawn pictures
    #[arg(value_name = "RECIPE")]
    recipe: String,

    /// What to train on: a table with an image and a caption in each row (CSV, TSV, JSON lines, Parquet), tar files, a
    /// folder of images with text files beside them, or the folder with the tables that the recipe names
    #[arg(long, value_name = "PATH")]
    data: PathBuf,

    /// Folder of the run: a new one, or that of a run to continue
    #[arg(long, value_name = "RUN")]
    out: PathBuf,

    /// Where to compute: cpu, or cuda (an NVIDIA GPU; cuda:1 is the second one)
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
