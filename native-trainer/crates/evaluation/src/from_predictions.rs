//! Scores predictions that somebody made (`--from`), and compares them.

use super::benchmarks::Benchmark;
use super::class_metrics::Classified;
use super::compare::Evaluated;
use super::evaluate::log;
use super::exclusion::Exclusion;
use super::out::ReportFolder;
use super::predictions::{
    self, PredictionFile, Predictions, ProbeFolder, ReadPredictions, prediction_files, read_class_names,
};
use super::results::{EvaluatedModel, Protocol, Results};
use super::row_names::RowNames;
use super::task::Task;
use super::{Ending, report};
use anyhow::{Context, Result, bail};
use dermake_files::hash;
use shared_model::labels::LabelSet;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Options of an evaluation of predictions.
pub struct FromOptions<'a> {
    /// Files, and folders of files.
    pub files: &'a [PathBuf],
    /// Class names: a key, a table or a label file; without one, those beside the predictions.
    pub classes: Option<&'a Path>,
    /// A list of images without which the metrics are given, too.
    pub exclude: Option<&'a Path>,
    /// A folder for the report.
    pub out: Option<&'a Path>,
}

/// Scores all files, prints the table and writes the report.
///
/// # Errors
/// When a file has what cannot be a prediction, or two files of a data set disagree about an image's true class.
pub fn evaluate_predictions(options: &FromOptions<'_>) -> Result<Ending> {
    let folder = options.out.map(ReportFolder::prepare).transpose()?;
    let exclusion = options.exclude.map(Exclusion::read).transpose()?;
    let files = prediction_files(options.files)?;
    let given = options.classes.map(read_class_names).transpose()?;
    let mut read = Vec::new();
    for file in &files {
        read.push(read_file(file, given.as_ref())?);
    }
    check_same_labels(&files, &read)?;
    let mut models: Vec<(Evaluated, Vec<PathBuf>)> = Vec::new();
    for (file, read) in files.iter().zip(read) {
        let scored = classified(file, read, exclusion.as_ref()).score();
        log(&scored.result);
        let at = models.iter().position(|(model, _)| model.results.model.name == file.model);
        let at = at.unwrap_or_else(|| {
            models.push((Evaluated { results: empty_results(&file.model), scored: Vec::new() }, Vec::new()));
            models.len() - 1
        });
        let (model, paths) = &mut models[at];
        if model.scored.iter().any(|other| other.result.key == scored.result.key) {
            bail!(
                "two files have predictions of {} for {}; a file is called MODEL.csv, its folder as the data set: {}",
                file.model,
                file.dataset,
                file.path.display()
            );
        }
        model.results.benchmarks.push(scored.result.clone());
        model.scored.push(scored);
        paths.push(file.path.clone());
    }
    for (model, paths) in &mut models {
        model.results.model.sha256 = sha256_of(paths)?;
    }
    if let (Some(path), Some(exclusion)) = (options.exclude, &exclusion) {
        exclusion.warn_unused(path);
    }
    let models: Vec<Evaluated> = models.into_iter().map(|(model, _)| model).collect();
    report(&models, folder.as_ref(), Ending::Complete)?;
    Ok(Ending::Complete)
}

/// Reads a file with the class names that were given, or with those beside it.
fn read_file(file: &PredictionFile, given: Option<&LabelSet>) -> Result<ReadPredictions> {
    let beside = match (given, &file.class_names) {
        (None, Some(path)) => {
            tracing::info!("{}: class names from {}", file.path.display(), path.display());
            Some(read_class_names(path)?)
        }
        _ => None,
    };
    let class_list = given.or(beside.as_ref());
    let mut read = predictions::read(&file.path, class_list)?;
    if class_list.is_none() {
        read.doubts.push("classes are called by their numbers; --classes gives their names".into());
    }
    Ok(read)
}

