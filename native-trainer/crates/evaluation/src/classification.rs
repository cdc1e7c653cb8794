//! Zero-shot classification of a labeled table.

use super::benchmarks::{Benchmark, Classes};
use super::groups::breakdowns;
use super::labeled::{Columns, LabeledImages};
use super::report::listed;
use super::results::{BenchmarkResult, ClassResult, ClassificationDetails, Details, Metric, Mistake, Protocol};
use super::scored::{ScoredRows, score_images};
use super::session::Session;
use super::table::Table;
use anyhow::{Result, bail};
use dermake_metrics::{ClassCounts, ScoredClasses, expected_calibration_error, intervals, reliability};
use shared_model::labels::{LabelSet, Templates};
use shared_model::zero_shot::{Classifier, softmax};
use std::path::Path;

/// Rows that the reference's script scores: its first batch.
pub const RELEASED_ROWS: usize = 2048;
/// Wrong answers that are kept.
const MAX_MISTAKES: usize = 12;
/// Scores a benchmark's table.
pub fn run(
    session: &mut Session<'_>,
    benchmark: &Benchmark,
    table: &Path,
    classes: &Classes,
    label_column: &str,
) -> Result<BenchmarkResult> {
    let table = Table::read(table)?;
    let folder = table.path.parent().unwrap_or(Path::new("."));
    let class_list = classes.resolve(folder)?;
    let n_rows = match session.protocol() {
        Protocol::All => table.n_rows(),
        Protocol::Released => table.n_rows().min(RELEASED_ROWS),
    };
    let rows: Vec<usize> = (0..n_rows).collect();
    let columns = Columns { label: label_column, image: benchmark.image_column.as_deref() };
    let LabeledImages { files, labels, doubts } =
        LabeledImages::of_rows(&table, &rows, &columns, &class_list, session.data())?;
    let scored = score_images(session, benchmark, &rows, &files)?;
    let n_classes = class_list.class_names.len();
    let labels: Vec<usize> = scored.of_read(&labels);

    let classifier = classifier(session, &class_list)?;
    let logits: Vec<Vec<f32>> = classifier.logits(&scored.features)?.to_vec2()?;
    let probabilities: Vec<f32> = logits.iter().flat_map(|row| softmax(row)).collect();
    if probabilities.iter().any(|probability| !probability.is_finite()) {
        bail!("the model gives features that are not finite numbers");
    }
    let classes = ScoredClasses::new(&probabilities, &labels, n_classes);
    let all = vec![1; classes.n_rows()];
    let mut notes = Vec::new();
    if n_rows < table.n_rows() {
        notes.push(format!("the first {n_rows} of {} rows, as the released script scores them", table.n_rows()));
    }
    for doubt in absent_classes(&class_list, &classes.class_counts(&all)).into_iter().chain(doubts) {
        tracing::warn!("{}: {doubt}", benchmark.title);
        notes.push(doubt);
    }
    let top1 = |counts: &[u32]| classes.top1_accuracy(counts);
    let breakdowns = breakdowns(&table, &scored.rows, "top1_accuracy", &mut notes, top1);
    Ok(BenchmarkResult {
        key: benchmark.key.clone(),
        title: benchmark.title.clone(),
        n_scored: classes.n_rows(),
        n_rows: table.n_rows(),
        unreadable: scored.unreadable.clone(),
        notes,
        metrics: metrics(&classes, &all),
        breakdowns,
        details: Details::Classification(details(&classes, &probabilities, &labels, &class_list, &scored)),
        table: table.path,
    })
}

/// Names classes without a scored row, since the class list may not be the table's.
fn absent_classes(class_list: &LabelSet, counts: &[ClassCounts]) -> Option<String> {
    /// Names that are listed.
    const MAX_NAMED: usize = 10;
    let names = class_list.class_names.iter().zip(counts).filter(|(_, counts)| counts.n == 0);
    let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!("{} of {} classes have no image: {}", names.len(), counts.len(), listed(&names, MAX_NAMED))
    })
}

