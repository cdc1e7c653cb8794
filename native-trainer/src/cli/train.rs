//! `dermake train`.

use crate::ranks::{Launched, refuse_several};
use anyhow::{Result, ensure};
use clap::Args;
use dermake_device::DeviceChoice;
use dermake_process::host;
use dermake_process::interrupt::Interrupted;
use dermake_process::print;
use dermake_training::{Ending, RateRange, RunPlaces, Setting, Sweep, SweepEnding, lr_find, sweep, train};
use std::path::PathBuf;
use std::process::ExitCode;

/// Train a model on images with captions
///
/// A recipe says how to train; `dermake help recipe` lists its keys. Prints its plan before the first step. Writes into
/// RUN: checkpoints (last, best), which open_clip and all commands load as they are, metrics.jsonl, TensorBoard's files
/// and the curves as curves.svg and curves.png. After an interruption, even a kill, the same command continues from the
/// last complete checkpoint. Ctrl-C, and SIGUSR1 from a batch system, save a checkpoint and end the run with exit code 130.
/// Started by torchrun, mpirun or srun, the processes train one model together: the same model that one process trains. If
/// one of them dies, the others end with exit code 1. Exit code 0: the run is finished; 1: it is, but an evaluation or a
/// run of a sweep failed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake data check captions.csv && dermake train clip-small --data captions.csv --out runs/own
  dermake prepare captions.csv --out train.csv && dermake train make-small --data train.csv --out runs/make
  dermake synth --images 2000 --out data/synth
  dermake train smoke --data data/synth --out runs/smoke
  dermake train my-recipe.toml --data /data/make --out runs/make --device cuda
  dermake train my-recipe.toml --set run.seed=1 --set schedule.learning_rate=3e-5 --data data --out runs/seed-1
  dermake train my-recipe.toml --sweep run.seed=1,2,3 --sweep schedule.learning_rate=1e-5,3e-5 --data data --out sweep")]
pub struct Train {
    /// A recipe, which says how to train: a TOML file, or one that comes with the program. clip-small and clip-finetune
    /// are for images and captions of your own, make-small for a table of `dermake prepare`; pretrain-vit-b-16 is the
    /// paper's run; synth-demo, synth-demo-further, synth-demo-last and smoke are for drawn pictures
    #[arg(value_name = "RECIPE")]
    recipe: String,

    /// What to train on: a table with an image and a caption in each row (CSV, TSV, JSON lines, Parquet), tar files, a
    /// folder of images with text files beside them, or the folder with the tables that the recipe names
    #[arg(long, value_name = "PATH")]
    data: PathBuf,

    /// Folder of the run: a new one, or that of a run to continue
    #[arg(long, value_name = "RUN")]
    out: PathBuf,

    /// A key of the recipe and its value, as in run.seed=1, in place of what the recipe says. Can be repeated, with another
    /// key
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<Setting>,

    /// A key of the recipe and several values, as in run.seed=1,2,3: one run for each combination of values, in folders of
    /// RUN, and sweep.html and sweep.csv with the results side by side. Can be repeated. The same command continues
    #[arg(long, value_name = "KEY=VALUES", value_parser = sweep_of)]
    sweep: Vec<Sweep>,

    /// Where to compute: cpu, or cuda (an NVIDIA GPU; cuda:1 is the second one)
    #[arg(long, env = "DERMAKE_DEVICE", default_value = "cpu")]
    device: DeviceChoice,
}

fn setting(text: &str) -> Result<Setting, String> {
    Setting::parse(text).map_err(|err| format!("{err:#}"))
}

fn sweep_of(text: &str) -> Result<Sweep, String> {
    Sweep::parse(text).map_err(|err| format!("{err:#}"))
}

impl Train {
    pub fn run(self) -> Result<ExitCode> {
        host::prepare();
        let launched = Launched::from_environment()?;
        let ranks = launched.ranks();
        let places = RunPlaces { data: &self.data, out: &self.out, device: launched.device(self.device) };
        if !self.sweep.is_empty() {
            ensure!(
                ranks.is_alone(),
                "--sweep trains with one process, and this is one of {}; start the runs of several ranks one by one",
                ranks.size()
            );
            return Ok(match sweep(&self.recipe, &self.set, &self.sweep, &places)? {
                SweepEnding::Finished => ExitCode::SUCCESS,
                SweepEnding::Partial => ExitCode::from(1),
                SweepEnding::Interrupted => ExitCode::from(130),
            });
        }
        Ok(match train(&self.recipe, &self.set, &places, &ranks)? {
            Ending::Finished => ExitCode::SUCCESS,
            Ending::Unevaluated => ExitCode::from(1),
            Ending::Interrupted => ExitCode::from(130),
        })
    }
}

/// Find a learning rate: watch the loss while the rate grows
///
/// Trains some steps as the recipe says, with a learning rate that grows from step to step by the same factor, and stops
/// when the loss does. Prints the rate where the loss fell fastest and that of the lowest loss, and writes
/// lr-find.svg, lr-find.png and lr-find.csv. A usual choice lies between the steepest fall and a tenth of the rate of the
/// lowest loss. The model is not saved.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake lr-find clip-finetune --data captions.csv --out runs/lr
  dermake lr-find my-recipe.toml --set lora.rank=8 --data data --out runs/lr --steps 200")]
pub struct LrFind {
    /// A recipe, as of `dermake train`
    #[arg(value_name = "RECIPE")]
    recipe: String,

    /// What to train on, as of `dermake train`
    #[arg(long, value_name = "PATH")]
    data: PathBuf,

    /// Folder for the picture and the table
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// A key of the recipe and its value, as in run.seed=1, in place of what the recipe says. Can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<Setting>,

    /// The first learning rate
    #[arg(long, default_value_t = 1e-7, value_name = "RATE")]
    from: f64,

    /// The last learning rate
    #[arg(long, default_value_t = 1.0, value_name = "RATE")]
    to: f64,

    /// Steps from the first to the last
    #[arg(long, default_value_t = 100, value_name = "N")]
    steps: usize,

    /// Where to compute: cpu, or cuda (an NVIDIA GPU; cuda:1 is the second one)
    #[arg(long, env = "DERMAKE_DEVICE", default_value = "cpu")]
    device: DeviceChoice,
}

impl LrFind {
    pub fn run(self) -> Result<ExitCode> {
        host::prepare();
        refuse_several("lr-find")?;
        let places = RunPlaces { data: &self.data, out: &self.out, device: self.device };
        let range = RateRange { from: self.from, to: self.to, steps: self.steps };
        match lr_find(&self.recipe, &self.set, &places, range) {
            Err(err) if err.is::<Interrupted>() => {
                print::remark(format_args!(
                    "interrupted: nothing was written, and what an earlier search left is as it was: {}",
                    self.out.display()
                ));
                Ok(ExitCode::from(130))
            }
            found => found.map(|()| ExitCode::SUCCESS),
        }
    }
}
