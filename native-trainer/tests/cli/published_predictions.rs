//! `dermake eval --from` on predictions that were published, beside the statistics that were published of them.
//!
//! They are not in this repository. `DERMAKE_PREDICTIONS` names a folder that has them: for each data set, the
//! predictions as `DATASET/MODEL.csv`, the names of the classes as `classes_DATASET.csv`, and what the script of
//! DermFM-Zero's repository printed of them as `reference_DATASET.csv`. That script draws 1,000 resamples with NumPy's
//! generator of seed 42, and prints each metric's mean over them and its middle 95 %.

use crate::dermake;
use crate::eval_data::{log, value};
use dermake_evaluation::compare::Comparison;
use dermake_evaluation::results::BenchmarkResult;
use dermake_metrics::ScoredClasses;
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

type Metric = fn(&ScoredClasses, &[u32]) -> Option<f64>;

/// A column of the published statistics, our key of the metric, and the metric.
const METRICS: [(&str, &str, Metric); 7] = [
    ("ACCURACY", "top1_accuracy", ScoredClasses::top1_accuracy),
    ("BALANCED_ACCURACY", "balanced_accuracy", ScoredClasses::balanced_accuracy),
    ("MACRO_F1", "macro_f1", ScoredClasses::macro_f1),
    ("WEIGHTED_F1", "weighted_f1", ScoredClasses::weighted_f1),
    ("SENSITIVITY", "sensitivity", ScoredClasses::sensitivity),
    ("SPECIFICITY", "specificity", ScoredClasses::specificity),
    ("AUROC", "macro_auroc", ScoredClasses::macro_auroc),
];

/// Half a unit of the last printed digit, and a little for sums in another order.
const PRINTED: f64 = 5.1e-5;

const N_RESAMPLES: usize = 1000;
const SEED: u32 = 42;

#[test]
fn published_predictions_have_the_statistics_that_were_published_of_them() {
    let Some(root) = std::env::var_os("DERMAKE_PREDICTIONS").map(PathBuf::from) else {
        // Not by a macro, whose output would be held back.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "skipped: DERMAKE_PREDICTIONS names no folder of published predictions").unwrap();
        return;
    };
    let names = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let data_set = |name: String| Some(name.strip_prefix("reference_")?.strip_suffix(".csv")?.to_string());
    let data_sets: Vec<String> = names.filter_map(data_set).collect();
    assert!(!data_sets.is_empty(), "no reference_*.csv: {}", root.display());
    for data_set in data_sets {
        check(&root, &data_set);
    }
}