/// Returns the classifier of a label set: the model's own, or one of cached or new text features.
fn classifier(session: &mut Session<'_>, labels: &LabelSet) -> Result<Classifier> {
    let templates = Templates::skin();
    if let Some(shipped) = session.encoder.model().shipped_classifier(labels, &templates) {
        return Ok(shipped.clone());
    }
    let features = session.texts(&Classifier::prompts(&labels.class_names, &templates))?;
    Ok(Classifier::from_prompts(&labels.class_names, &features)?)
}

/// The metrics of ranked classes with their intervals; the main one first.
pub fn metrics(classes: &ScoredClasses, counts: &[u32]) -> Vec<Metric> {
    let n_classes = classes.n_classes();
    let mut chosen: Vec<(&str, &str, ClassMetric)> =
        vec![("top1_accuracy", "top-1 accuracy", ScoredClasses::top1_accuracy)];
    if n_classes > 3 {
        chosen.push(("top3_accuracy", "top-3 accuracy", |classes, counts| classes.top_k_accuracy(3, counts)));
    }
    if n_classes > 5 {
        chosen.push(("top5_accuracy", "top-5 accuracy", |classes, counts| classes.top_k_accuracy(5, counts)));
    }
    chosen.push(("macro_auroc", "macro AUROC", ScoredClasses::macro_auroc));
    chosen.push(("balanced_accuracy", "balanced accuracy", ScoredClasses::balanced_accuracy));
    chosen.push(("weighted_f1", "weighted F1", ScoredClasses::weighted_f1));
    let of = |counts: &[u32]| -> Vec<Option<f64>> {
        chosen.iter().map(|(.., metric)| metric(classes, counts)).collect()
    };
    let values = of(counts);
    let intervals = intervals(counts, of);
    let figures = values.into_iter().zip(intervals);
    let metric = |(&(key, title, _), (value, interval)): (&(&str, &str, ClassMetric), _)| Metric {
        key: key.into(),
        title: title.into(),
        value,
        interval: value.and(interval),
    };
    chosen.iter().zip(figures).map(metric).collect()
}

type ClassMetric = fn(&ScoredClasses, &[u32]) -> Option<f64>;

fn details(
    classes: &ScoredClasses,
    probabilities: &[f32],
    labels: &[usize],
    class_list: &LabelSet,
    scored: &ScoredRows,
) -> ClassificationDetails {
    let names = &class_list.class_names;
    let all = vec![1; labels.len()];
    let confidence = |row: usize| f64::from(probabilities[row * names.len() + classes.predictions()[row]]);
    let is_right = |row: usize| classes.predictions()[row] == labels[row];
    let answers: Vec<(f64, bool)> = (0..labels.len()).map(|row| (confidence(row), is_right(row))).collect();
    let bins = reliability(&answers);
    let of_class = |(class, (name, counts)): (usize, (&String, ClassCounts))| ClassResult {
        name: name.clone(),
        n: counts.n as usize,
        recall: counts.recall(),
        precision: counts.precision(),
        auroc: classes.auroc(class, &all),
        roc: classes.roc(class, &all),
    };
    let mut wrong: Vec<usize> = (0..labels.len()).filter(|&row| !is_right(row)).collect();
    wrong.sort_by(|&a, &b| confidence(b).total_cmp(&confidence(a)).then(a.cmp(&b)));
    let mistake = |&row: &usize| Mistake {
        row: scored.rows[row] + 1,
        file: scored.files[row].clone(),
        label: names[labels[row]].clone(),
        prediction: names[classes.predictions()[row]].clone(),
        probability: confidence(row),
    };
    ClassificationDetails {
        classes: names.iter().zip(classes.class_counts(&all)).enumerate().map(of_class).collect(),
        confusion: classes.confusion(&all),
        expected_calibration_error: expected_calibration_error(&bins),
        reliability: bins,
        mistakes: wrong.iter().take(MAX_MISTAKES).map(mistake).collect(),
    }
}
