//! Calibration: whether probabilities match frequencies.

use super::classification::first_largest;
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
    /// Number of answers.
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
    counted_reliability(answers, &vec![1; answers.len()])
}

/// As [`reliability`], of rows with counts.
fn counted_reliability(answers: &[(f64, bool)], counts: &[u32]) -> Vec<ReliabilityBin> {
    #[derive(Clone, Copy, Default)]
    struct Sums {
        n: usize,
        confidence: f64,
        right: usize,
    }
    let bin_of = |confidence: f64| ((confidence * N_BINS as f64).ceil() as usize).clamp(1, N_BINS) - 1;
    let mut sums = [Sums::default(); N_BINS];
    for (&(confidence, is_right), &count) in answers.iter().zip(counts) {
        let bin = &mut sums[bin_of(confidence)];
        bin.n += count as usize;
        bin.confidence += f64::from(count) * confidence;
        bin.right += count as usize * usize::from(is_right);
    }
    let bin = |(index, Sums { n, confidence, right }): (usize, Sums)| {
        let mean = |sum: f64| (n > 0).then(|| sum / n as f64);
        ReliabilityBin {
            from: index as f64 / N_BINS as f64,
            to: (index + 1) as f64 / N_BINS as f64,
            n,
            confidence: mean(confidence),
            accuracy: mean(right as f64),
        }
    };
    sums.into_iter().enumerate().map(bin).collect()
}

/// Mean distance between confidence and accuracy over the bins, weighted by their sizes; `None` without answers.
pub fn expected_calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let n: usize = bins.iter().map(|bin| bin.n).sum();
    let distance = |bin: &ReliabilityBin| Some(bin.n as f64 * (bin.confidence? - bin.accuracy?).abs());
    (n > 0).then(|| bins.iter().filter_map(distance).sum::<f64>() / n as f64)
}

/// Probabilities of rows beside their labels: what calibration errors are computed from.
pub struct ScoredProbabilities {
    /// The largest probability, and whether it is the label's.
    answers: Vec<(f64, bool)>,
    squared_distances: Vec<f64>,
    negative_logs: Vec<f64>,
    /// Rows of equal confidence together, the most confident first.
    by_confidence: Vec<Vec<usize>>,
}

/// Smallest probability of which a logarithm is taken: published tables have zeros.
pub const SMALLEST_PROBABILITY: f64 = 1e-12;

impl ScoredProbabilities {
    /// # Panics
    /// When a label is not below the number of its row's probabilities.
    pub fn new(probabilities: &[Vec<f64>], labels: &[usize]) -> Self {
        let rows = || probabilities.iter().zip(labels);
        let answer = |(row, &label): (&Vec<f64>, &usize)| {
            let first = first_largest(row);
            (row[first], first == label)
        };
        let squared_distance = |(row, &label): (&Vec<f64>, &usize)| {
            let target = |class: usize| if class == label { 1.0 } else { 0.0 };
            row.iter().enumerate().map(|(class, p)| (p - target(class)).powi(2)).sum()
        };
        // Of the reciprocal: the negative logarithm of 1 would be -0, which is shown.
        let negative_log = |(row, &label): (&Vec<f64>, &usize)| row[label].max(SMALLEST_PROBABILITY).recip().ln();
        let answers: Vec<(f64, bool)> = rows().map(answer).collect();
        Self {
            by_confidence: by_confidence(&answers),
            answers,
            squared_distances: rows().map(squared_distance).collect(),
            negative_logs: rows().map(negative_log).collect(),
        }
    }

    /// [`expected_calibration_error`] in bins of equal width.
    pub fn expected_calibration_error(&self, counts: &[u32]) -> Option<f64> {
        expected_calibration_error(&counted_reliability(&self.answers, counts))
    }

    /// The bins of all rows.
    pub fn reliability(&self) -> Vec<ReliabilityBin> {
        reliability(&self.answers)
    }

    /// Mean squared distance of the probabilities from 1 for the label and 0 for the others, from 0 to 2.
    pub fn brier_score(&self, counts: &[u32]) -> Option<f64> {
        mean(&self.squared_distances, counts)
    }

    /// Mean negative logarithm of the label's probability.
    pub fn negative_log_likelihood(&self, counts: &[u32]) -> Option<f64> {
        mean(&self.negative_logs, counts)
    }

    /// Share of rows whose largest probability is the label's.
    pub fn accuracy(&self, counts: &[u32]) -> Option<f64> {
        let right: Vec<f64> = self.answers.iter().map(|(_, is_right)| f64::from(u8::from(*is_right))).collect();
        mean(&right, counts)
    }