fn check(root: &Path, data_set: &str) {
    let out = tempfile::tempdir().unwrap();
    let mut command = dermake();
    command.args(["eval", "--from"]).arg(root.join(data_set)).arg("--out").arg(out.path().join("report"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    let json = fs::read(out.path().join("report/results.json")).unwrap();
    let comparison: Comparison = serde_json::from_slice(&json).unwrap();
    let mut gaps = Gaps::default();
    let reference = rows(&root.join(format!("reference_{data_set}.csv")));
    assert_eq!(reference.len(), comparison.models.len(), "{data_set}");
    for published in &reference {
        let model = published["Model"].as_str();
        let results = comparison.models.iter().find(|results| results.model.name == model);
        let result = &results.unwrap_or_else(|| panic!("no results of {model}")).benchmarks[0];
        let classes = scored(&root.join(data_set).join(format!("{model}.csv")));
        assert_eq!(result.n_scored, classes.n_rows());
        gaps.compare(model, published, result, &classes);
    }
    let mut stderr = std::io::stderr();
    writeln!(
        stderr,
        "{data_set}: of {} models, the published mean over resamples is within {:.4} of our metric, and both ends of \
         the interval within {:.4} of ours",
        reference.len(),
        gaps.value,
        gaps.interval
    )
    .unwrap();
}

/// The largest differences between what was published and what we print.
#[derive(Default)]
struct Gaps {
    value: f64,
    interval: f64,
}

impl Gaps {
    /// On NumPy's resamples, our metrics give the published figures. Ours are those of all rows, with an interval of
    /// other resamples.
    fn compare(
        &mut self,
        model: &str,
        published: &HashMap<String, String>,
        result: &BenchmarkResult,
        classes: &ScoredClasses,
    ) {
        let resamples = resamples(classes.n_rows());
        for (column, key, metric) in METRICS {
            let what = format!("{model} {column}");
            let [mean, low, high] = figures(&published[column]);
            let mut drawn: Vec<f64> = resamples.iter().filter_map(|counts| metric(classes, counts)).collect();
            drawn.sort_unstable_by(f64::total_cmp);
            let on_same =
                [drawn.iter().sum::<f64>() / drawn.len() as f64, quantile(&drawn, 0.025), quantile(&drawn, 0.975)];
            for (ours, published) in on_same.into_iter().zip([mean, low, high]) {
                assert!((ours - published).abs() < PRINTED, "{what}: {ours}, published {published}");
            }

            let ours = value(result, key).unwrap();
            let of_all = metric(classes, &vec![1; classes.n_rows()]).unwrap();
            assert!((ours - of_all).abs() < 1e-12, "{what}: {ours}, expected {of_all}");
            self.value = self.value.max((ours - mean).abs());
            let [from, to] = result.metrics.iter().find(|metric| metric.key == key).unwrap().interval.unwrap();
            let gap = (from - low).abs().max((to - high).abs());
            // Four standard errors: an end of an interval of 1,000 resamples has one of 0.022 of its width.
            assert!(gap < 0.005_f64.max((high - low) / 8.0), "{what}: {from} to {to}, published {low} to {high}");
            self.interval = self.interval.max(gap);
        }
    }
}

fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    csv::Reader::from_path(path).unwrap().into_deserialize().map(Result::unwrap).collect()
}

/// The predictions of a file in the order of its rows.
fn scored(path: &Path) -> ScoredClasses {
    let rows = rows(path);
    let number = |row: &HashMap<String, String>, column: &str| row[column].parse::<usize>().unwrap();
    let n_classes = rows[0].keys().filter(|column| column.starts_with("probability_class_")).count();
    let of_row = |row: &HashMap<String, String>| -> Vec<f64> {
        (0..n_classes).map(|class| row[&format!("probability_class_{class}")].parse().unwrap()).collect()
    };
    let probabilities: Vec<f64> = rows.iter().flat_map(of_row).collect();
    let labels: Vec<usize> = rows.iter().map(|row| number(row, "true_label")).collect();
    let predictions = rows.iter().map(|row| number(row, "predicted_label")).collect();
    ScoredClasses::with_predictions(&probabilities, &labels, predictions, n_classes)
}

/// `0.4551 (0.4285-0.4804)`
fn figures(printed: &str) -> [f64; 3] {
    let figures: Vec<f64> = printed
        .split([' ', '(', ')', '-'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap())
        .collect();
    figures.try_into().unwrap()
}

/// NumPy's `percentile` of sorted values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = sorted[at.floor() as usize];
    below + at.fract() * (sorted[at.ceil() as usize] - below)
}

/// How often each row is in each resample of `RandomState(42).choice(n, n)`.
fn resamples(n_rows: usize) -> Vec<Vec<u32>> {
    let mut random = RandomState::new(SEED);
    let mut draw = || {
        let mut counts = vec![0; n_rows];
        (0..n_rows).for_each(|_| counts[random.below(n_rows)] += 1);
        counts
    };
    (0..N_RESAMPLES).map(|_| draw()).collect()
}

/// NumPy's `RandomState`: the Mersenne Twister (Matsumoto and Nishimura 1998), MT19937.
struct RandomState {
    state: [u32; Self::LENGTH],
    at: usize,
}

impl RandomState {
    const LENGTH: usize = 624;
    const SHIFT: usize = 397;

    fn new(seed: u32) -> Self {
        let mut state = [seed; Self::LENGTH];
        for at in 1..Self::LENGTH {
            let last = state[at - 1];
            state[at] = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(at as u32);
        }
        Self { state, at: Self::LENGTH }
    }

    fn next(&mut self) -> u32 {
        if self.at == Self::LENGTH {
            for at in 0..Self::LENGTH {
                let [next, shifted] = [at + 1, at + Self::SHIFT].map(|at| self.state[at % Self::LENGTH]);
                let joined = (self.state[at] & 0x8000_0000) | (next & 0x7fff_ffff);
                self.state[at] = shifted ^ (joined >> 1) ^ if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            }
            self.at = 0;
        }
        let mut value = self.state[self.at];
        self.at += 1;
        value ^= value >> 11;
        value ^= (value << 7) & 0x9d2c_5680;
        value ^= (value << 15) & 0xefc6_0000;
        value ^ (value >> 18)
    }

    /// A whole number below a bound: the bits that it may have, drawn until they are below it.
    fn below(&mut self, bound: usize) -> usize {
        let mask = bound.next_power_of_two() - 1;
        loop {
            let drawn = self.next() as usize & mask;
            if drawn < bound {
                return drawn;
            }
        }
    }
}

/// `numpy.random.RandomState(42)`: `choice(1503, 1503)[:5]`, then `choice(1503, 3)`.
#[test]
fn the_generator_is_numpys() {
    let mut random = RandomState::new(SEED);
    let drawn: Vec<usize> = (0..1506).map(|_| random.below(1503)).collect();
    assert_eq!(drawn[..5], [1126, 1459, 860, 1294, 1130]);
    assert_eq!(drawn[1503..], [46, 1311, 777]);
}
