//! Metrics and figures of predicted classes, whoever predicted them.

use super::exclusion::Exclusion;
use super::groups::breakdowns;
use super::predictions::Predictions;
use super::report::listed;
use super::resampler::{Resampler, Scored};
use super::results::{
    BenchmarkResult, ClassResult, ClassificationDetails, Details, Metric, Mistake, UnreadableImage, WithoutExcluded,
};
use super::row_names::RowNames;
use super::table::Table;
use dermake_metrics::{ClassCounts, ScoredClasses, expected_calibration_error, intervals, reliability};
use std::path::PathBuf;

/// Wrong answers that are kept.
const MAX_MISTAKES: usize = 12;

/// Predictions to score, and what is known of their benchmark.
pub struct Classified<'a> {
    pub key: String,
    pub title: String,
    /// Key of the metric that comes first.
    pub main_metric: String,
    pub table: Table,
    pub predictions: Predictions,
    /// The file of each prediction.
    pub files: Vec<PathBuf>,
    pub unreadable: Vec<UnreadableImage>,
    pub notes: Vec<String>,
    /// What may not be meant, in words.
    pub doubts: Vec<String>,
    /// The factor between cosines and logits, where probabilities come from them.
    pub scale: Option<f64>,
    pub exclusion: Option<&'a Exclusion>,
}

impl Classified<'_> {
    /// Computes everything that is reported of classes.
    pub fn score(self) -> Scored {
        let Self { key, title, main_metric, table, predictions, mut notes, .. } = self;
        let classes = predictions.scored();
        let all = vec![1; classes.n_rows()];
        let absent = absent_classes(&predictions.class_names, &classes.class_counts(&all));
        for doubt in absent.into_iter().chain(self.doubts) {
            tracing::warn!("{title}: {doubt}");
            notes.push(doubt);
        }
        let counts = self.exclusion.map(|exclusion| {
            exclusion.counts(predictions.rows.iter().map(|row| (row.image.as_str(), row.sha256.as_deref())))
        });
        let metrics = metrics(&classes, &all, &main_metric);
        let rows: Vec<usize> = predictions.rows.iter().map(|row| row.row - 1).collect();
        let main = metric_of(&main_metric);
        let breakdowns = breakdowns(&table, &rows, &main_metric, &mut notes, |counts| main(&classes, counts));
        let result = BenchmarkResult {
            key,
            title,
            n_scored: classes.n_rows(),
            n_rows: table.n_rows(),
            unreadable: self.unreadable,
            notes,
            without_excluded: counts
                .map(|counts| WithoutExcluded::of(&counts, |counts| self::metrics(&classes, counts, &main_metric))),
            breakdowns,
            details: Details::Classification(details(&classes, &predictions, &self.files, self.scale)),
            table: table.path,
            map: None,
            metrics,
        };
        let resampler =
            Resampler::new(&result, RowNames::of(&predictions), Box::new(move |counts| main(&classes, counts)));
        Scored { result, resampler, predictions: Some(predictions) }
    }
}

/// Names classes without a scored row, since the class list may not be the table's.
fn absent_classes(class_names: &[String], counts: &[ClassCounts]) -> Option<String> {
    /// Names that are listed.
    const MAX_NAMED: usize = 10;
    let names = class_names.iter().zip(counts).filter(|(_, counts)| counts.n == 0);
    let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!("{} of {} classes have no image: {}", names.len(), counts.len(), listed(&names, MAX_NAMED))
    })
}

/// A metric of ranked classes for counts of the rows.
pub type ClassMetric = fn(&ScoredClasses, &[u32]) -> Option<f64>;

/// The metrics: key, title, fewest classes, function.
const METRICS: [(&str, &str, usize, ClassMetric); 9] = [
    ("top1_accuracy", "top-1 accuracy", 0, ScoredClasses::top1_accuracy),
    ("top3_accuracy", "top-3 accuracy", 4, |classes, counts| classes.top_k_accuracy(3, counts)),
    ("top5_accuracy", "top-5 accuracy", 6, |classes, counts| classes.top_k_accuracy(5, counts)),
    ("macro_auroc", "macro AUROC", 0, ScoredClasses::macro_auroc),
    ("balanced_accuracy", "balanced accuracy", 0, ScoredClasses::balanced_accuracy),
    ("weighted_f1", "weighted F1", 0, ScoredClasses::weighted_f1),
    ("macro_f1", "macro F1", 0, ScoredClasses::macro_f1),
    ("sensitivity", "sensitivity", 0, ScoredClasses::sensitivity),
    ("specificity", "specificity", 0, ScoredClasses::specificity),
];

/// Whether classification has a metric of this key.
pub fn is_metric(key: &str) -> bool {
    METRICS.iter().any(|(known, ..)| *known == key)
}

/// The metric of this key; accuracy if there is none.
pub fn metric_of(key: &str) -> ClassMetric {
    METRICS.iter().find(|(known, ..)| *known == key).map_or(ScoredClasses::top1_accuracy, |(.., metric)| *metric)
}

