//! A model card for the terminal.

use shared_model::calibration::Calibration;
use shared_model::card::{CardEvaluation, CardGroup};
use shared_model::manifest::Manifest;
use std::fmt::Write;

/// The card, with what the rest of the manifest says. What nobody has said is called unknown.
pub fn of(manifest: &Manifest) -> String {
    let mut text = format!("{}\n", on_one_line(&manifest.name));
    let mut line = |title: &str, value: &str| {
        let _ = writeln!(text, "{title:<14}{}", on_one_line(value));
    };
    if !manifest.trained {
        line("trained", "no: its weights are random, and its answers mean nothing");
    }
    if let Some(notice) = &manifest.notice {
        line("notice", notice);
    }
    let card = manifest.card.clone().unwrap_or_default();
    lines("trained on", &card.trained_on, &mut line);
    for CardEvaluation { title, metric, n, result, is_of_these_weights, by_skin_tone, .. } in &card.evaluations {
        let whose = if *is_of_these_weights { "" } else { ", of the weights before they were quantized" };
        line("evaluated on", &format!("{title}, {n} images: {metric} {result}{whose}"));
        for CardGroup { name, n, result } in by_skin_tone {
            line("", &format!("  {name}, {n} images: {result}"));
        }
    }
    if card.evaluations.is_empty() {
        line("evaluated on", UNKNOWN);
    }
    if card.evaluations.iter().all(|evaluation| evaluation.by_skin_tone.is_empty()) {
        line("by skin tone", UNKNOWN);
    }
    for Calibration { label_set, class_names, temperature, measured, .. } in &manifest.calibrations {
        let about = format!(
            "{label_set}, {} labels: temperature {temperature:.2}; calibration error {}, before {} ({})",
            class_names.len(),
            measured.after.expected_calibration_error,
            measured.before.expected_calibration_error,
            measured.data
        );
        line("calibrated", &about);
    }
    if manifest.calibrations.is_empty() {
        line("calibrated", "no");
    }
    lines("limit", &card.limits, &mut line);
    lines("license", card.license.as_slice(), &mut line);
    lines("source", card.source.as_slice(), &mut line);
    text
}

const UNKNOWN: &str = "unknown";

fn lines(title: &str, values: &[String], line: &mut impl FnMut(&str, &str)) {
    if values.is_empty() {
        line(title, UNKNOWN);
    }
    values.iter().for_each(|value| line(title, value));
}

fn on_one_line(value: &str) -> String {
    value.lines().collect::<Vec<_>>().join(" ")
}
