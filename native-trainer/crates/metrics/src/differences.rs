//! Differences of models on the same rows: paired bootstrap, and Holm's correction for many comparisons.
//!
//! Each resample draws rows once for all models, so that what is hard for both does not count as a difference.

use super::bootstrap::{middle_95, resampled};

/// Resamples of a comparison. The smallest p-value is 2 / (n + 1).
const N_RESAMPLES: usize = 10_000;

/// The metric of one model minus that of another on the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    pub value: Option<f64>,
    /// 95 % bootstrap interval.
    pub interval: Option<[f64; 2]>,
    /// Two-sided: twice the smaller share of resamples in which the difference is not positive, or not negative.
    pub p_value: Option<f64>,
}

/// Returns the differences of pairs of models; `metrics` computes the metric of each model on one resample of `n_rows`.
///
/// A resample in which a metric is undefined is left out; if that is half of them or more, there is neither interval nor
/// p-value.
pub fn paired_differences(
    n_rows: usize,
    pairs: &[(usize, usize)],
    metrics: impl Fn(&[u32]) -> Vec<Option<f64>> + Sync,
) -> Vec<PairedDifference> {
    let all = vec![1; n_rows];
    let values = metrics(&all);
    let draws = resampled(&all, N_RESAMPLES, &metrics);
    let difference = |values: &[Option<f64>], (a, b): (usize, usize)| Some(values[a]? - values[b]?);
    let of_pair = |&pair: &(usize, usize)| {
        let drawn: Vec<f64> = draws.iter().filter_map(|draw| difference(draw, pair)).collect();
        let p_value = p_value(&drawn);
        let interval = middle_95(drawn, N_RESAMPLES);
        PairedDifference { value: difference(&values, pair), interval, p_value: interval.and(p_value) }
    };
    pairs.iter().map(of_pair).collect()
}

/// The two-sided p-value of "no difference". One more resample, the observed one, counts for it, so it is never 0.
fn p_value(differences: &[f64]) -> Option<f64> {
    let n_at_most = differences.iter().filter(|&&difference| difference <= 0.0).count();
    let n_at_least = differences.iter().filter(|&&difference| difference >= 0.0).count();
    let tail = (n_at_most.min(n_at_least) + 1) as f64 / (differences.len() + 1) as f64;
    (!differences.is_empty()).then(|| (2.0 * tail).min(1.0))
}

/// Holm's correction: the chance of any wrong "different" among all the tests stays below the level at which the
/// corrected values are read. Undefined values are no tests.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(at, p_value)| Some((at, (*p_value)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let n_tests = order.len();
    let mut corrected = vec![None; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, (at, p_value)) in order.into_iter().enumerate() {
        largest = largest.max(((n_tests - rank) as f64 * p_value).min(1.0));
        corrected[at] = Some(largest);
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of rows that a model has right, for models by their right rows.
    fn accuracies<'a>(models: &'a [Vec<bool>]) -> impl Fn(&[u32]) -> Vec<Option<f64>> + Sync + 'a {
        |counts| {
            let total: u32 = counts.iter().sum();
            let right =
                |model: &Vec<bool>| model.iter().zip(counts).filter(|row| *row.0).map(|row| row.1).sum::<u32>();
            models.iter().map(|model| (total > 0).then(|| f64::from(right(model)) / f64::from(total))).collect()
        }
    }

    #[test]
    fn a_model_is_no_better_than_itself_and_better_than_one_that_errs_on_more_rows() {
        let good: Vec<bool> = (0..400).map(|row| row % 10 != 0).collect();
        let bad: Vec<bool> = (0..400).map(|row| row % 10 != 0 && row % 5 != 1).collect();
        let models = [good.clone(), bad, good];
        let found = paired_differences(400, &[(0, 1), (0, 2)], accuracies(&models));
        let [low, high] = found[0].interval.unwrap();
        assert!((found[0].value.unwrap() - 0.2).abs() < 1e-12 && low > 0.15 && high < 0.25, "{found:?}");
        assert!(found[0].p_value.unwrap() < 0.001, "{found:?}");
        assert_eq!((found[1].value, found[1].p_value), (Some(0.0), Some(1.0)), "{found:?}");
    }

    #[test]
    fn errors_that_balance_are_no_difference() {
        let first: Vec<bool> = (0..200).map(|row| row % 4 != 0).collect();
        let second: Vec<bool> = (0..200).map(|row| row % 4 != 1).collect();
        let found = paired_differences(200, &[(0, 1)], accuracies(&[first, second]))[0];
        let [low, high] = found.interval.unwrap();
        assert!(low < 0.0 && high > 0.0 && found.p_value.unwrap() > 0.5, "{found:?}");
        let none = paired_differences(0, &[(0, 1)], accuracies(&[vec![], vec![]]))[0];
        assert_eq!((none.value, none.interval, none.p_value), (None, None, None));
    }

    #[test]
    fn holm_multiplies_by_the_number_of_tests_that_are_left_and_never_falls() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02
        let corrected = holm(&[Some(0.01), None, Some(0.04), Some(0.03), Some(0.005)]);
        for (found, expected) in corrected.iter().zip([Some(0.03), None, Some(0.06), Some(0.06), Some(0.02)]) {
            match (found, expected) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-12, "{found} {expected}"),
                (found, expected) => assert_eq!(*found, expected),
            }
        }
        assert_eq!(holm(&[Some(0.6), Some(0.9)]), [Some(1.0), Some(1.0)]);
        assert!(holm(&[]).is_empty());
    }
}
