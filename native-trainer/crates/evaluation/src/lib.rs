//! `dermake eval`: MAKE's benchmarks, reproduced and reported.
//!
//! A benchmark is a table and images in the reference's layout. The benchmarks in the data folder run one after the
//! other. Features are cached, so that a second evaluation reads no image and an interrupted one continues.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod benchmarks;
mod classification;
mod concepts;
mod groups;
mod labeled;
mod linear_probe;
mod out;
mod published;
mod report;
pub mod results;
mod retrieval;
mod scored;
mod session;
pub mod table;

pub use labeled::LabeledImages;
pub use results::UnreadableImage;
pub use scored::check_unreadable;

use anyhow::{Result, bail};
use benchmarks::{Benchmark, Task};
use concepts::ConceptSource;
use dermake_features::{Encoder, FeatureStore, Identity};
use dermake_files::file_finder::FileFinder;
use dermake_models::options::ModelOptions;
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::print;
use out::ReportFolder;
use results::{BenchmarkResult, EvaluatedModel, FailedBenchmark, Protocol, Results};
use session::{Session, SessionOptions};
use shared_model::ZeroShotModel;
use shared_model::preprocess::Reading;
use std::path::{Path, PathBuf};

/// Options of an evaluation.
pub struct EvalOptions<'a> {
    pub model: &'a ModelOptions,
    /// The folder of all benchmarks.
    pub data: &'a Path,
    /// Keys of the benchmarks to run; none means all.
    pub only: &'a [String],
    pub protocol: Protocol,
    /// The share of a table's images that may be unreadable.
    pub max_unreadable: f64,
    /// Folder of the feature cache; `None` for no cache.
    pub cache: Option<PathBuf>,
    /// A folder for the report.
    pub out: Option<&'a Path>,
}

/// Outcome of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything in the data folder was scored.
    Complete,
    /// Something failed, the rest was scored.
    Partial,
    /// Stopped by the user; what was scored until then is reported.
    Interrupted,
}

/// Runs every benchmark that the data folder has, prints the table and writes the report.
///
/// # Errors
/// When no benchmark is there, the model cannot be loaded or the report not written.
pub fn evaluate(options: &EvalOptions<'_>) -> Result<Ending> {
    let report = options.out.map(ReportFolder::prepare).transpose()?;
    let chosen = chosen(options)?;
    let (model, name) = options.model.load()?;
    dermake_models::warn_of(&model);
    let identity = Identity::of(options.model, &model, &name, Reading::Reference)?;
    let store = match &options.cache {
        Some(cache) => FeatureStore::open_cache(cache, &identity),
        None => None,
    };
    interrupt::listen("batch")?;
    let session_options =
        SessionOptions { data: options.data, protocol: options.protocol, max_unreadable: options.max_unreadable };
    let encoder = Encoder::new(&model, Reading::Reference, store);
    let mut session = Session { encoder, options: &session_options };

    let mut results = empty_results(&model, &identity, options.protocol);
    let mut ending = Ending::Complete;
    let data = FileFinder::new(options.data);
    for (at, benchmark) in chosen.iter().enumerate() {
        let Some(table) = benchmark.table(&data) else {
            let skipped = benchmark.skipped(options.data);
            tracing::info!(
                "{}: not run, as the data are not there; {} ({})",
                skipped.title,
                skipped.how,
                skipped.source
            );
            results.skipped.push(skipped);
            continue;
        };
        match run(&mut session, benchmark, &table) {
            Ok(result) => {
                log(&result);
                results.benchmarks.push(result);
            }
            Err(err) if err.is::<Interrupted>() => {
                ending = Ending::Interrupted;
                results.failed.extend(chosen[at..].iter().map(stopped));
                break;
            }
            Err(err) => {
                tracing::error!("{}: {err:#}", benchmark.title);
                ending = Ending::Partial;
                let (key, title) = (benchmark.key.clone(), benchmark.title.clone());
                results.failed.push(FailedBenchmark { key, title, problem: format!("{err:#}") });
            }
        }
    }
    results.effort = session.encoder.effort;
    if results.benchmarks.is_empty() && results.failed.is_empty() && ending == Ending::Complete {
        nothing_found(options, &results)?;
    }
    let published = published::published()?;
    if let Some(report) = report {
        report.write(&results, &published)?;
    }
    print::summary(&report::terminal(&results, &published))?;
    if results.benchmarks.is_empty() && ending == Ending::Partial {
        bail!("no benchmark could be scored");
    }
    Ok(ending)
}

