//! From cosines and labels to a calibration.

use super::halves::{Halves, halves};
use super::measure::{errors, figures, share};
use super::{check_number, fitted_temperature, warn_of_bound};
use anyhow::{Context, Result};
use dermake_metrics::{RankedScores, ScoredProbabilities, Temperature, softmax};
use shared_model::calibration::{
    Calibration, Figure, Measured, NoneOfThese, Outside, Spread, concept_match, largest_cosine,
};
use shared_model::labels::LabelSet;
use shared_model::zero_shot::LOGIT_FACTOR;

/// Temperature of the softmax of maximum concept matching.
const MATCH_TEMPERATURE: f64 = 1.0;

/// A photo of one of the labels.
pub struct Sample {
    /// What identifies its content.
    pub content: String,
    /// Its cosine with each label.
    pub cosines: Vec<f32>,
    /// Place of its label.
    pub label: usize,
}

/// What a calibration is fitted and measured on.
pub struct Samples<'a> {
    /// Name of the data.
    pub data: String,
    pub labels: &'a LabelSet,
    pub inside: Vec<Sample>,
    /// Cosines of photos of something else, by the name of their data.
    pub outside: Vec<(String, Vec<Vec<f32>>)>,
}

/// Fits a calibration on one half of the photos of the labels, and measures it on the rest.
///
/// A temperature that does not help there is not used. `refused_share`: share of photos of the labels that may be answered
/// with "none of these".
///
/// # Errors
/// When there are too few photos.
pub fn fit(samples: &Samples<'_>, refused_share: f64) -> Result<Calibration> {
    let Samples { data, labels, inside, outside } = samples;
    let contents: Vec<&str> = inside.iter().map(|sample| sample.content.as_str()).collect();
    check_number(&contents, "photos of the labels")?;
    let all_labels: Vec<usize> = inside.iter().map(|sample| sample.label).collect();
    let Halves { fitted, held_out } = halves(&contents, &all_labels);
    let found = temperature_of(inside, &fitted)?;
    let cosines_of = |rows: &[usize]| rows.iter().map(|&row| &inside[row].cosines[..]).collect::<Vec<&[f32]>>();
    let none_of_these = none_of_these(&cosines_of(&fitted), refused_share)?;
    let held_out_cosines = cosines_of(&held_out);
    let measured_outside = |(data, cosines): &(String, Vec<Vec<f32>>)| {
        let cosines: Vec<&[f32]> = cosines.iter().map(Vec::as_slice).collect();
        measure_outside(data, &cosines, &held_out_cosines, &none_of_these)
    };
    let before = scored(inside, &held_out, 1.0);
    let n = held_out.len();
    let is_of_use = is_of_use(found, &before, &scored(inside, &held_out, found.value), n);
    let (temperature, unused_temperature) = if is_of_use { (found.value, None) } else { (1.0, Some(found.value)) };
    let after = scored(inside, &held_out, temperature);
    let [top1_accuracy] = figures(n, |counts| vec![after.accuracy(counts)]);
    let refused = share_below(&held_out_cosines, &none_of_these);
    let outside = outside.iter().map(measured_outside).collect();
    Ok(Calibration {
        label_set: labels.key.clone(),
        class_names: labels.class_names.clone(),
        temperature,
        unused_temperature,
        none_of_these,
        measured: Measured {
            data: data.clone(),
            n_fitted: fitted.len(),
            n_held_out: n,
            top1_accuracy,
            before: errors(&before, n),
            after: errors(&after, n),
            refused,
            outside,
        },
    })
}

/// Whether a temperature makes photos that it was not fitted on likelier, and says more than that every answer which it was
/// fitted on is right; warns if not.
fn is_of_use(found: Temperature, before: &ScoredProbabilities, after: &ScoredProbabilities, n: usize) -> bool {
    let loss = |scored: &ScoredProbabilities| scored.negative_log_likelihood(&vec![1; n]).unwrap_or_default();
    let (before, after) = (loss(before), loss(after));
    let why = if after > before {
        format!(
            "the negative log-likelihood of the photos that were held out rises with it from {before:.3} to {after:.3}"
        )
    } else if found.is_at_bound && found.value < 1.0 {
        "every answer would be certain".into()
    } else {
        warn_of_bound(found);
        return true;
    };
    let value = found.value;
    tracing::warn!("the fitted temperature, {value:.4}, is not used, but 1: {why}; calibrate on more photos");
    false
}

