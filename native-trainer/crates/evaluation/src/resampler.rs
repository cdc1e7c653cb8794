//! A scored benchmark, and its main metric on any resample of its rows: what comparisons of models need.

use super::predictions::Predictions;
use super::results::{BenchmarkResult, Metric, WithoutExcluded};
use super::row_names::RowNames;

/// A benchmark's results with what other files and comparisons need of them.
pub struct Scored {
    pub result: BenchmarkResult,
    pub resampler: Resampler,
    /// The answer to each image, of classifications.
    pub predictions: Option<Predictions>,
}

/// Returns the main metric for counts of the rows.
pub type MainMetric = Box<dyn Fn(&[u32]) -> Option<f64> + Send + Sync>;

/// The main metric of a benchmark on resamples of its rows.
pub struct Resampler {
    /// Key and title of the benchmark and of its metric.
    pub benchmark: String,
    pub title: String,
    pub metric: String,
    pub metric_title: String,
    /// By which rows of two models are matched.
    pub rows: RowNames,
    main: MainMetric,
}

impl Resampler {
    /// `rows` name the rows, `main` computes the first metric of `result`.
    pub fn new(result: &BenchmarkResult, rows: RowNames, main: MainMetric) -> Self {
        let (metric, metric_title) =
            result.metrics.first().map(|first| (first.key.clone(), first.title.clone())).unwrap_or_default();
        Self { benchmark: result.key.clone(), title: result.title.clone(), metric, metric_title, rows, main }
    }

    /// The main metric for how often each row counts.
    pub fn metric(&self, counts: &[u32]) -> Option<f64> {
        (self.main)(counts)
    }
}

impl WithoutExcluded {
    /// The metrics of the rows that count.
    pub fn of(counts: &[u32], metrics: impl Fn(&[u32]) -> Vec<Metric>) -> Self {
        let n_scored = counts.iter().filter(|&&count| count > 0).count();
        Self { n_excluded: counts.len() - n_scored, n_scored, metrics: metrics(counts) }
    }
}
