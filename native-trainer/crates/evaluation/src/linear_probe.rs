//! Linear probe: multinomial logistic regression on frozen features of a share of the training split.
//!
//! The features are unit vectors, standardized by the training rows' mean and deviation; the penalty on the weights is
//! scikit-learn's at its default, C = 1.

use super::benchmarks::{Benchmark, image_roots};
use super::classification::metrics;
use super::labeled;
use super::results::{BenchmarkResult, Details, Metric, ProbeDetails, ProbeShare};
use super::scored::{ScoredRows, score_images};
use super::session::Session;
use super::table::Table;
use anyhow::{Context, Result, bail};
use dermake_metrics::ScoredClasses;
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Shares of the training split that are learned from.
const SHARES: [f64; 3] = [0.01, 0.1, 1.0];
/// Factor of the halved squares of the weights, beside the sum of losses.
const PENALTY: f64 = 1.0;
const MAX_ITERATIONS: u64 = 1000;
/// The gradient's norm, a row, at which the fit is done.
const TOLERANCE: f64 = 1e-5;

/// One side of the split.
struct Split {
    /// `[n, E]`
    features: Array2<f64>,
    labels: Vec<String>,
}

/// Trains on a benchmark's training split and evaluates on its test split.
pub fn run(
    session: &mut Session<'_>,
    benchmark: &Benchmark,
    table: &Path,
    test: Option<&str>,
    label_column: &str,
) -> Result<BenchmarkResult> {
    let table = Table::read(table)?;
    let folder = table.path.parent().unwrap_or(Path::new("."));
    let other = test.map(|test| Table::read(&folder.join(test))).transpose()?;
    let (train_rows, test_rows) = match &other {
        Some(other) => ((0..table.n_rows()).collect(), (0..other.n_rows()).collect()),
        None => (split_rows(&table, "train")?, split_rows(&table, "test")?),
    };
    let test_table = other.as_ref().unwrap_or(&table);
    let mut notes = Vec::new();
    let (train, train_scored) = split(session, benchmark, &table, &train_rows, label_column, &mut notes)?;
    let (test, test_scored) = split(session, benchmark, test_table, &test_rows, label_column, &mut notes)?;
    let classes: Vec<String> = train.labels.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    if let Some(unknown) = test.labels.iter().find(|label| classes.binary_search(label).is_err()) {
        bail!("the test split has label {unknown:?}, which no training row has: {}", table.path.display());
    }
    if classes.len() < 2 {
        bail!("the training split has one label, {:?}: {}", classes[0], table.path.display());
    }
    let index = |label: &String| classes.binary_search(label).unwrap_or(0);
    let train_labels: Vec<usize> = train.labels.iter().map(index).collect();
    let test_labels: Vec<usize> = test.labels.iter().map(index).collect();

    let mut shares = Vec::new();
    for share in SHARES {
        let rows = sample(&train_labels, share);
        let learned = learn(&train.features, &train_labels, &rows)
            .with_context(|| format!("the linear probe on {share} of the training split failed"))?;
        let probabilities = learned.probabilities(&test.features, classes.len());
        let judged = ScoredClasses::new(&probabilities, &test_labels, classes.len());
        shares.push(ProbeShare {
            share,
            n_train: rows.len(),
            metrics: metrics(&judged, &vec![1; test_labels.len()]),
        });
    }
    notes.insert(0, format!("{} classes; {} training images", classes.len(), train_labels.len()));
    let mut unreadable = train_scored.unreadable;
    unreadable.extend(test_scored.unreadable);
    Ok(BenchmarkResult {
        key: benchmark.key.clone(),
        title: benchmark.title.clone(),
        n_scored: test_labels.len(),
        n_rows: test_rows.len(),
        unreadable,
        notes,
        metrics: shares.iter().rev().flat_map(headline).collect(),
        breakdowns: Vec::new(),
        details: Details::LinearProbe(ProbeDetails { shares }),
        table: table.path,
    })
}

/// Accuracy and AUROC of a share, their keys with its percentage.
fn headline(share: &ProbeShare) -> Vec<Metric> {
    let percent = 100.0 * share.share;
    let of_share = |metric: &Metric| Metric {
        key: format!("{}_{percent:.0}", metric.key),
        title: format!("{}, {percent:.0} % of the training images", metric.title),
        ..metric.clone()
    };
    let chosen =
        share.metrics.iter().filter(|metric| ["top1_accuracy", "macro_auroc"].contains(&metric.key.as_str()));
    chosen.map(of_share).collect()
}

fn split_rows(table: &Table, split: &str) -> Result<Vec<usize>> {
    let column = table.column(&["split"])?;
    let rows: Vec<usize> =
        (0..table.n_rows()).filter(|&row| table.cell(row, column).eq_ignore_ascii_case(split)).collect();
    if rows.is_empty() {
        bail!("no row has split {split}: {}", table.path.display());
    }
    Ok(rows)
}

