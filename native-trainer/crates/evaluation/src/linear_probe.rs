//! Linear probe: multinomial logistic regression on frozen features of a share of the training split.

use super::benchmarks::{Benchmark, image_roots};
use super::class_metrics::{is_metric, metric_of, metrics};
use super::dermfm_zero;
use super::labeled;
use super::logistic::learn;
use super::resampler::{Resampler, Scored};
use super::results::Protocol;
use super::results::{BenchmarkResult, Details, Metric, ProbeDetails, ProbeShare, WithoutExcluded};
use super::row_names::RowNames;
use super::scored::{ScoredRows, score_images, scored_rows};
use super::session::Session;
use super::table::Table;
use anyhow::{Context, Result, bail};
use dermake_metrics::ScoredClasses;
use dermake_sources::columns::{SPLIT_COLUMN, is_same_part};
use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Shares of the training split that are learned from.
const SHARES: [f64; 3] = [0.01, 0.1, 1.0];
/// One side of the split.
struct Split {
    /// `[n, E]`
    features: Array2<f64>,
    labels: Vec<String>,
}

/// Where a benchmark has its splits and labels, and what counts.
pub struct ProbeTask<'a> {
    /// A table of the test images; without one, the column `split` tells the splits apart.
    pub test: Option<&'a str>,
    pub label_column: &'a str,
    /// Key of the main metric.
    pub metric: &'a str,
}

/// Trains on a benchmark's training split and evaluates on its test split.
pub fn run(session: &mut Session<'_>, benchmark: &Benchmark, table: &Path, task: &ProbeTask<'_>) -> Result<Scored> {
    let &ProbeTask { test, label_column, metric: main_metric } = task;
    if !is_metric(main_metric) {
        bail!("a linear probe has no metric {main_metric:?}: benchmark {}", benchmark.key);
    }
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
    let sides = Sides {
        train_features: train.features,
        train_labels: train.labels.iter().map(index).collect(),
        test_features: test.features,
        test_labels: test.labels.iter().map(index).collect(),
        n_classes: classes.len(),
    };
    let judged = sides.judged(session.protocol())?;
    let shares = |counts: &[u32]| judged.iter().map(|judged| judged.share(counts, main_metric)).collect::<Vec<_>>();
    let headlines =
        |shares: &[ProbeShare]| shares.iter().rev().flat_map(|share| headline(share, main_metric)).collect();
    let all_shares = shares(&vec![1; sides.test_labels.len()]);
    let counts = session.exclusion().map(|exclusion| exclusion.counts(test_scored.images()));
    notes.insert(0, format!("{} classes; {} training images", classes.len(), sides.train_labels.len()));
    let mut unreadable = train_scored.unreadable;
    unreadable.extend(test_scored.unreadable);
    let result = BenchmarkResult {
        key: benchmark.key.clone(),
        title: benchmark.title.clone(),
        n_scored: sides.test_labels.len(),
        n_rows: test_rows.len(),
        unreadable,
        notes,
        metrics: headlines(&all_shares),
        breakdowns: Vec::new(),
        without_excluded: counts.map(|counts| WithoutExcluded::of(&counts, |counts| headlines(&shares(counts)))),
        details: Details::LinearProbe(ProbeDetails { shares: all_shares }),
        table: table.path,
        map: None,
    };
    let rows = test_scored.rows.iter().map(usize::to_string).collect();
    let metric = metric_of(main_metric);
    let main = move |counts: &[u32]| judged.last().and_then(|judged| metric(&judged.classes, counts));
    let resampler = Resampler::new(&result, RowNames::new(rows), Box::new(main));
    Ok(Scored { result, resampler, predictions: None })
}

/// Features and labels of both splits.
struct Sides {
    /// `[n, E]`
    train_features: Array2<f64>,
    train_labels: Vec<usize>,
    test_features: Array2<f64>,
    test_labels: Vec<usize>,
    n_classes: usize,
}

/// The answers on the test split after learning from a share.
struct Judged {
    share: f64,
    n_train: usize,
    classes: ScoredClasses,
}

impl Sides {
    /// Learns from each share, the smallest first.
    fn judged(&self, protocol: Protocol) -> Result<Vec<Judged>> {
        let shares = if protocol == Protocol::DermfmZero { &dermfm_zero::SHARES[..] } else { &SHARES };
        let judged = |&share: &f64| {
            let rows = sample(&self.train_labels, share);
            let learned = match protocol {
                Protocol::DermfmZero => {
                    dermfm_zero::learn(&self.train_features, &self.train_labels, &rows, self.n_classes)
                }
                Protocol::All | Protocol::Released => learn(&self.train_features, &self.train_labels, &rows),
            };
            let learned =
                learned.with_context(|| format!("the linear probe on {share} of the training split failed"))?;
            let probabilities = learned.probabilities(&self.test_features, self.n_classes);
            let classes = ScoredClasses::new(&probabilities, &self.test_labels, self.n_classes);
            Ok(Judged { share, n_train: rows.len(), classes })
        };
        shares.iter().map(judged).collect()
    }
}

impl Judged {
    fn share(&self, counts: &[u32], main_metric: &str) -> ProbeShare {
        let metrics = metrics(&self.classes, counts, main_metric);
        ProbeShare { share: self.share, n_train: self.n_train, metrics }
    }
}

/// The main metric, accuracy and AUROC of a share, their keys with its percentage.
fn headline(share: &ProbeShare, main_metric: &str) -> Vec<Metric> {
    let percent = 100.0 * share.share;
    let of_share = |metric: &Metric| Metric {
        key: format!("{}_{percent:.0}", metric.key),
        title: format!("{}, {percent:.0} % of the training images", metric.title),
        ..metric.clone()
    };
    let is_chosen = |key: &str| [main_metric, "top1_accuracy", "macro_auroc"].contains(&key);
    let chosen = share.metrics.iter().filter(|metric| is_chosen(&metric.key));
    chosen.map(of_share).collect()
}

fn split_rows(table: &Table, split: &str) -> Result<Vec<usize>> {
    let column = table.column(&[SPLIT_COLUMN])?;
    let rows: Vec<usize> =
        (0..table.n_rows()).filter(|&row| is_same_part(table.cell(row, column), split)).collect();
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
    let scored = if session.protocol() == Protocol::DermfmZero {
        let features = dermfm_zero::raw_features(session.encoder.model(), &benchmark.title, &files)?;
        scored_rows(session, rows, &files, features)?
    } else {
        score_images(session, benchmark, rows, &files)?
    };
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
}
