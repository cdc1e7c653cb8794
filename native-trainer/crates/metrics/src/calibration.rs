//! Calibration: whether probabilities match frequencies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bins of equal width over the confidence.
const N_BINS: usize = 10;

/// One bar of a reliability diagram: answers of about the same confidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReliabilityBin {
    /// Confidence, above this one ...
    pub from: f64,
    /// ... up to this one.
    pub to: f64,
    pub n: usize,
    /// Mean probability of the likeliest label; `None` in an empty bin.
    pub confidence: Option<f64>,
    /// Share of right ones; `None` in an empty bin.
    pub accuracy: Option<f64>,
}

/// A bin of answers with similar confidence, and how often they are right.
///
/// `answers`: the probability of the likeliest class, and whether it was right.
pub fn reliability(answers: &[(f64, bool)]) -> Vec<ReliabilityBin> {
    let bin_of = |confidence: f64| ((confidence * N_BINS as f64).ceil() as usize).clamp(1, N_BINS) - 1;
    let bin = |index: usize| {
        let inside: Vec<_> = answers.iter().filter(|(confidence, _)| bin_of(*confidence) == index).collect();
        let n = inside.len();
        let mean = |sum: f64| (n > 0).then(|| sum / n as f64);
        ReliabilityBin {
            from: index as f64 / N_BINS as f64,
            to: (index + 1) as f64 / N_BINS as f64,
            n,
            confidence: mean(inside.iter().map(|(confidence, _)| confidence).sum()),
            accuracy: mean(inside.iter().filter(|(_, is_right)| *is_right).count() as f64),
        }
    };
    (0..N_BINS).map(bin).collect()
}

/// Mean distance between confidence and accuracy over the bins, weighted by their sizes; `None` without answers.
pub fn expected_calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let n: usize = bins.iter().map(|bin| bin.n).sum();
    let distance = |bin: &ReliabilityBin| Some(bin.n as f64 * (bin.confidence? - bin.accuracy?).abs());
    (n > 0).then(|| bins.iter().filter_map(distance).sum::<f64>() / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_answers_by_eye() {
        let bins = reliability(&[(1.0, true), (0.95, false), (0.3, true), (0.21, false)]);
        assert_eq!(bins.len(), N_BINS);
        assert_eq!((bins[9].n, bins[9].confidence, bins[9].accuracy), (2, Some(0.975), Some(0.5)));
        assert_eq!((bins[2].n, bins[2].confidence, bins[2].accuracy), (2, Some(0.255), Some(0.5)));
        assert_eq!((bins[0].n, bins[0].confidence), (0, None));
        let error = expected_calibration_error(&bins).unwrap();
        assert!((error - (0.475 + 0.245) / 2.0).abs() < 1e-12, "{error}");
        assert_eq!(expected_calibration_error(&reliability(&[])), None);
    }
}
