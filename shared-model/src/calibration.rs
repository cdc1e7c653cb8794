//! How far an answer can be trusted: a temperature for its probabilities, and "none of these".
//!
//! A temperature divides the logits, so that probabilities are as high as answers are often right (Guo et al.,
//! arXiv 1706.04599). Photos of something else are found by two scores: maximum concept matching, the largest softmax
//! over the cosines, is small if no label fits better than the others (Ming et al., arXiv 2211.13445); the largest cosine
//! is small if no label fits well. `dermake calibrate` fits both on labeled photos.

use crate::logits::LOGIT_FACTOR;
use serde::{Deserialize, Serialize};

/// A calibrated answer is unsure if its first label is less likely than this: wrong more often than right.
pub const UNSURE_BELOW: f32 = 0.5;

/// Calibration of a model for one set of labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Calibration {
    /// Key of the label set: `pad`, ..., or `custom`.
    pub label_set: String,
    /// The labels that it holds for, in any order. It holds for the model's own templates only.
    pub class_names: Vec<String>,
    /// Logits are 100 times the cosines, divided by this. Above 1, probabilities become more equal.
    pub temperature: f64,
    /// The temperature that was fitted where it is not used, since it did not help on the other half or was at its lower
    /// bound; `temperature` is then 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_temperature: Option<f64>,
    /// When to answer that none of the labels fits.
    pub none_of_these: NoneOfThese,
    /// The data that it was fitted and measured on.
    pub measured: Measured,
}

/// When none of the labels fits: the score is the lower of two, each as its distance from the mean of photos of the labels
/// in their standard deviations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NoneOfThese {
    /// Temperature of the softmax over the cosines.
    pub temperature: f64,
    /// The largest value of this softmax, for photos of the labels.
    pub concept_match: Spread,
    /// The largest cosine, for photos of the labels.
    pub largest_cosine: Spread,
    /// None of the labels fits a photo whose score is below this.
    pub threshold: f64,
    /// The share of photos of the labels that the threshold was chosen to refuse.
    pub refused_share: f64,
}

/// Mean and standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// What a calibration was fitted on, and its errors on other photos of the same data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Measured {
    /// Name of the data.
    pub data: String,
    /// Photos that it was fitted on.
    pub n_fitted: usize,
    /// Photos that the figures are from.
    pub n_held_out: usize,
    /// Share of right answers.
    pub top1_accuracy: Figure,
    /// Errors of probabilities from 100 times the cosines.
    pub before: CalibrationErrors,
    /// Errors with the temperature.
    pub after: CalibrationErrors,
    /// Share of photos of the labels that are answered with "none of these".
    pub refused: Figure,
    /// Photos of something else, by their data.
    pub outside: Vec<Outside>,
}

/// How far probabilities are from frequencies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CalibrationErrors {
    /// Mean distance between confidence and accuracy in ten bins of equal width.
    pub expected_calibration_error: Figure,
    /// Mean squared distance of the probabilities from 1 for the true label and 0 for the others; from 0 to 2.
    pub brier_score: Figure,
    /// Mean negative logarithm of the true label's probability.
    pub negative_log_likelihood: Figure,
}

/// How well photos of something else are told from photos of the labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Outside {
    /// Name of the data.
    pub data: String,
    /// Number of photos.
    pub n: usize,
    /// Area under the ROC curve of the score.
    pub auroc: Figure,
    /// Of maximum concept matching alone.
    pub concept_match_auroc: Figure,
    /// Of the largest cosine alone.
    pub largest_cosine_auroc: Figure,
    /// Share that is answered with "none of these".
    pub recognized: Figure,
}

/// A measured value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Figure {
    /// `null` if it is undefined.
    pub value: Option<f64>,
    /// 95 % bootstrap interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
}

impl std::fmt::Display for Figure {
    /// Writes `0.017 (0.012–0.032)`, or `n/a`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&match (self.value, self.interval) {
            (Some(value), Some([low, high])) => format!("{value:.3} ({low:.3}–{high:.3})"),
            (Some(value), None) => format!("{value:.3}"),
            (None, _) => "n/a".into(),
        })
    }
}

/// Whether to believe an answer. Only calibrated answers have it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Certainty {
    /// The first label is more often wrong than right at this probability.
    pub unsure: bool,
    /// None of the labels fits the photo.
    pub none_of_these: bool,
    /// How well the labels fit, in standard deviations: 0 for an average photo of the labels.
    pub match_score: f64,
    /// None of the labels fits a photo whose `match_score` is below this.
    pub match_threshold: f64,
}

impl Calibration {
    /// The factor between cosines and logits.
    pub fn scale(&self) -> f64 {
        LOGIT_FACTOR / self.temperature
    }