/// Report entry of a benchmark that was not scored because of Ctrl-C.
fn stopped(benchmark: &Benchmark) -> FailedBenchmark {
    let (key, title) = (benchmark.key.clone(), benchmark.title.clone());
    FailedBenchmark {
        key,
        title,
        problem: "not scored, as the evaluation was stopped; run it again to go on".into(),
    }
}

/// Returns the benchmarks to run.
fn chosen(options: &EvalOptions<'_>) -> Result<Vec<Benchmark>> {
    if !options.data.is_dir() {
        bail!("there is no data folder: {}", options.data.display());
    }
    let known = Benchmark::known(options.data)?;
    let keys = || known.iter().map(|benchmark| benchmark.key.as_str()).collect::<Vec<_>>().join(", ");
    let is_named = |benchmark: &Benchmark, key: &str| benchmark.key.eq_ignore_ascii_case(key.trim());
    if let Some(unknown) = options.only.iter().find(|key| known.iter().all(|benchmark| !is_named(benchmark, key))) {
        bail!("there is no benchmark {unknown}; there are {}", keys());
    }
    let is_chosen = |b: &Benchmark| options.only.is_empty() || options.only.iter().any(|key| is_named(b, key));
    Ok(known.into_iter().filter(is_chosen).collect())
}

fn run(session: &mut Session<'_>, benchmark: &Benchmark, table: &Path) -> Result<BenchmarkResult> {
    match &benchmark.task {
        Task::Classification { classes, label_column } => {
            classification::run(session, benchmark, table, classes, label_column)
        }
        Task::Concepts { images, list, concepts } => {
            concepts::run(session, benchmark, table, images, &ConceptSource { list, named: concepts })
        }
        Task::Retrieval { caption_column } => retrieval::run(session, benchmark, table, caption_column),
        Task::LinearProbe { test, label_column } => {
            linear_probe::run(session, benchmark, table, test.as_deref(), label_column)
        }
    }
}

fn empty_results(model: &ZeroShotModel, identity: &Identity, protocol: Protocol) -> Results {
    Results {
        format: Results::FORMAT.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        model: EvaluatedModel {
            name: identity.model_name.clone(),
            sha256: identity.model_sha256.clone(),
            is_trained: model.is_trained,
            notice: model.notice.clone(),
        },
        protocol,
        benchmarks: Vec::new(),
        failed: Vec::new(),
        skipped: Vec::new(),
        effort: Default::default(),
    }
}

fn log(result: &BenchmarkResult) {
    let main = result.metrics.first();
    let value = main.and_then(|metric| metric.value).map_or("n/a".into(), |value| format!("{value:.3}"));
    let title = main.map_or("", |metric| metric.title.as_str());
    let scored = report::scored_share(result).unwrap_or_else(|| format!("{} images", result.n_scored));
    tracing::info!("{}: {title} {value} ({scored})", result.title);
    if let Some(left_out) = report::left_out(result) {
        tracing::warn!("{}: {left_out}", result.title);
    }
}

fn nothing_found(options: &EvalOptions<'_>, results: &Results) -> Result<()> {
    let how =
        |skipped: &results::SkippedBenchmark| format!("\n  {}: {} ({})", skipped.key, skipped.how, skipped.source);
    let all: String = results.skipped.iter().map(how).collect();
    bail!("the data folder has no benchmark: {}{all}", options.data.display())
}
