//! Compares models: their results side by side, and whether their differences are more than luck.

use super::resampler::{Resampler, Scored};
use super::results::Results;
use super::row_names::RowNames;
use dermake_metrics::{holm, paired_differences};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Evaluations of several models on the same benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// [`Comparison::FORMAT`].
    pub format: String,
    /// Version of this program.
    pub version: String,
    pub models: Vec<Results>,
    /// Of the main metric of each benchmark, for each pair of models.
    pub differences: Vec<Difference>,
    /// Models that could not be evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_evaluated: Vec<FailedModel>,
}

/// A model that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedModel {
    /// As the command line names it.
    pub name: String,
    pub problem: String,
}

impl Comparison {
    /// Name and version of the format.
    pub const FORMAT: &'static str = "dermake-comparison/1";

    /// Takes the evaluations of one or more models.
    pub fn new(models: Vec<Results>, differences: Vec<Difference>) -> Self {
        Self {
            format: Self::FORMAT.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            models,
            differences,
            not_evaluated: Vec::new(),
        }
    }

    /// Returns whether no model has a score, and each has failed benchmarks.
    pub fn is_all_failed(&self) -> bool {
        self.models.iter().all(|model| model.benchmarks.is_empty() && !model.failed.is_empty())
    }

    /// Returns what `results.json` has of it.
    pub fn results_file(&self) -> ResultsFile<'_> {
        match &self.models[..] {
            [only] if self.not_evaluated.is_empty() => ResultsFile::One(only),
            _ => ResultsFile::Several(self),
        }
    }
}

/// What `results.json` has.
#[derive(Serialize)]
#[serde(untagged)]
pub enum ResultsFile<'a> {
    /// One model was evaluated, and no other one failed.
    One(&'a Results),
    Several(&'a Comparison),
}

/// How much better one model is than another on a benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Key and title of the benchmark.
    pub benchmark: String,
    pub title: String,
    /// Key and title of its main metric.
    pub metric: String,
    pub metric_title: String,
    /// The first model's metric minus the second's.
    pub models: [String; 2],
    /// Rows that all models of the benchmark have.
    pub n_rows: usize,
    pub value: Option<f64>,
    /// 95 % interval of a paired bootstrap over the rows.
    pub interval: Option<[f64; 2]>,
    /// Two-sided p-value of the same bootstrap.
    pub p_value: Option<f64>,
    /// Corrected by Holm's method over all differences of the comparison.
    pub p_corrected: Option<f64>,
}

/// A model's results, and its scored benchmarks for the comparison with others.
pub struct Evaluated {
    pub results: Results,
    pub scored: Vec<Scored>,
}

/// Compares each pair of models on the main metric of each benchmark that both have, on the rows that all have.
pub fn differences(models: &[Evaluated]) -> Vec<Difference> {
    let mut differences: Vec<Difference> = benchmarks(models).iter().flat_map(of_benchmark).collect();
    let p_values: Vec<Option<f64>> = differences.iter().map(|difference| difference.p_value).collect();
    for (difference, corrected) in differences.iter_mut().zip(holm(&p_values)) {
        difference.p_corrected = corrected;
    }
    differences
}

/// One benchmark, as each of some models scored it: the model's name, and the metric.
type Compared<'a> = Vec<(&'a str, &'a Resampler)>;

/// The benchmarks that at least two models have, in the order of their first appearance.
fn benchmarks(models: &[Evaluated]) -> Vec<Compared<'_>> {
    let mut keys: Vec<&str> = Vec::new();
    for scored in models.iter().flat_map(|model| &model.scored) {
        if !keys.contains(&scored.result.key.as_str()) {
            keys.push(&scored.result.key);
        }
    }
    let of_key = |key: &&str| -> Compared<'_> {
        let of_model = |model: &'_ Evaluated| model.scored.iter().position(|scored| scored.result.key == *key);
        let found = models.iter().filter_map(|model| Some((model, of_model(model)?)));
        found.map(|(model, at)| (model.results.model.name.as_str(), &model.scored[at].resampler)).collect()
    };
    keys.iter().map(of_key).filter(|compared| compared.len() > 1).collect()
}

