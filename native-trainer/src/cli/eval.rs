//! `dermake eval`.

use crate::cli::options::ModelArguments;
use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use dermake_evaluation::results::Protocol;
use dermake_evaluation::{Ending, EvalOptions, evaluate};
use dermake_features::default_cache;
use std::path::PathBuf;
use std::process::ExitCode;

/// Run MAKE's benchmarks
///
/// Runs each benchmark whose data are in the data folder, in the layout of the reference, and says where to get the
/// data of the others. Tasks are zero-shot classification, concept annotation, retrieval and linear probes. Metrics
/// have 95 % bootstrap intervals, and are also given by skin type, sex and age if a table has them. Ends with a table
/// of the results beside published figures. Features are cached: a second evaluation reads only the images that the
/// report shows. Exit code 0: everything in the folder was scored; 1: some of it could not be scored; 2: nothing could
/// be scored; 130: interrupted, and finished work is kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake synth --out data/synth && dermake eval
  dermake eval --model hf-hub:xieji-x/MAKE --data data --out reports/make
  dermake eval --only pad,skincon --protocol released")]
pub struct Eval {
    #[command(flatten)]
    model: ModelArguments,

    /// Folder with the data of the benchmarks
    #[arg(long, env = "DERMAKE_DATA", default_value = "data", value_name = "DIR")]
    data: PathBuf,

    /// Keys of the benchmarks to run, separated by commas [default: all whose data are in the folder]
    #[arg(long, value_delimiter = ',', value_name = "KEY")]
    only: Vec<String>,

    /// Rows to score
    #[arg(long, ignore_case = true, default_value = "all", value_parser = protocol())]
    protocol: Protocol,

    /// Largest share of a table's images that may be missing or damaged
    #[arg(long, default_value_t = 0.01, value_name = "SHARE", value_parser = share)]
    max_unreadable: f64,

    /// Folder for results.json, results.md and report.html
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Folder of the feature cache [default: dermake/features in the user's cache]
    #[arg(long, env = "DERMAKE_FEATURES", value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,

    /// Neither read nor write the feature cache
    #[arg(long)]
    no_cache: bool,
}

/// Parses the name of a protocol, in any case.
fn protocol() -> impl TypedValueParser<Value = Protocol> {
    let names = [
        PossibleValue::new("all").help("Every row"),
        PossibleValue::new("released").help(
            "As the released script does: the first 2,048 rows of each classification table, and missing captions as \
             the text \"nan\"",
        ),
    ];
    PossibleValuesParser::new(names).map(|name| match name.eq_ignore_ascii_case("released") {
        true => Protocol::Released,
        false => Protocol::All,
    })
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
            model: &self.model.into(),
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