    /// Returns whether it holds for these labels, in any order.
    pub fn is_of(&self, class_names: &[String]) -> bool {
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names
        };
        self.class_names.len() == class_names.len() && sorted(&self.class_names) == sorted(class_names)
    }

    /// Judges an answer by the cosines of all labels and the calibrated probability of the first one.
    pub fn certainty(&self, cosines: &[f32], probability: f32) -> Certainty {
        let match_score = self.none_of_these.score(cosines);
        let match_threshold = self.none_of_these.threshold;
        Certainty {
            unsure: probability < UNSURE_BELOW,
            none_of_these: match_score < match_threshold,
            match_score,
            match_threshold,
        }
    }
}

impl NoneOfThese {
    /// Returns how well the labels fit a photo, by its cosines with all of them.
    pub fn score(&self, cosines: &[f32]) -> f64 {
        let concept_match = self.concept_match.distance(concept_match(cosines, self.temperature));
        concept_match.min(self.largest_cosine.distance(largest_cosine(cosines)))
    }
}

impl Spread {
    /// Returns mean and deviation of some values; the deviation is not zero.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        Self { mean, deviation: variance.sqrt().max(SMALLEST_DEVIATION) }
    }

    fn distance(self, value: f64) -> f64 {
        (value - self.mean) / self.deviation
    }
}

/// Deviation of values that are all the same.
const SMALLEST_DEVIATION: f64 = 1e-9;

/// Returns the score of maximum concept matching: the largest value of the softmax over cosines divided by a
/// temperature.
pub fn concept_match(cosines: &[f32], temperature: f64) -> f64 {
    let largest = largest_cosine(cosines);
    1.0 / cosines.iter().map(|&cosine| ((f64::from(cosine) - largest) / temperature).exp()).sum::<f64>()
}

/// Returns the cosine of the label that fits best.
pub fn largest_cosine(cosines: &[f32]) -> f64 {
    f64::from(cosines.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration(names: &[&str]) -> Calibration {
        let errors = || CalibrationErrors {
            expected_calibration_error: Figure::default(),
            brier_score: Figure::default(),
            negative_log_likelihood: Figure { value: Some(1.5), interval: Some([1.0, 2.0]) },
        };
        Calibration {
            label_set: "custom".into(),
            class_names: names.iter().map(|name| name.to_string()).collect(),
            temperature: 2.0,
            unused_temperature: None,
            none_of_these: NoneOfThese {
                temperature: 1.0,
                concept_match: Spread { mean: 0.5, deviation: 0.1 },
                largest_cosine: Spread { mean: 0.3, deviation: 0.1 },
                threshold: -1.0,
                refused_share: 0.05,
            },
            measured: Measured {
                data: "drawn".into(),
                n_fitted: 3,
                n_held_out: 3,
                top1_accuracy: Figure::default(),
                before: errors(),
                after: errors(),
                refused: Figure::default(),
                outside: Vec::new(),
            },
        }
    }

    #[test]
    fn a_label_that_stands_out_scores_more_than_equal_ones() {
        assert!((concept_match(&[0.3, 0.3, 0.3], 1.0) - 1.0 / 3.0).abs() < 1e-9);
        assert!((concept_match(&[1.0, 0.0], 1.0) - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-9);
        assert!((concept_match(&[0.3, 0.0], 0.001) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn it_holds_for_its_labels_in_any_order() {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let calibration = calibration(&["acne", "nevus"]);
        assert!(calibration.is_of(&names(&["nevus", "acne"])));
        for other in [&["acne"][..], &["acne", "acne"], &["acne", "nevus", "wart"], &["acne", "wart"]] {
            assert!(!calibration.is_of(&names(other)), "{other:?}");
        }
        assert_eq!(calibration.scale(), 50.0);
    }

    #[test]
    fn an_answer_is_unsure_or_none_of_these_by_its_own_threshold() {
        let calibration = calibration(&["acne", "nevus", "wart"]);
        let flat = calibration.certainty(&[0.3, 0.3, 0.3], 0.9);
        assert!(flat.none_of_these && !flat.unsure, "one in three is 1.7 deviations below one half: {flat:?}");
        let far = calibration.certainty(&[0.1, -0.9, -0.9], 0.9);
        assert!(far.none_of_these && (far.match_score + 2.0).abs() < 1e-6, "{far:?}");
        let clear = calibration.certainty(&[1.0, 0.0, 0.0], 0.3);
        assert!(!clear.none_of_these && clear.unsure && clear.match_threshold == -1.0, "{clear:?}");
    }

    #[test]
    fn a_figure_is_shown_with_its_interval() {
        let figure = |value, interval| Figure { value, interval };
        assert_eq!(format!("{:<15}|", figure(Some(0.5), None)), "0.500          |");
        assert_eq!(figure(Some(0.5), Some([0.25, 0.75])).to_string(), "0.500 (0.250–0.750)");
        assert_eq!(figure(None, Some([0.0, 1.0])).to_string(), "n/a");
    }

    #[test]
    fn equal_values_have_a_deviation_that_can_be_divided_by() {
        assert_eq!(Spread::of(&[1.0, 3.0]), Spread { mean: 2.0, deviation: 1.0 });
        assert!(Spread::of(&[0.5, 0.5]).distance(0.5).is_finite());
    }
}
