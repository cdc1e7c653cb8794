//! 95 % intervals by the percentile bootstrap: rows drawn with replacement, the metric of each draw, its middle 95 %.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Draws for one interval.
pub const N_RESAMPLES: usize = 1000;

/// The intervals of several metrics over the same draws; the same arguments give the same ones.
///
/// `counts` says how often each row counts; `metrics` computes the metrics of one resample. A resample in which a
/// metric is undefined is left out of its interval; if that is half of them or more, there is no interval.
pub fn intervals(counts: &[u32], metrics: impl Fn(&[u32]) -> Vec<Option<f64>> + Sync) -> Vec<Option<[f64; 2]>> {
    let draws = resampled(counts, N_RESAMPLES, &metrics);
    if draws.is_empty() {
        return metrics(counts).iter().map(|_| None).collect();
    }
    let middle = |metric: usize| middle_95(draws.iter().filter_map(|draw| draw[metric]).collect(), draws.len());
    (0..draws[0].len()).map(middle).collect()
}

/// The metrics of each of some resamples; none without rows.
pub(crate) fn resampled(
    counts: &[u32],
    n_resamples: usize,
    metrics: &(impl Fn(&[u32]) -> Vec<Option<f64>> + Sync),
) -> Vec<Vec<Option<f64>>> {
    let rows: Vec<usize> =
        counts.iter().enumerate().flat_map(|(row, &count)| std::iter::repeat_n(row, count as usize)).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let draw = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = vec![0u32; counts.len()];
        for _ in 0..rows.len() {
            drawn[rows[rng.random_range(0..rows.len())]] += 1;
        }
        metrics(&drawn)
    };
    (0..n_resamples as u64).into_par_iter().map(draw).collect()
}

/// The middle 95 % of the values of some resamples; `None` if half of the resamples or more have none.
pub(crate) fn middle_95(mut values: Vec<f64>, n_resamples: usize) -> Option<[f64; 2]> {
    if values.len() * 2 <= n_resamples {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let quantile = |q: f64| {
        let at = q * (values.len() - 1) as f64;
        let (below, part) = (at.floor() as usize, at.fract());
        values[below] + part * (values[(below + 1).min(values.len() - 1)] - values[below])
    };
    Some([quantile(0.025), quantile(0.975)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(counts: &[u32]) -> Vec<Option<f64>> {
        let total: u32 = counts.iter().sum();
        vec![(total > 0).then(|| counts.iter().step_by(2).sum::<u32>() as f64 / total as f64)]
    }

    #[test]
    fn the_interval_of_a_share_is_about_two_standard_errors() {
        let [low, high] = intervals(&[1; 400], share)[0].unwrap();
        // sqrt(0.5 * 0.5 / 400) = 0.025, times 1.96
        assert!((low - 0.451).abs() < 0.01 && (high - 0.549).abs() < 0.01, "{low} {high}");
        assert_eq!(intervals(&[1; 400], share)[0], Some([low, high]), "the same draws each time");
    }

    #[test]
    fn there_is_none_without_rows_or_where_the_metric_is_mostly_undefined() {
        assert_eq!(intervals(&[0; 3], share), [None]);
        assert_eq!(intervals(&[1; 3], |_| vec![None]), [None]);
        assert_eq!(intervals(&[1; 3], |_| vec![Some(1.0)]), [Some([1.0, 1.0])]);
    }
}
