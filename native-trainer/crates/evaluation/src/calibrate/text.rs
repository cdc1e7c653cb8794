//! Calibrations as text for the terminal.

use super::predictions::{CalibratedPredictions, CoveredAccuracy};
use shared_model::calibration::{Calibration, CalibrationErrors, Figure, Measured};
use std::fmt::Write;

/// A calibration, and how well it does on photos that it was not fitted on.
pub fn text(calibration: &Calibration) -> String {
    let Calibration { label_set, class_names, temperature, unused_temperature, none_of_these, measured } =
        calibration;
    let unused =
        unused_temperature.map_or_else(String::new, |unused| format!("; {unused:.4} was fitted and is not used"));
    let Measured { data, n_fitted, n_held_out, top1_accuracy, before, after, refused, outside } = measured;
    let mut text = format!(
        "labels: {label_set}, {} of them\n\
         data: {data}, fitted on {n_fitted} photos, measured on {n_held_out} others\n\
         temperature: {temperature:.4}{unused}\n\
         threshold of \"none of these\": {:.4} standard deviations, chosen to refuse {:.1} % of photos of the labels\n\n\
         top-1 accuracy {}\n\n{}",
        class_names.len(),
        none_of_these.threshold,
        100.0 * none_of_these.refused_share,
        top1_accuracy,
        errors_table(before, after)
    );
    let _ = write!(text, "\nanswered with \"none of these\":\n  photos of the labels: {refused}\n");
    for other in outside {
        let _ = write!(
            text,
            "  {} ({} photos): {}\n    AUROC {}; of concept matching alone {}, of the largest cosine alone {}\n",
            other.data,
            other.n,
            other.recognized,
            other.auroc,
            other.concept_match_auroc,
            other.largest_cosine_auroc
        );
    }
    text
}

/// Calibrations of published probabilities.
pub fn predictions_text(all: &[CalibratedPredictions]) -> String {
    let mut text = String::new();
    for found in all {
        let CalibratedPredictions { model, data, temperature, n_fitted, n_held_out, .. } = found;
        let _ = write!(
            text,
            "{model}, {data}: temperature {temperature:.4}, fitted on {n_fitted} rows, measured on {n_held_out} others\n\n\
             top-1 accuracy {}\n\n{}\n{}\n",
            found.top1_accuracy,
            errors_table(&found.before, &found.after),
            coverage_table(found)
        );
    }
    text
}

fn errors_table(before: &CalibrationErrors, after: &CalibrationErrors) -> String {
    let row = |title: &str, before: &Figure, after: &Figure| format!("{title:<28}  {before:<22}  {after}\n");
    format!("{:<28}  {:<22}  {}\n", "", "before", "after")
        + &row("expected calibration error", &before.expected_calibration_error, &after.expected_calibration_error)
        + &row("Brier score", &before.brier_score, &after.brier_score)
        + &row("negative log-likelihood", &before.negative_log_likelihood, &after.negative_log_likelihood)
}

fn coverage_table(found: &CalibratedPredictions) -> String {
    let row = |CoveredAccuracy { coverage, accuracy }: &CoveredAccuracy| {
        format!("{:<28}  {accuracy}\n", format!("{:.0} %", 100.0 * coverage))
    };
    format!("{:<28}  accuracy\n", "most confident answers")
        + &found.accuracy_at_coverage.iter().map(row).collect::<String>()
}
