//! Data that are in no list of benchmarks: a folder, a table, JSON lines, Parquet or tar files of one's own.
//!
//! With labels, images are classified among them; with captions, retrieval is measured.

mod classes;

use super::benchmarks::{Benchmark, OwnRows};
use super::results::UnreadableImage;
use super::scored::check_unlabeled;
use super::short_names;
use super::table::Table;
use super::task::{Classes, Task};
use anyhow::{Result, bail};
use dermake_files::labels;
use dermake_files::missing::in_brackets;
use dermake_sources::columns::{SPLIT_COLUMN, is_same_part};
use dermake_sources::{Dataset, SourceError};
use shared_model::card::OWN_DATA;
use shared_model::labels::LabelSet;
use std::collections::BTreeMap;
use std::path::Path;

/// Data of one's own that figures can come from, for the first error that somebody meets.
pub const WAYS: &str = "\n  --data photos                      a folder with a folder of photos for each class\
                        \n  --data test.csv --label-column dx  a table with an image and a label in each row\
                        \n  --data drawn/train.csv             drawn pictures, after dermake synth --out drawn";
/// Keys of the results.
pub const LABELS_KEY: &str = OWN_DATA[0];
const CAPTIONS_KEY: &str = OWN_DATA[1];

/// What the user says about the columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnColumns<'a> {
    pub image: Option<&'a str>,
    pub label: Option<&'a str>,
    pub caption: Option<&'a str>,
    /// The classes: a key, a file or a list; without it, those of the labels.
    pub classes: Option<&'a str>,
    /// The part of the data to score.
    pub split: Option<&'a str>,
    /// The folder where the names of the images start.
    pub images: Option<&'a Path>,
}

impl OwnColumns<'_> {
    /// Returns whether anything is said, which only data of one's own need.
    pub fn is_given(&self) -> bool {
        let texts = [self.image, self.label, self.caption, self.classes, self.split];
        self.images.is_some() || texts.iter().any(Option::is_some)
    }
}

/// Finds out what can be measured on data, and says what was read.
///
/// # Errors
/// When the data cannot be read, have neither labels nor captions, or more rows than the share `limit` have none.
pub fn benchmarks(path: &Path, columns: &OwnColumns<'_>, limit: f64) -> Result<Vec<Benchmark>> {
    let data = read(path, columns)?;
    let rows = rows_of(&data, columns.split)?;
    let label = wanted(columns.label, columns.caption.is_none(), |name| data.label_column(name))?;
    let caption = wanted(columns.caption, columns.label.is_none(), |name| data.caption_column(name))?;
    log_notes(&data);
    let mut found = Vec::new();
    if let Some(column) = label {
        found.push(classification(&data, &rows, column, columns, limit)?.0);
    }
    if let Some(column) = caption {
        found.push(retrieval(&data, &rows, column, columns));
    }
    if found.is_empty() {
        let columns = match data.columns().is_empty() {
            true => ": no column, no folders of classes, no texts beside the images".into(),
            false => format!(
                "; --label-column or --caption-column names one of the columns ({})",
                data.columns().join(", ")
            ),
        };
        bail!(
            "the data have neither labels nor captions{columns}: {}; what works, for example:{WAYS}",
            path.display()
        );
    }
    Ok(found)
}

/// Labeled images, as a benchmark with its table and its classes.
pub struct LabeledData {
    pub benchmark: Benchmark,
    pub table: Table,
    pub label_column: String,
    pub class_list: LabelSet,
}

/// Which rows of labeled data are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabeledRows {
    /// All, whichever part they are of.
    All,
    /// Those of the part that is named.
    OfSplit,
}

/// Reads labeled rows of data.
///
/// # Errors
/// When the data cannot be read, have no labels, or more rows than the share `limit` have none.
pub fn labeled(path: &Path, columns: &OwnColumns<'_>, limit: f64, which: LabeledRows) -> Result<LabeledData> {
    let data = read(path, columns)?;
    let rows = match which {
        LabeledRows::All => (0..data.len()).collect(),
        LabeledRows::OfSplit => rows_of(&data, columns.split)?,
    };
    let label = data.label_column(columns.label).map_err(explained)?;
    log_notes(&data);
    let (benchmark, class_names) = classification(&data, &rows, label, columns, limit)?;
    Ok(LabeledData {
        table: benchmark.read(path)?,
        label_column: data.columns()[label].clone(),
        class_list: LabelSet::from_class_names(class_names)?,
        benchmark,
    })
}

/// Reads data whose images can be found.
fn read(path: &Path, columns: &OwnColumns<'_>) -> Result<Dataset> {
    let mut data = Dataset::read(path).map_err(explained)?;
    data.join_class_columns();
    data.image_column(columns.image).map_err(explained)?;
    if let Some(images) = columns.images {
        if data.knows_images() {
            bail!("--images is for tables that name their images; these data have them: {}", path.display());
        }
        if !images.is_dir() {
            bail!("--images names no folder: {}", images.display());
        }
    }
    Ok(data)
}

/// Logs what was not read: once, however often the table is read for models and tasks.
fn log_notes(data: &Dataset) {
    data.notes().iter().for_each(|note| tracing::warn!("{note}"));
}

/// What was read, for the notes of the result; the log has it, too.
fn said(what: Option<String>) -> Option<String> {
    what.inspect(|what| tracing::info!("{what}"))
}