/// The metrics of ranked classes with their intervals, the main one first.
pub fn metrics(classes: &ScoredClasses, counts: &[u32], main: &str) -> Vec<Metric> {
    let mut chosen: Vec<_> =
        METRICS.iter().filter(|(key, _, n_least, _)| classes.n_classes() >= *n_least || *key == main).collect();
    chosen.sort_by_key(|(key, ..)| *key != main);
    let of = |counts: &[u32]| -> Vec<Option<f64>> {
        chosen.iter().map(|(.., metric)| metric(classes, counts)).collect()
    };
    let figures = of(counts).into_iter().zip(intervals(counts, of));
    let metric = |(&&(key, title, ..), (value, interval)): (&&(&str, &str, usize, ClassMetric), _)| Metric {
        key: key.into(),
        title: if key == "macro_auroc" && classes.n_classes() == 2 { "AUROC".into() } else { title.into() },
        value,
        interval: value.and(interval),
    };
    chosen.iter().zip(figures).map(metric).collect()
}

/// Intervals of each class's recall, precision and AUROC.
fn class_intervals(classes: &ScoredClasses, counts: &[u32]) -> Vec<[Option<[f64; 2]>; 3]> {
    let of = |counts: &[u32]| -> Vec<Option<f64>> {
        let of_classes = classes.class_counts(counts);
        let of_class = |(class, found): (usize, &ClassCounts)| {
            [found.recall(), found.precision(), classes.auroc(class, counts)]
        };
        of_classes.iter().enumerate().flat_map(of_class).collect()
    };
    intervals(counts, of).chunks_exact(3).map(|bounds| [bounds[0], bounds[1], bounds[2]]).collect()
}

fn details(
    classes: &ScoredClasses,
    predictions: &Predictions,
    files: &[PathBuf],
    scale: Option<f64>,
) -> ClassificationDetails {
    let names = &predictions.class_names;
    let rows = &predictions.rows;
    let all = vec![1; rows.len()];
    let confidence = |row: usize| rows[row].probabilities[rows[row].predicted];
    let is_right = |row: usize| rows[row].predicted == rows[row].label;
    let answers: Vec<(f64, bool)> = (0..rows.len()).map(|row| (confidence(row), is_right(row))).collect();
    let bins = reliability(&answers);
    let bounds = class_intervals(classes, &all);
    let of_class = |(class, (name, counts)): (usize, (&String, ClassCounts))| {
        let [recall_interval, precision_interval, auroc_interval] = bounds[class];
        let (recall, precision, auroc) = (counts.recall(), counts.precision(), classes.auroc(class, &all));
        ClassResult {
            name: name.clone(),
            n: counts.n as usize,
            recall,
            recall_interval: recall.and(recall_interval),
            precision,
            precision_interval: precision.and(precision_interval),
            auroc,
            auroc_interval: auroc.and(auroc_interval),
            roc: classes.roc(class, &all),
        }
    };
    let mut wrong: Vec<usize> = (0..rows.len()).filter(|&row| !is_right(row)).collect();
    wrong.sort_by(|&a, &b| confidence(b).total_cmp(&confidence(a)).then(a.cmp(&b)));
    let mistake = |&row: &usize| Mistake {
        row: rows[row].row,
        file: files[row].clone(),
        label: names[rows[row].label].clone(),
        prediction: names[rows[row].predicted].clone(),
        probability: confidence(row),
    };
    ClassificationDetails {
        classes: names.iter().zip(classes.class_counts(&all)).enumerate().map(of_class).collect(),
        confusion: classes.confusion(&all),
        expected_calibration_error: expected_calibration_error(&bins),
        reliability: bins,
        mistakes: wrong.iter().take(MAX_MISTAKES).map(mistake).collect(),
        scale,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Prediction;
    use std::path::Path;

    fn scored(main_metric: &str) -> BenchmarkResult {
        let row = |row: usize, label: usize, second: f64| Prediction {
            row,
            image: format!("{row}.jpg"),
            sha256: None,
            label,
            predicted: usize::from(second > 0.5),
            probabilities: vec![1.0 - second, second],
        };
        let rows = vec![row(1, 0, 0.1), row(2, 1, 0.4), row(3, 1, 0.9), row(4, 0, 0.6)];
        let table = Table::from_bytes(b"image\n1\n2\n3\n4\n", Path::new("t.csv")).unwrap();
        let classified = Classified {
            key: "two".into(),
            title: "Two".into(),
            main_metric: main_metric.into(),
            table,
            files: rows.iter().map(|row| row.image.clone().into()).collect(),
            predictions: Predictions { class_names: vec!["benign".into(), "malignant".into()], rows },
            unreadable: Vec::new(),
            notes: Vec::new(),
            doubts: vec!["a doubt".into()],
            scale: None,
            exclusion: None,
        };
        classified.score().result
    }

    #[test]
    fn the_main_metric_comes_first_and_of_two_classes_no_mean_is_taken() {
        let result = scored("macro_auroc");
        let first = &result.metrics[0];
        assert_eq!((first.key.as_str(), first.title.as_str(), first.value), ("macro_auroc", "AUROC", Some(0.75)));
        let of = |key: &str| result.metrics.iter().find(|metric| metric.key == key).unwrap();
        assert_eq!((of("sensitivity").value, of("specificity").value), (Some(0.5), Some(0.5)));
        assert_eq!((of("macro_f1").title.as_str(), of("top1_accuracy").value), ("macro F1", Some(0.5)));
        assert!(
            result.notes.contains(&"a doubt".to_string())
                && !result.metrics.iter().any(|m| m.key == "top3_accuracy")
        );
        assert_eq!(scored("top1_accuracy").metrics[0].title, "top-1 accuracy");
    }
}