    /// Accuracy of the most confident rows, for each of some shares of all rows, rounded to whole rows; `None` where that
    /// is no row.
    ///
    /// Rows of equal confidence are not told apart: if only a part of them is in the share, each counts with that part.
    /// The order of the rows changes nothing.
    pub fn accuracy_at_coverage(&self, shares: &[f64], counts: &[u32]) -> Vec<Option<f64>> {
        let n: f64 = counts.iter().copied().map(f64::from).sum();
        let ties = self.by_confidence.iter().map(|rows| {
            let n: u32 = rows.iter().map(|&row| counts[row]).sum();
            let n_right: u32 = rows.iter().filter(|&&row| self.answers[row].1).map(|&row| counts[row]).sum();
            (f64::from(n), f64::from(n_right))
        });
        let ties: Vec<(f64, f64)> = ties.filter(|(n, _)| *n > 0.0).collect();
        let accuracy = |share: &f64| {
            let n_answered = (share * n).round();
            let (mut left, mut n_right) = (n_answered, 0.0);
            for &(n, n_right_of_tie) in &ties {
                let n_taken = n.min(left);
                n_right += n_right_of_tie * n_taken / n;
                left -= n_taken;
                if left <= 0.0 {
                    break;
                }
            }
            (n_answered > 0.0).then(|| n_right / n_answered)
        };
        shares.iter().map(accuracy).collect()
    }
}

/// Returns the rows by falling confidence, those of equal confidence together.
fn by_confidence(answers: &[(f64, bool)]) -> Vec<Vec<usize>> {
    // Sums of the same probabilities in another order differ in their last bits.
    let decimals = |row: &usize| (answers[*row].0 * 1e12).round();
    let mut rows: Vec<usize> = (0..answers.len()).collect();
    rows.sort_by(|a, b| decimals(b).total_cmp(&decimals(a)));
    rows.chunk_by(|a, b| decimals(a) == decimals(b)).map(<[usize]>::to_vec).collect()
}

fn mean(values: &[f64], counts: &[u32]) -> Option<f64> {
    let n: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let sum: f64 = values.iter().zip(counts).map(|(value, &count)| value * f64::from(count)).sum();
    (n > 0).then(|| sum / n as f64)
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

    #[test]
    fn errors_of_three_rows_by_eye() {
        let probabilities = [vec![0.8, 0.2], vec![0.4, 0.6], vec![1.0, 0.0]];
        let scored = ScoredProbabilities::new(&probabilities, &[0, 0, 1]);
        let all = [1; 3];
        assert!((scored.accuracy(&all).unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert!((scored.brier_score(&all).unwrap() - (0.08 + 0.72 + 2.0) / 3.0).abs() < 1e-12);
        let logs = -(0.8f64.ln() + 0.4f64.ln() + SMALLEST_PROBABILITY.ln()) / 3.0;
        assert!((scored.negative_log_likelihood(&all).unwrap() - logs).abs() < 1e-12);
        let distance = (0.2 + 0.6 + 1.0) / 3.0;
        assert!((scored.expected_calibration_error(&all).unwrap() - distance).abs() < 1e-12);
        assert!((scored.expected_calibration_error(&[2, 0, 0]).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(scored.brier_score(&[0; 3]), None);
        let certain = ScoredProbabilities::new(&[vec![1.0, 0.0]], &[0]);
        assert_eq!(format!("{:.3}", certain.negative_log_likelihood(&[1]).unwrap()), "0.000");
        // The most confident row is wrong, the second right.
        assert_eq!(scored.accuracy_at_coverage(&[1.0 / 3.0, 0.67, 0.0], &all), [Some(0.0), Some(0.5), None]);
    }

    /// Ten rows by falling confidence: 0.95 right, four of 0.9 of which three are right, 0.8 wrong, 0.7 right, three of
    /// 0.6 of which one is right.
    #[test]
    fn rows_of_equal_confidence_count_with_the_same_part_at_each_coverage() {
        let rows = [
            (0.9, true),
            (0.6, false),
            (0.95, true),
            (0.9, false),
            (0.8, false),
            (0.6, true),
            (0.9, true),
            (0.7, true),
            (0.9, true),
            (0.6, false),
        ];
        let accuracy = |rows: &[(f64, bool)], counts: &[u32]| {
            let probabilities: Vec<Vec<f64>> = rows.iter().map(|(p, _)| vec![*p, 1.0 - p]).collect();
            let labels: Vec<usize> = rows.iter().map(|(_, is_right)| usize::from(!is_right)).collect();
            let scored = ScoredProbabilities::new(&probabilities, &labels);
            scored.accuracy_at_coverage(&[1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3], counts)
        };
        let near = |found: Vec<Option<f64>>, expected: [f64; 7]| {
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} and {expected}");
            }
        };
        // Two of the three at 0.6 have two thirds of one right; two of the four at 0.9 have one and a half.
        let expected = [
            6.0 / 10.0,
            (5.0 + 2.0 / 3.0) / 9.0,
            (5.0 + 1.0 / 3.0) / 8.0,
            5.0 / 7.0,
            4.0 / 6.0,
            4.0 / 5.0,
            (1.0 + 1.5) / 3.0,
        ];
        near(accuracy(&rows, &[1; 10]), expected);
        let reversed: Vec<(f64, bool)> = rows.iter().rev().copied().collect();
        near(accuracy(&reversed, &[1; 10]), expected);
        // Each row twice is the same data; a row that is not drawn is not there.
        near(accuracy(&rows, &[2; 10]), expected);
        let mut counts = [0; 10];
        (counts[2], counts[4]) = (1, 1);
        near(accuracy(&rows, &counts), [0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0]);
    }
}