/// The named column, or a usual one if `is_usual_wanted`.
fn wanted(
    named: Option<&str>,
    is_usual_wanted: bool,
    find: impl Fn(Option<&str>) -> Result<usize, SourceError>,
) -> Result<Option<usize>> {
    match named {
        Some(_) => Ok(Some(find(named)?)),
        None => Ok(is_usual_wanted.then(|| find(None).ok()).flatten()),
    }
}

/// The rows of a part of the data, or all.
fn rows_of(data: &Dataset, split: Option<&str>) -> Result<Vec<usize>> {
    let column = data.column(SPLIT_COLUMN);
    let parts = |column: usize| {
        let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
        (0..data.len()).for_each(|row| *parts.entry(data.cell(row, column).trim()).or_default() += 1);
        parts
    };
    let named = |parts: &BTreeMap<&str, usize>| {
        parts.iter().map(|(name, n)| format!("{name} ({n} rows)")).collect::<Vec<_>>().join(", ")
    };
    let Some(split) = split else {
        if let Ok(parts) = column.map(parts)
            && parts.len() > 1
        {
            tracing::warn!("all parts of the data are scored: {}; --split names one", named(&parts));
        }
        return Ok((0..data.len()).collect());
    };
    let column = column?;
    let rows: Vec<usize> = (0..data.len()).filter(|&row| is_same_part(data.cell(row, column), split)).collect();
    if rows.is_empty() {
        bail!("no row has split {split}; there are {}: {}", named(&parts(column)), data.path().display());
    }
    Ok(rows)
}

/// The benchmark of the labeled rows, and its classes.
fn classification(
    data: &Dataset,
    rows: &[usize],
    column: usize,
    columns: &OwnColumns<'_>,
    limit: f64,
) -> Result<(Benchmark, Vec<String>)> {
    let name = &data.columns()[column];
    let known = match columns.classes {
        Some(argument) => Some(labels::from_argument(argument)?.class_names),
        None => data.class_names(column).map(short_names::in_full),
    };
    let (labeled, unlabeled) = classes::by_presence(data, rows, column, known.as_deref());
    let missing: Vec<UnreadableImage> =
        unlabeled.iter().map(|&row| classes::without_label(data, row, column)).collect();
    check_unlabeled(&missing, rows.len(), limit)?;
    let classes = match known {
        Some(names) => names,
        None => classes::distinct(data, &labeled, column)?,
    };
    if classes.len() < 2 {
        bail!(
            "every row has the same {name}, {}, so that there is nothing to tell apart; --labels names the classes to \
             choose from: {}",
            classes.first().map_or("", String::as_str),
            data.path().display()
        );
    }
    let mut notes: Vec<String> = data.notes().to_vec();
    notes.extend(said(data.class_columns_description(column)));
    notes.extend(said(short_names::description(data, &labeled, column, &classes)));
    if let (Some(first), Some(&row)) = (missing.first(), unlabeled.first()) {
        let words = in_brackets(unlabeled.iter().map(|&row| data.cell(row, column)));
        let n = missing.len();
        let why = data.label_problem(row, column).map_or_else(String::new, |problem| format!(": {problem}"));
        let note = format!("{n} rows without a {name}{words} are left out, the first is {}{why}", first.file);
        tracing::warn!("{note}");
        notes.push(note);
    }
    let title = format!("{}, {} classes", name_of(data.path()), classes.len());
    tracing::info!("read {}: {} labeled with {} classes", data.description(), labeled.len(), classes.len());
    let task = Task::Classification {
        classes: Classes::Names(classes.clone()),
        label_column: name.clone(),
        metric: "top1_accuracy".into(),
    };
    let images = columns.images.map(Path::to_path_buf);
    let own = OwnRows { path: data.path().into(), rows: labeled, images, notes };
    Ok((benchmark(LABELS_KEY, title, task, columns, own), classes))
}

fn retrieval(data: &Dataset, rows: &[usize], column: usize, columns: &OwnColumns<'_>) -> Benchmark {
    let title = format!("{}, captions", name_of(data.path()));
    tracing::info!("read {}: captions from the column {}", data.description(), data.columns()[column]);
    let task = Task::Retrieval { caption_column: data.columns()[column].clone() };
    let images = columns.images.map(Path::to_path_buf);
    let own = OwnRows { path: data.path().into(), rows: rows.to_vec(), images, notes: data.notes().to_vec() };
    benchmark(CAPTIONS_KEY, title, task, columns, own)
}

fn benchmark(key: &str, title: String, task: Task, columns: &OwnColumns<'_>, own: OwnRows) -> Benchmark {
    Benchmark {
        key: key.into(),
        title,
        task,
        tables: Vec::new(),
        image_column: columns.image.map(str::to_owned),
        source: String::new(),
        how: String::new(),
        own: Some(own),
    }
}

/// The last part of a path, as a title.
pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// An error with what works, if nothing usable is there at all.
fn explained(err: SourceError) -> anyhow::Error {
    let is_first_try = matches!(
        err,
        SourceError::Missing { .. } | SourceError::EmptyFolder { .. } | SourceError::UnknownColumn { .. }
    );
    let text = if is_first_try { format!("; what works, for example:{WAYS}") } else { String::new() };
    match err {
        err if text.is_empty() => err.into(),
        err => anyhow::anyhow!("{err}{text}"),
    }
}

#[cfg(test)]
mod tests;
