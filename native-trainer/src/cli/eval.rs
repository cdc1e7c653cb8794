//! `dermake eval`.

use anyhow::Result;
use clap::Args;
use dermake_evaluation::results::Protocol;
use dermake_evaluation::{Ending, EvalOptions, evaluate};
use dermake_features::default_cache;
use dermake_models::options::ModelOptions;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reproduce MAKE's benchmarks
///
/// Runs what the data folder has, in the layout of the reference, and says of the rest where it comes from: zero-shot
/// classification, concept annotation, retrieval, linear probes; with 95 % bootstrap intervals, and broken down by skin
/// type, sex and age where a table has them. Ends with one table, ours beside the published figures. Features are kept:
/// a second evaluation reads no image but those that the report shows. Exit code 0: all that is there was scored; 1: some of it could not be; 2: nothing
/// was; 130: interrupted, and what was done is kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake synth --out data/synth && dermake eval
  dermake eval --model hf-hub:xieji-x/MAKE --data data --out reports/make
  dermake eval --only pad,skincon --protocol released")]
pub struct Eval {
    #[command(flatten)]
    model: ModelOptions,

    /// The folder of the benchmarks
    #[arg(long, env = "DERMAKE_DATA", default_value = "data", value_name = "DIR")]
    data: PathBuf,

    /// Keys of the benchmarks to run [default: all that are there]
    #[arg(long, value_delimiter = ',', value_name = "KEY")]
    only: Vec<String>,

    /// Which rows are scored: all, or as the released script does
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    protocol: Protocol,

    /// The share of a table's images that may be missing or damaged
    #[arg(long, default_value_t = 0.01, value_name = "SHARE", value_parser = share)]
    max_unreadable: f64,

    /// A folder for results.json, results.md and report.html
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Where features are kept [default: dermake/features in the user's cache]
    #[arg(long, env = "DERMAKE_FEATURES", value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,

    /// Keep no features and use none
    #[arg(long)]
    no_cache: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1".into())
}

impl Eval {
    pub fn run(self) -> Result<ExitCode> {
        dermake_process::host::prepare();
        let cache = if self.no_cache { None } else { self.cache.or_else(default_cache) };
        let ending = evaluate(&EvalOptions {
            model: &self.model,
            data: &self.data,
            only: &self.only,
            protocol: self.protocol,
            max_unreadable: self.max_unreadable,
            cache,
            out: self.out.as_deref(),
        })?;
        Ok(match ending {
            Ending::Complete => ExitCode::SUCCESS,
            Ending::Partial => ExitCode::from(1),
            Ending::Interrupted => ExitCode::from(130),
        })
    }
}