fn classified<'a>(
    file: &PredictionFile,
    read: ReadPredictions,
    exclusion: Option<&'a Exclusion>,
) -> Classified<'a> {
    let ReadPredictions { predictions, table, doubts } = read;
    let (title, main_metric) = title_and_metric(&file.dataset);
    Classified {
        key: file.dataset.to_lowercase(),
        title,
        main_metric,
        files: predictions.rows.iter().map(|row| PathBuf::from(&row.image)).collect(),
        table,
        predictions,
        unreadable: Vec::new(),
        notes: Vec::new(),
        doubts,
        scale: None,
        exclusion,
    }
}

/// What a data set is called for people, and its main metric: those of a benchmark, if it is called as one.
fn title_and_metric(dataset: &str) -> (String, String) {
    let probes = ProbeFolder::named(dataset);
    let name = probes.as_ref().map_or(dataset, |probes| probes.benchmark.as_str());
    let known = Benchmark::built_in().unwrap_or_default();
    let known = known.into_iter().find(|benchmark| benchmark.key.eq_ignore_ascii_case(name));
    let (title, metric) = match known {
        Some(Benchmark { title, task: Task::Classification { metric, .. }, .. }) => (title, metric),
        _ => (name.to_owned(), "top1_accuracy".into()),
    };
    match probes {
        Some(probes) => (format!("{title}, linear probe, {} % of the training data", probes.percent), metric),
        None => (title, metric),
    }
}

/// Checks that the files of a data set have the same classes, and the same true class of each image: otherwise their
/// classes are in another order, or their tables are of different versions.
fn check_same_labels(files: &[PredictionFile], read: &[ReadPredictions]) -> Result<()> {
    let mut first_of: HashMap<String, usize> = HashMap::new();
    for (at, file) in files.iter().enumerate() {
        let first = *first_of.entry(file.dataset.to_lowercase()).or_insert(at);
        let (ours, others) = (&read[at].predictions, &read[first].predictions);
        let disagree = || format!("{} and {} cannot be compared", files[first].path.display(), file.path.display());
        if ours.class_names.len() != others.class_names.len() {
            let (a, b) = (others.class_names.len(), ours.class_names.len());
            bail!("one has {a} classes, the other {b}: {}", disagree());
        }
        compare_labels(ours, others).with_context(disagree)?;
    }
    Ok(())
}

fn compare_labels(ours: &Predictions, others: &Predictions) -> Result<()> {
    let names = RowNames::matched(&[&RowNames::of(others), &RowNames::of(ours)]);
    let theirs: HashMap<&str, usize> = names[0].iter().map(String::as_str).zip(0..).collect();
    for (name, row) in names[1].iter().zip(&ours.rows) {
        let Some(other) = theirs.get(name.as_str()).map(|&at| &others.rows[at]) else { continue };
        if other.label != row.label {
            let image = row.image.rsplit(['/', '\\']).next().unwrap_or(&row.image);
            bail!(
                "the true class of {image} is {} in row {} of the first and {} in row {} of the second",
                other.label,
                other.row,
                row.label,
                row.row
            );
        }
    }
    Ok(())
}

/// The hash of one file, or of the hashes of several.
fn sha256_of(paths: &[PathBuf]) -> Result<String> {
    let hash_of =
        |path: &PathBuf| hash::sha256_of_file(path).with_context(|| format!("cannot read {}", path.display()));
    let hashes = paths.iter().map(hash_of).collect::<Result<Vec<String>>>()?;
    Ok(if let [only] = &hashes[..] { only.clone() } else { hash::sha256(hashes.concat()) })
}

fn empty_results(model: &str) -> Results {
    Results {
        format: Results::FORMAT.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        model: EvaluatedModel { name: model.into(), sha256: String::new(), is_trained: true, notice: None },
        protocol: Protocol::All,
        templates: Vec::new(),
        benchmarks: Vec::new(),
        failed: Vec::new(),
        skipped: Vec::new(),
        effort: Default::default(),
    }
}