/// The spread of both scores over photos of the labels, and the threshold that refuses a share of them.
fn none_of_these(cosines: &[&[f32]], refused_share: f64) -> Result<NoneOfThese> {
    let matches: Vec<f64> = cosines.iter().map(|cosines| concept_match(cosines, MATCH_TEMPERATURE)).collect();
    let largest: Vec<f64> = cosines.iter().map(|cosines| largest_cosine(cosines)).collect();
    let found = NoneOfThese {
        temperature: MATCH_TEMPERATURE,
        concept_match: Spread::of(&matches),
        largest_cosine: Spread::of(&largest),
        threshold: 0.0,
        refused_share,
    };
    let scores = cosines.iter().map(|cosines| found.score(cosines)).collect();
    let threshold = quantile(scores, refused_share).context("one half of the photos is empty")?;
    Ok(NoneOfThese { threshold, ..found })
}

fn logits(cosines: &[f32]) -> Vec<f64> {
    cosines.iter().map(|&cosine| LOGIT_FACTOR * f64::from(cosine)).collect()
}

fn temperature_of(inside: &[Sample], rows: &[usize]) -> Result<Temperature> {
    let of_rows: Vec<Vec<f64>> = rows.iter().map(|&row| logits(&inside[row].cosines)).collect();
    let labels: Vec<usize> = rows.iter().map(|&row| inside[row].label).collect();
    fitted_temperature(&of_rows, &labels)
}

fn scored(inside: &[Sample], rows: &[usize], temperature: f64) -> ScoredProbabilities {
    let probabilities: Vec<Vec<f64>> =
        rows.iter().map(|&row| softmax(&logits(&inside[row].cosines), temperature)).collect();
    let labels: Vec<usize> = rows.iter().map(|&row| inside[row].label).collect();
    ScoredProbabilities::new(&probabilities, &labels)
}

/// The value below which this share of the values is.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let at = (share * values.len() as f64).floor() as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied()
}

fn share_below(cosines: &[&[f32]], none_of_these: &NoneOfThese) -> Figure {
    let is_below = |cosines: &&[f32]| none_of_these.score(cosines) < none_of_these.threshold;
    share(&cosines.iter().map(is_below).collect::<Vec<bool>>())
}

