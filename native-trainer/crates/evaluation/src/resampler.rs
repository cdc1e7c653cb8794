//! A scored benchmark, and its main metric on any resample of its rows: what comparisons of models need.

use super::predictions::Predictions;
use super::results::{BenchmarkResult, Metric, WithoutExcluded};
use std::collections::{HashMap, HashSet};

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
    /// A name of each row, by which rows of two models are matched.
    pub rows: Vec<String>,
    main: MainMetric,
}

impl Resampler {
    /// `rows` are the names of the rows, `main` computes the first metric of `result`.
    pub fn new(result: &BenchmarkResult, rows: Vec<String>, main: MainMetric) -> Self {
        let (metric, metric_title) =
            result.metrics.first().map(|first| (first.key.clone(), first.title.clone())).unwrap_or_default();
        Self { benchmark: result.key.clone(), title: result.title.clone(), metric, metric_title, rows, main }
    }

    /// The main metric for how often each row counts.
    pub fn metric(&self, counts: &[u32]) -> Option<f64> {
        (self.main)(counts)
    }

    /// Names of the rows of predictions: the images' file names if each is there once, otherwise their paths and how
    /// often they occurred before.
    pub fn names(predictions: &Predictions) -> Vec<String> {
        let paths: Vec<String> = predictions.rows.iter().map(|row| row.image.replace('\\', "/")).collect();
        let files: Vec<&str> = paths.iter().map(|path| path.rsplit('/').next().unwrap_or(path)).collect();
        let distinct: HashSet<&str> = files.iter().copied().collect();
        if distinct.len() == files.len() {
            return files.into_iter().map(String::from).collect();
        }
        let mut n_before: HashMap<&str, usize> = HashMap::new();
        let name = |path: &String, n: usize| if n == 0 { path.clone() } else { format!("{path}#{n}") };
        let mut names = Vec::with_capacity(paths.len());
        for path in &paths {
            let n = n_before.entry(path).or_default();
            names.push(name(path, *n));
            *n += 1;
        }
        names
    }
}

impl WithoutExcluded {
    /// The metrics of the rows that count.
    pub fn of(counts: &[u32], metrics: impl Fn(&[u32]) -> Vec<Metric>) -> Self {
        let n_scored = counts.iter().filter(|&&count| count > 0).count();
        Self { n_excluded: counts.len() - n_scored, n_scored, metrics: metrics(counts) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Prediction;

    #[test]
    fn rows_are_called_after_their_files_unless_two_have_one_name() {
        let names = |images: &[&str]| {
            let row = |image: &&str| Prediction {
                row: 1,
                image: image.to_string(),
                sha256: None,
                label: 0,
                predicted: 0,
                probabilities: vec![1.0, 0.0],
            };
            Resampler::names(&Predictions { class_names: Vec::new(), rows: images.iter().map(row).collect() })
        };
        assert_eq!(names(&["/home/a/1.jpg", "b\\2.jpg"]), ["1.jpg", "2.jpg"]);
        assert_eq!(names(&["a/1.jpg", "b/1.jpg", "a/1.jpg"]), ["a/1.jpg", "b/1.jpg", "a/1.jpg#1"]);
    }
}