fn of_benchmark(compared: &Compared<'_>) -> Vec<Difference> {
    let (_, first) = compared[0];
    // A model that has another metric, as one that is undefined there, is not compared.
    let compared: Compared<'_> =
        compared.iter().filter(|(_, other)| other.metric == first.metric).copied().collect();
    let common = common_rows(&compared);
    let n_rows = common.first().map_or(0, Vec::len);
    if compared.iter().any(|(_, other)| other.rows.len() > n_rows) {
        tracing::warn!("{}: the models are compared on the {n_rows} rows that all of them have", first.title);
    }
    let pairs: Vec<(usize, usize)> =
        (0..compared.len()).flat_map(|a| (a + 1..compared.len()).map(move |b| (a, b))).collect();
    let metrics = |counts: &[u32]| -> Vec<Option<f64>> {
        let of_model = |((_, resampler), rows): (&(&str, &Resampler), &Vec<usize>)| {
            let mut own = vec![0; resampler.rows.len()];
            rows.iter().zip(counts).for_each(|(&row, &count)| own[row] = count);
            resampler.metric(&own)
        };
        compared.iter().zip(&common).map(of_model).collect()
    };
    let found = paired_differences(n_rows, &pairs, metrics);
    let difference = |(&(a, b), found): (&(usize, usize), dermake_metrics::PairedDifference)| Difference {
        benchmark: first.benchmark.clone(),
        title: first.title.clone(),
        metric: first.metric.clone(),
        metric_title: first.metric_title.clone(),
        models: [compared[a].0.into(), compared[b].0.into()],
        n_rows,
        value: found.value,
        interval: found.interval,
        p_value: found.p_value,
        p_corrected: None,
    };
    pairs.iter().zip(found).map(difference).collect()
}

/// For each model, its places of the rows that all models have, in the order of the first model.
fn common_rows(compared: &Compared<'_>) -> Vec<Vec<usize>> {
    let rows: Vec<&RowNames> = compared.iter().map(|(_, resampler)| &resampler.rows).collect();
    let names = RowNames::matched(&rows);
    let places: Vec<HashMap<&str, usize>> =
        names.iter().map(|names| names.iter().map(String::as_str).zip(0..).collect()).collect();
    let first = names.iter().flatten().take(compared[0].1.rows.len());
    let common: Vec<&str> =
        first.map(String::as_str).filter(|row| places.iter().all(|places| places.contains_key(row))).collect();
    places.iter().map(|places| common.iter().map(|row| places[row]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::results::BenchmarkResult;

    /// A model that is right on the rows that `is_right` says.
    fn model(name: &str, key: &str, rows: std::ops::Range<usize>, is_right: fn(usize) -> bool) -> Evaluated {
        let mut result: BenchmarkResult = samples::classification(&["acne", "nevus"]);
        result.key = key.into();
        let right: Vec<bool> = rows.clone().map(is_right).collect();
        let main = move |counts: &[u32]| {
            let n_right: u32 = right.iter().zip(counts).filter(|(is_right, _)| **is_right).map(|(_, n)| n).sum();
            let total: u32 = counts.iter().sum();
            (total > 0).then(|| f64::from(n_right) / f64::from(total))
        };
        let names = rows.map(|row| format!("{row}.jpg")).collect();
        let resampler = Resampler::new(&result, RowNames::new(names), Box::new(main));
        let mut results = samples::results(vec![result.clone()]);
        results.model.name = name.into();
        Evaluated { results, scored: vec![Scored { result, resampler, predictions: None }] }
    }

    #[test]
    fn models_are_compared_on_the_rows_that_both_have() {
        let models = [
            model("good", "pad", 0..300, |row| row % 10 != 0),
            // The rows are in another order of places, and some are missing.
            model("bad", "pad", 100..400, |row| row % 10 > 2),
            model("alone", "ham", 0..10, |_| true),
        ];
        let found = differences(&models);
        assert_eq!(found.len(), 1, "{found:?}");
        let one = &found[0];
        assert_eq!((one.models.clone(), one.n_rows), (["good".into(), "bad".into()], 200));
        assert!((one.value.unwrap() - 0.2).abs() < 1e-9, "{one:?}");
        assert!(one.p_value.unwrap() < 0.001 && one.p_corrected == one.p_value, "{one:?}");
    }

    #[test]
    fn p_values_are_corrected_over_all_pairs_and_benchmarks() {
        let right: fn(usize) -> bool = |row| row % 10 != 0;
        let models = [
            model("a", "pad", 0..300, right),
            model("b", "pad", 0..300, |row| row % 10 > 2),
            model("c", "pad", 0..300, right),
        ];
        let found = differences(&models);
        let smallest = found.iter().filter_map(|one| one.p_value).fold(1.0, f64::min);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].p_corrected, Some(3.0 * smallest), "{found:?}");
        assert_eq!((found[1].value, found[1].p_corrected), (Some(0.0), Some(1.0)), "a and c are one");
        let none = differences(&[model("a", "pad", 0..5, right), model("b", "pad", 5..9, right)]);
        assert_eq!((none[0].n_rows, none[0].value, none[0].p_corrected), (0, None, None));
    }
}