fn measure_outside(data: &str, outside: &[&[f32]], inside: &[&[f32]], none_of_these: &NoneOfThese) -> Outside {
    let all = [inside, outside].concat();
    let is_inside: Vec<bool> = (0..all.len()).map(|row| row < inside.len()).collect();
    let ranked = |score: &dyn Fn(&[f32]) -> f64| {
        RankedScores::new(&all.iter().map(|cosines| score(cosines)).collect::<Vec<f64>>(), &is_inside)
    };
    let scores = [
        ranked(&|cosines| none_of_these.score(cosines)),
        ranked(&|cosines| concept_match(cosines, none_of_these.temperature)),
        ranked(&largest_cosine),
    ];
    let [auroc, concept_match_auroc, largest_cosine_auroc] =
        figures(all.len(), |counts| scores.iter().map(|score| score.auroc(counts)).collect());
    let recognized = share_below(outside, none_of_these);
    Outside { data: data.into(), n: outside.len(), auroc, concept_match_auroc, largest_cosine_auroc, recognized }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 400 photos of two labels: cosines of 0.3 and 0.3 - margin, three in four of them right.
    fn samples(labels: &LabelSet) -> Samples<'_> {
        let sample = |photo: usize| {
            let margin = 0.02 + photo as f32 / 20_000.0;
            let (label, is_right) = (photo % 2, photo % 8 / 2 != 3);
            let first = if is_right { label } else { 1 - label };
            let cosines = (0..2).map(|class| if class == first { 0.3 } else { 0.3 - margin }).collect();
            Sample { content: photo.to_string(), cosines, label }
        };
        Samples {
            data: "drawn".into(),
            labels,
            inside: (0..400).map(sample).collect(),
            outside: vec![("other".into(), vec![vec![0.1, 0.1]; 50])],
        }
    }

    #[test]
    fn probabilities_become_the_share_of_right_answers_and_equal_cosines_are_none_of_these() {
        let labels = LabelSet::from_text("acne, nevus").unwrap();
        let fitted = fit(&samples(&labels), 0.05).unwrap();
        let Measured { n_fitted, n_held_out, before, after, refused, outside, .. } = &fitted.measured;
        assert_eq!((*n_fitted, *n_held_out), (200, 200));
        // Margins of 2 to 4 on the logits, and three answers in four are right: 1 / (1 + exp(-3 / T)) = 0.75.
        assert!((2.0..4.0).contains(&fitted.temperature), "{}", fitted.temperature);
        let value = |errors: &shared_model::calibration::CalibrationErrors| {
            (errors.expected_calibration_error.value.unwrap(), errors.negative_log_likelihood.value.unwrap())
        };
        let ((ece_before, loss_before), (ece_after, loss_after)) = (value(before), value(after));
        assert!(ece_before > 0.15 && ece_after < 0.1 && loss_after < loss_before, "{ece_before} {ece_after}");
        assert!((0.01..0.12).contains(&refused.value.unwrap()), "{refused:?}");
        assert_eq!((outside[0].auroc.value, outside[0].recognized.value), (Some(1.0), Some(1.0)));
        assert!(fitted.measured.top1_accuracy.interval.is_some());
    }

    /// Photos whose answers are right or not, by their places in the two halves; the logits of the two labels differ by one.
    fn with_answers(labels: &LabelSet, is_right: impl Fn(usize, bool) -> bool) -> Samples<'_> {
        let mut samples = samples(labels);
        let contents: Vec<&str> = samples.inside.iter().map(|sample| sample.content.as_str()).collect();
        let of_labels: Vec<usize> = samples.inside.iter().map(|sample| sample.label).collect();
        let Halves { fitted, held_out } = halves(&contents, &of_labels);
        for (rows, is_fitted) in [(fitted, true), (held_out, false)] {
            for (at, row) in rows.into_iter().enumerate() {
                let Sample { cosines, label, .. } = &mut samples.inside[row];
                let first = if is_right(at, is_fitted) { *label } else { 1 - *label };
                *cosines = (0..2).map(|class| if class == first { 0.3 } else { 0.29 }).collect();
            }
        }
        samples
    }

    #[test]
    fn a_temperature_that_does_not_help_on_other_photos_is_not_used() {
        let labels = LabelSet::from_text("acne, nevus").unwrap();
        // Nine of ten are right: 1 / (1 + exp(-1 / T)) = 0.9.
        let nine_of_ten = 1.0 / 9f64.ln();
        let found = fit(&with_answers(&labels, |at, _| at % 10 != 0), 0.05).unwrap();
        assert!((found.temperature - nine_of_ten).abs() < 1e-3 && found.unused_temperature.is_none(), "{found:?}");
        let is_right = |at: usize, is_fitted| !at.is_multiple_of(if is_fitted { 10 } else { 2 });
        let unlike = fit(&with_answers(&labels, is_right), 0.05).unwrap();
        let certain = fit(&with_answers(&labels, |_, _| true), 0.05).unwrap();
        for (found, unused) in [(unlike, nine_of_ten), (certain, 0.01)] {
            assert!((found.unused_temperature.unwrap() - unused).abs() < 1e-3, "{found:?}");
            assert_eq!((found.temperature, &found.measured.after), (1.0, &found.measured.before));
            assert!(found.none_of_these.largest_cosine.mean > 0.29, "the threshold is there: {found:?}");
        }
        // Probabilities that say nothing are better equal.
        let worthless = fit(&with_answers(&labels, |at, _| at % 2 != 0), 0.05).unwrap();
        assert_eq!((worthless.temperature, worthless.unused_temperature), (100.0, None));
    }

    #[test]
    fn too_few_photos_are_refused_with_their_number() {
        let labels = LabelSet::from_text("acne, nevus").unwrap();
        let mut few = samples(&labels);
        few.inside.truncate(39);
        assert!(fit(&few, 0.05).unwrap_err().to_string().contains("at least 40 photos of the labels, found 39"));
    }

    #[test]
    fn copies_of_a_photo_are_one_photo() {
        let labels = LabelSet::from_text("acne, nevus").unwrap();
        let mut copies = samples(&labels);
        for (row, sample) in copies.inside.iter_mut().enumerate() {
            sample.content = (row % 39).to_string();
        }
        let message = fit(&copies, 0.05).unwrap_err().to_string();
        assert!(message.contains("at least 40 photos of the labels, found 39 and 361 copies"), "{message}");
    }

    #[test]
    fn a_share_of_the_values_is_below_a_quantile() {
        let values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(quantile(values.clone(), 0.05), Some(5.0));
        assert_eq!(quantile(values.clone(), 1.0), Some(99.0));
        assert_eq!((quantile(values, 0.0), quantile(Vec::new(), 0.05)), (Some(0.0), None));
    }
}