fn split(
    session: &mut Session<'_>,
    benchmark: &Benchmark,
    table: &Table,
    rows: &[usize],
    label_column: &str,
    notes: &mut Vec<String>,
) -> Result<(Split, ScoredRows)> {
    let label = labeled::label_column(table, label_column, &[])?;
    let labels: Vec<String> = rows.iter().map(|&row| table.cell(row, label).to_string()).collect();
    if let Some(at) = labels.iter().position(String::is_empty) {
        bail!("row {} has no {label_column}: {}", rows[at] + 1, table.path.display());
    }
    let image_column = table.image_column(benchmark.image_column.as_deref())?;
    let files = table.images(image_column, rows, &image_roots(&table.path, session.data()))?;
    if let Some(repeated) = labeled::repeated_images(&files, |at| labels[at].as_str()) {
        tracing::warn!("{}: {repeated}", benchmark.title);
        notes.push(repeated);
    }
    let scored = score_images(session, benchmark, rows, &files)?;
    let values: Vec<f32> = scored.features.flatten_all()?.to_vec1()?;
    let values = values.into_iter().map(f64::from).collect();
    let features = Array2::from_shape_vec(scored.features.dims2()?, values)?;
    Ok((Split { features, labels: scored.of_read(&labels) }, scored))
}

/// Rows to learn from: of each class the same share, one at least; the same ones each time.
fn sample(labels: &[usize], share: f64) -> Vec<usize> {
    let mut by_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, &label) in labels.iter().enumerate() {
        by_class.entry(label).or_default().push(row);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut chosen = Vec::new();
    for mut rows in by_class.into_values() {
        rows.shuffle(&mut rng);
        let n = ((rows.len() as f64 * share) as usize).max(1);
        chosen.extend(rows.into_iter().take(n));
    }
    chosen.sort_unstable();
    chosen
}

/// A linear classifier over standardized features.
struct Learned {
    mean: Array1<f64>,
    deviation: Array1<f64>,
    /// The class of each column.
    classes: Vec<usize>,
    /// `[E, C]`
    weights: Array2<f64>,
    /// `[C]`
    intercept: Array1<f64>,
}

fn learn(features: &Array2<f64>, labels: &[usize], rows: &[usize]) -> Result<Learned> {
    let features = features.select(Axis(0), rows);
    let labels: Array1<usize> = rows.iter().map(|&row| labels[row]).collect();
    let mean = features.mean_axis(Axis(0)).context("no training rows")?;
    let deviation = features.std_axis(Axis(0), 0.0).mapv(|deviation| if deviation > 0.0 { deviation } else { 1.0 });
    let standardized = (&features - &mean) / &deviation;
    let fitted = MultiLogisticRegression::default()
        .alpha(PENALTY)
        .max_iterations(MAX_ITERATIONS)
        .gradient_tolerance(TOLERANCE * rows.len() as f64)
        .fit(&DatasetBase::new(standardized, labels))?;
    let classes = fitted.classes().to_vec();
    Ok(Learned {
        mean,
        deviation,
        classes,
        weights: fitted.params().clone(),
        intercept: fitted.intercept().clone(),
    })
}

impl Learned {
    /// `[n, C]` row-major.
    fn probabilities(&self, features: &Array2<f64>, n_classes: usize) -> Vec<f32> {
        let standardized = (features - &self.mean) / &self.deviation;
        let logits = standardized.dot(&self.weights) + &self.intercept;
        let mut probabilities = Vec::with_capacity(logits.nrows() * n_classes);
        for row in logits.rows() {
            let mut logits = vec![f32::NEG_INFINITY; n_classes];
            for (&class, &logit) in self.classes.iter().zip(row) {
                logits[class] = logit as f32;
            }
            probabilities.extend(shared_model::zero_shot::softmax(&logits));
        }
        probabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_takes_of_every_class() {
        let labels: Vec<usize> = (0..300).map(|row| usize::from(row >= 200) + usize::from(row == 299)).collect();
        let chosen = sample(&labels, 0.1);
        let n_of = |class: usize| chosen.iter().filter(|&&row| labels[row] == class).count();
        assert_eq!((n_of(0), n_of(1), n_of(2)), (20, 9, 1));
        assert_eq!(chosen, sample(&labels, 0.1));
        assert_eq!(sample(&labels, 1.0).len(), 300);
    }

    #[test]
    fn what_lies_apart_is_told_apart() {
        let corner = |row: usize| [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]][row % 3];
        let features = Array2::from_shape_fn((60, 2), |(row, column)| {
            corner(row)[column] + ((row * 7 + column * 3) % 5) as f64 * 0.1
        });
        let labels: Vec<usize> = (0..60).map(|row| row % 3).collect();
        let learned = learn(&features, &labels, &(0..30).collect::<Vec<_>>()).unwrap();
        let judged = ScoredClasses::new(&learned.probabilities(&features, 3), &labels, 3);
        assert_eq!(judged.top1_accuracy(&[1; 60]), Some(1.0));
    }
}
