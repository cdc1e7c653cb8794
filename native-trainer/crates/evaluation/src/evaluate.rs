//! Runs the benchmarks of a data folder with one or more models.

use super::benchmarks::Benchmark;
use super::chosen::{chosen, nothing_found};
use super::compare::{Comparison, Evaluated, FailedModel};
use super::concepts::{self, ConceptSource};
use super::eval_options::EvalOptions;
use super::exclusion::Exclusion;
use super::image_tables::ImageTables;
use super::linear_probe::{self, ProbeTask};
use super::out::ReportFolder;
use super::resampler::Scored;
use super::results::{BenchmarkResult, EvaluatedModel, FailedBenchmark, Results, SkippedBenchmark};
use super::session::{Session, SessionOptions};
use super::task::Task;
use super::zero_shot::{self, ClassTask};
use super::{Ending, compared, print_table, report, retrieval};
use anyhow::{Result, bail};
use dermake_collectives::RankError;
use dermake_features::{Encoder, FeatureStore, Identity};
use dermake_files::file_finder::FileFinder;
use dermake_models::options::ModelOptions;
use dermake_process::interrupt::{self, Interrupted};
use shared_model::ZeroShotModel;
use shared_model::preprocess::Reading;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// As [`compare_models`], and prints the table.
///
/// # Errors
/// As [`compare_models`], and when stdout cannot be written.
pub fn evaluate(options: &EvalOptions<'_>) -> Result<Ending> {
    let (comparison, ending) = compare_models(options)?;
    print_table(&comparison, ending)?;
    Ok(ending)
}

/// The tables and lists that an evaluation reads, beside images.
fn files_read(options: &EvalOptions<'_>, chosen: &[Benchmark]) -> Vec<PathBuf> {
    let finder = FileFinder::new(options.data);
    let of_benchmark = |benchmark: &Benchmark| {
        let table = benchmark.table(&finder);
        let test = table.as_deref().and_then(|table| benchmark.test_table(table));
        let list = table.as_deref().and_then(|table| benchmark.list_file(table));
        table.into_iter().chain(test).chain(list)
    };
    let lists = [Some(options.data), options.exclude, options.columns.classes.map(Path::new)];
    chosen.iter().flat_map(of_benchmark).chain(lists.into_iter().flatten().map(PathBuf::from)).collect()
}

/// Runs every benchmark that the data folder has with each model, and writes the report.
///
/// # Errors
/// When no benchmark is there, a model cannot be loaded or the report not written.
pub fn compare_models(options: &EvalOptions<'_>) -> Result<(Comparison, Ending)> {
    refuse_repeated(options.models)?;
    options.tables.check(options.models.len())?;
    let folder = options.out.map(ReportFolder::prepare).transpose()?;
    let chosen = chosen(options)?;
    options.tables.check_concepts(&chosen, options.data)?;
    options.tables.refuse_inputs(&files_read(options, &chosen))?;
    let exclusion = options.exclude.map(Exclusion::read).transpose()?;
    let session = SessionOptions {
        data: options.data,
        protocol: options.protocol,
        max_unreadable: options.max_unreadable,
        exclusion: exclusion.as_ref(),
    };
    let mut ending = Ending::Complete;
    let (mut models, mut not_evaluated): (Vec<Evaluated>, Vec<FailedModel>) = (Vec::new(), Vec::new());
    let mut tables = ImageTables::default();
    for (index, model) in options.models.iter().enumerate() {
        let mut found = match of_model(index, options, &session, &chosen) {
            // What the models before it have scored is reported, and the failure with it, unless another rank has ended.
            Err(err) if !models.is_empty() && !err.is::<RankError>() => {
                not_evaluated.push(FailedModel { name: model.model.clone(), problem: format!("{err:#}") });
                ending = worse(ending, Ending::Partial);
                continue;
            }
            found => found?,
        };
        name_apart(&mut found.evaluated.results.model, &model.model, &models)?;
        models.push(found.evaluated);
        tables = found.tables;
        ending = worse(ending, found.ending);
        if ending == Ending::Interrupted {
            break;
        }
    }
    // Nothing is written before: another rank that ends would end this one, too.
    options.ranks.finish(ending == Ending::Interrupted)?;
    let is_empty = |model: &Evaluated| model.results.benchmarks.is_empty() && model.results.failed.is_empty();
    if let Some(model) = models.first().filter(|_| models.iter().all(is_empty) && ending == Ending::Complete) {
        nothing_found(options, &model.results)?;
    }
    if let (Some(path), Some(exclusion)) = (options.exclude, &exclusion) {
        exclusion.warn_unused(path);
    }
    // The report comes first: a table that cannot be written does not lose it.
    let comparison = compared(&models, not_evaluated, folder.as_ref())?;
    options.tables.write(tables, models.first().map_or(&[], |model| &model.scored))?;
    Ok((comparison, ending))
}

/// What was found with one model.
struct OfModel {
    evaluated: Evaluated,
    tables: ImageTables,
    ending: Ending,
}

