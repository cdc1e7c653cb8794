//! Errors of probabilities with their intervals.

use dermake_metrics::{ScoredProbabilities, intervals};
use shared_model::calibration::{CalibrationErrors, Figure};

/// The errors of some rows.
pub fn errors(scored: &ScoredProbabilities, n_rows: usize) -> CalibrationErrors {
    let of = |counts: &[u32]| {
        vec![
            scored.expected_calibration_error(counts),
            scored.brier_score(counts),
            scored.negative_log_likelihood(counts),
        ]
    };
    let [expected_calibration_error, brier_score, negative_log_likelihood] = figures(n_rows, of);
    CalibrationErrors { expected_calibration_error, brier_score, negative_log_likelihood }
}

/// Values of metrics over rows, with their intervals over resamples of the rows.
pub fn figures<const N: usize>(n_rows: usize, metrics: impl Fn(&[u32]) -> Vec<Option<f64>> + Sync) -> [Figure; N] {
    let all = vec![1; n_rows];
    let values = metrics(&all);
    let intervals = intervals(&all, metrics);
    std::array::from_fn(|at| Figure { value: values[at], interval: values[at].and(intervals[at]) })
}

/// Returns the share of rows that are true.
pub fn share(is_true: &[bool]) -> Figure {
    let of = |counts: &[u32]| {
        let n: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let n_true: u64 =
            is_true.iter().zip(counts).filter(|(is_true, _)| **is_true).map(|(_, &count)| u64::from(count)).sum();
        vec![(n > 0).then(|| n_true as f64 / n as f64)]
    };
    let [share] = figures(is_true.len(), of);
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_an_interval_around_it() {
        let half: Vec<bool> = (0..200).map(|row| row % 2 == 0).collect();
        let Figure { value, interval } = share(&half);
        let [low, high] = interval.unwrap();
        assert!(value == Some(0.5) && low < 0.5 && 0.5 < high && high - low < 0.2, "{low} {high}");
        assert_eq!(share(&[]), Figure::default());
    }
}
