//! Calibration of probabilities that somebody published: what a temperature would change.

use super::halves::{Halves, halves};
use super::measure::{errors, figures};
use super::{check_number, fitted_temperature, warn_of_bound};
use crate::predictions::{self, Predictions, prediction_files, read_class_names};
use anyhow::{Context, Result};
use dermake_metrics::{ReliabilityBin, SMALLEST_PROBABILITY, ScoredProbabilities, softmax};
use serde::Serialize;
use shared_model::calibration::{CalibrationErrors, Figure};
use std::path::{Path, PathBuf};

/// Shares of the held-out photos that are answered, the most confident ones by the largest probability after the
/// temperature.
pub const COVERAGES: [f64; 6] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5];

/// A model's published probabilities for a data set, before and after a temperature.
#[derive(Clone, Debug, Serialize)]
pub struct CalibratedPredictions {
    pub model: String,
    pub data: String,
    pub temperature: f64,
    pub n_fitted: usize,
    pub n_held_out: usize,
    pub top1_accuracy: Figure,
    pub before: CalibrationErrors,
    pub after: CalibrationErrors,
    /// Accuracy if only the most confident photos are answered, by their share. Photos of equal confidence count with the
    /// same part ([`ScoredProbabilities::accuracy_at_coverage`]).
    pub accuracy_at_coverage: Vec<CoveredAccuracy>,
    /// Bins of the held-out photos before and after.
    pub reliability_before: Vec<ReliabilityBin>,
    pub reliability_after: Vec<ReliabilityBin>,
}

/// Accuracy of the most confident photos.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CoveredAccuracy {
    pub coverage: f64,
    pub accuracy: Figure,
}

/// Fits a temperature on one half of each file's rows, and measures it on the other.
///
/// # Errors
/// When a file has what cannot be a prediction, or too few rows.
pub fn calibrate_predictions(files: &[PathBuf], classes: Option<&Path>) -> Result<Vec<CalibratedPredictions>> {
    let given = classes.map(read_class_names).transpose()?;
    let calibrated = |file: predictions::PredictionFile| {
        let beside = match (&given, &file.class_names) {
            (None, Some(path)) => Some(read_class_names(path)?),
            _ => None,
        };
        let read = predictions::read(&file.path, given.as_ref().or(beside.as_ref()))?;
        for doubt in &read.doubts {
            tracing::warn!("{doubt}: {}", file.path.display());
        }
        of_predictions(&read.predictions, file.model.clone(), file.dataset.clone())
            .with_context(|| format!("in {}", file.path.display()))
    };
    prediction_files(files)?.into_iter().map(calibrated).collect()
}

fn of_predictions(predictions: &Predictions, model: String, data: String) -> Result<CalibratedPredictions> {
    let rows = &predictions.rows;
    let contents: Vec<&str> = rows.iter().map(|row| row.sha256.as_deref().unwrap_or(row.image.as_str())).collect();
    check_number(&contents, "rows")?;
    let labels: Vec<usize> = rows.iter().map(|row| row.label).collect();
    let Halves { fitted, held_out } = halves(&contents, &labels);
    // The logits up to a constant of each row, which a softmax does not depend on.
    let logit = |p: &f64| p.max(SMALLEST_PROBABILITY).ln();
    let logits = |row: usize| rows[row].probabilities.iter().map(logit).collect::<Vec<f64>>();
    let of = |half: &[usize]| half.iter().map(|&row| (logits(row), labels[row])).unzip();
    let (fitted_logits, fitted_labels): (Vec<Vec<f64>>, Vec<usize>) = of(&fitted);
    let found = fitted_temperature(&fitted_logits, &fitted_labels)?;
    warn_of_bound(found);
    let temperature = found.value;
    let (held_out_logits, held_out_labels): (Vec<Vec<f64>>, Vec<usize>) = of(&held_out);
    let scored = |temperature: f64| {
        let probabilities: Vec<Vec<f64>> =
            held_out_logits.iter().map(|logits| softmax(logits, temperature)).collect();
        ScoredProbabilities::new(&probabilities, &held_out_labels)
    };
    let (before, after) = (scored(1.0), scored(temperature));
    let n = held_out.len();
    let [top1_accuracy] = figures(n, |counts| vec![after.accuracy(counts)]);
    let accuracies: [Figure; COVERAGES.len()] = figures(n, |counts| after.accuracy_at_coverage(&COVERAGES, counts));
    let covered = COVERAGES.into_iter().zip(accuracies);
    Ok(CalibratedPredictions {
        model,
        data,
        temperature,
        n_fitted: fitted.len(),
        n_held_out: n,
        top1_accuracy,
        before: errors(&before, n),
        after: errors(&after, n),
        accuracy_at_coverage: covered.map(|(coverage, accuracy)| CoveredAccuracy { coverage, accuracy }).collect(),
        reliability_before: before.reliability(),
        reliability_after: after.reliability(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Prediction;

    #[test]
    fn published_probabilities_that_are_too_high_get_a_temperature_above_one() {
        let row = |row: usize| {
            let label = row % 3;
            let first = if row % 5 < 3 { label } else { (label + 1) % 3 };
            let confidence = 0.9 + row as f64 / 50_000.0;
            let probability = |class: usize| if class == first { confidence } else { (1.0 - confidence) / 2.0 };
            Prediction {
                row: row + 1,
                image: format!("{row}.jpg"),
                sha256: None,
                label,
                predicted: first,
                probabilities: (0..3).map(probability).collect(),
            }
        };
        let class_names = ["a", "b", "c"].map(String::from).to_vec();
        let predictions = Predictions { class_names, rows: (0..3000).map(row).collect() };
        let found = of_predictions(&predictions, "m".into(), "d".into()).unwrap();
        assert!(found.temperature > 1.5, "{}", found.temperature);
        let error = |errors: &CalibrationErrors| errors.expected_calibration_error.value.unwrap();
        assert!(error(&found.before) > 0.25 && error(&found.after) < 0.1, "{found:?}");
        assert_eq!((found.n_fitted, found.accuracy_at_coverage.len()), (1500, COVERAGES.len()));
        assert_eq!(found.accuracy_at_coverage[0].accuracy, found.top1_accuracy);
    }
}