/// Runs the benchmarks with the model of this index.
fn of_model(
    index: usize,
    eval: &EvalOptions<'_>,
    session_options: &SessionOptions<'_>,
    chosen: &[Benchmark],
) -> Result<OfModel> {
    let (model, identity) = eval.ranks.load(index, &eval.models[index], Reading::Reference)?;
    dermake_models::warn_of(&model);
    let store = match &eval.cache {
        Some(cache) => FeatureStore::open_cache(cache, &identity),
        None => None,
    };
    interrupt::listen("batch")?;
    let encoder = Encoder::new(&model, Reading::Reference, store).with_ranks(&eval.ranks);
    eval.scale.check(&model)?;
    let tables = eval.tables.started();
    let mut session = Session {
        encoder,
        options: session_options,
        tables,
        map: eval.map,
        scale: eval.scale,
        templates: eval.templates.clone(),
    };
    let mut results = empty_results(&model, &identity, eval);
    let mut all_scored = Vec::new();
    let mut ending = Ending::Complete;
    let data = FileFinder::new(eval.data);
    for (at, benchmark) in chosen.iter().enumerate() {
        let Some(table) = benchmark.table(&data) else {
            results.skipped.push(skipped(benchmark, eval.data));
            continue;
        };
        match run(&mut session, benchmark, &table) {
            Ok(scored) => {
                log(&scored.result);
                results.benchmarks.push(scored.result.clone());
                all_scored.push(scored);
            }
            Err(err) if err.is::<Interrupted>() => {
                ending = Ending::Interrupted;
                results.failed.extend(chosen[at..].iter().map(stopped));
                break;
            }
            Err(err) if err.is::<RankError>() => return Err(err),
            Err(err) => {
                tracing::error!("{}: {err:#}", benchmark.title);
                ending = Ending::Partial;
                let (key, title) = (benchmark.key.clone(), benchmark.title.clone());
                results.failed.push(FailedBenchmark { key, title, problem: format!("{err:#}") });
            }
        }
    }
    results.effort = session.encoder.effort;
    Ok(OfModel { evaluated: Evaluated { results, scored: all_scored }, tables: session.tables, ending })
}

/// # Errors
/// When a model is named twice.
fn refuse_repeated(models: &[ModelOptions]) -> Result<()> {
    let mut named = HashSet::new();
    match models.iter().find(|model| !named.insert(model.model.trim_end_matches(['/', '\\']))) {
        Some(repeated) => bail!("the model is named twice: {}", repeated.model),
        None => Ok(()),
    }
}

fn worse(a: Ending, b: Ending) -> Ending {
    match (a, b) {
        (Ending::Interrupted, _) | (_, Ending::Interrupted) => Ending::Interrupted,
        (Ending::Partial, _) | (_, Ending::Partial) => Ending::Partial,
        _ => Ending::Complete,
    }
}

/// Gives a model another name than those before it have: what the command line calls it.
fn name_apart(model: &mut EvaluatedModel, argument: &str, before: &[Evaluated]) -> Result<()> {
    let is_taken = |name: &str| before.iter().any(|other| other.results.model.name == name);
    if is_taken(&model.name) {
        model.name = argument.trim_end_matches(['/', '\\']).into();
    }
    if is_taken(&model.name) {
        bail!("the model is named twice: {argument}");
    }
    Ok(())
}

/// Describes a benchmark whose data are not there; the log says so, too.
fn skipped(benchmark: &Benchmark, data: &Path) -> SkippedBenchmark {
    let skipped = benchmark.skipped(data);
    tracing::info!("{}: not run, as the data are not there; {} ({})", skipped.title, skipped.how, skipped.source);
    skipped
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

fn run(session: &mut Session<'_>, benchmark: &Benchmark, table: &Path) -> Result<Scored> {
    match &benchmark.task {
        Task::Classification { classes, label_column, metric } => {
            zero_shot::run(session, benchmark, table, &ClassTask { classes, label_column, metric })
        }
        Task::Concepts { images, list, concepts } => {
            concepts::run(session, benchmark, table, images, &ConceptSource { list, named: concepts })
        }
        Task::Retrieval { caption_column } => retrieval::run(session, benchmark, table, caption_column),
        Task::LinearProbe { test, label_column, metric } => {
            linear_probe::run(session, benchmark, table, &ProbeTask { test: test.as_deref(), label_column, metric })
        }
    }
}

fn empty_results(model: &ZeroShotModel, identity: &Identity, eval: &EvalOptions<'_>) -> Results {
    Results {
        format: Results::FORMAT.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        model: EvaluatedModel {
            name: identity.model_name.clone(),
            sha256: identity.model_sha256.clone(),
            is_trained: model.is_trained,
            notice: model.notice.clone(),
        },
        protocol: eval.protocol,
        templates: eval.templates.as_slice().to_vec(),
        benchmarks: Vec::new(),
        failed: Vec::new(),
        skipped: Vec::new(),
        effort: Default::default(),
    }
}

/// Logs a result's main figure, and which images it lacks.
pub fn log(result: &BenchmarkResult) {
    log_figure(result);
    if let Some(left_out) = report::left_out(result) {
        tracing::warn!("{}: {left_out}", result.title);
    }
}

/// Logs a result's main figure.
pub fn log_figure(result: &BenchmarkResult) {
    let main = result.metrics.first();
    let value = main.and_then(|metric| metric.value).map_or("n/a".into(), |value| format!("{value:.3}"));
    let title = main.map_or("", |metric| metric.title.as_str());
    let scored = report::scored_share(result).unwrap_or_else(|| format!("{} images", result.n_scored));
    tracing::info!("{}: {title} {value} ({scored})", result.title);
}
