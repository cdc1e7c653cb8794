//! Photos whose published answers are known: `static/benchmarks/known_answers.toml`, or a file of the same form.

use anyhow::{Context, Result, bail};
use dermake_files::text_file;
use serde::Deserialize;
use std::path::Path;

/// The photos of a file of known answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownAnswers {
    pub photo: Vec<KnownPhoto>,
}

/// A photo with its published answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownPhoto {
    /// Its file name.
    pub file: String,
    pub sha256: String,
    /// Where to get it, and its license.
    pub source: String,
    pub labels: Vec<String>,
    pub answer: Vec<KnownAnswer>,
}

/// What a model answered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownAnswer {
    /// For people.
    pub model: String,
    /// Names under which the model is loaded.
    #[serde(default)]
    pub names: Vec<String>,
    /// MAKE's eight, if there are none.
    #[serde(default)]
    pub templates: Vec<String>,
    /// In the order of the labels.
    pub probabilities: Vec<f64>,
    /// Where it was published.
    pub source: String,
    /// What is taken for granted about how it was computed.
    #[serde(default)]
    pub assumed: Option<String>,
    /// Largest difference of a probability, 0 to 1.
    #[serde(default)]
    pub tolerance: Option<f64>,
    /// Largest factor between two probabilities, at least 1.
    #[serde(default)]
    pub factor: Option<f64>,
}

impl KnownAnswers {
    /// Reads a file; without one, the list that comes with the program.
    ///
    /// # Errors
    /// When it cannot be read, an answer has more or fewer probabilities than there are labels, or a number is out of its
    /// range.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let (known, name): (Self, String) = match path {
            Some(path) => (text_file::read_toml(path)?, path.display().to_string()),
            None => {
                let text = include_str!("../../../../static/benchmarks/known_answers.toml");
                (toml::from_str(text).context("in the list of known answers")?, "known_answers.toml".into())
            }
        };
        for photo in &known.photo {
            for answer in &photo.answer {
                let (n, expected) = (answer.probabilities.len(), photo.labels.len());
                if n != expected {
                    bail!("{} has {n} probabilities of {}, expected {expected}: {name}", answer.model, photo.file);
                }
                if let Some(bad) = answer.probabilities.iter().find(|value| !(0.0..=1.0).contains(*value)) {
                    bail!("{} has the probability {bad} of {}, expected 0 to 1: {name}", answer.model, photo.file);
                }
                if let Some(bad) = answer.tolerance.filter(|tolerance| !(0.0..=1.0).contains(tolerance)) {
                    bail!("{} has the tolerance {bad} for {}, expected 0 to 1: {name}", answer.model, photo.file);
                }
                if let Some(bad) = answer.factor.filter(|factor| factor.is_nan() || *factor < 1.0) {
                    bail!("{} has the factor {bad} for {}, expected 1 or more: {name}", answer.model, photo.file);
                }
            }
            if photo.answer.is_empty() {
                bail!("there is no answer of {}: {name}", photo.file);
            }
        }
        if known.photo.is_empty() {
            bail!("there is no photo in the known answers: {name}");
        }
        Ok(known)
    }

    /// The published models, each once.
    pub fn models(&self) -> Vec<&str> {
        let mut models: Vec<&str> = Vec::new();
        for answer in self.photo.iter().flat_map(|photo| &photo.answer) {
            if !models.contains(&answer.model.as_str()) {
                models.push(&answer.model);
            }
        }
        models
    }
}

/// The factor between a published probability and one that was computed here, at least 1.
///
/// Published figures are rounded. All numbers that give the same rounded figure count as equal to it, so a figure of one
/// digit (0.0001) checks little, and a zero nothing.
pub fn factor_between(published: f64, here: f64) -> f64 {
    let half_unit = half_unit_of(published);
    let (low, high) = (published - half_unit, published + half_unit);
    let here = here.max(f64::from(f32::MIN_POSITIVE)); // smaller ones are 0 in f32, in which they were computed
    if here > high { here / high } else { (low / here).max(1.0) }
}

/// Half a unit of the last digit of a figure as it was written, zeros at its end aside.
fn half_unit_of(figure: f64) -> f64 {
    let written = format!("{figure:e}"); // the fewest digits that mean this number: 4.23e-5
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let n_decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    0.5 * 10f64.powi(exponent.parse().unwrap_or(0) - n_decimals as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_counts_beyond_the_digits_of_the_published_figure() {
        for (published, here, expected) in [
            (4.23e-5, 4.23e-5, 1.0),
            (4.23e-5, 4.234e-5, 1.0),
            (4.23e-5, 8.47e-5, 8.47 / 4.235),
            (4.23e-5, 2.1e-5, 4.225 / 2.1),
            (0.0001, 0.00014, 1.0),
            (0.0001, 0.0003, 2.0),
            (0.0001, 0.000025, 2.0),
            (0.0, 0.01, 1.0),
            (0.0, 0.0, 1.0),
            (1.0, 1.0, 1.0),
            (0.77269, 0.7727, 0.7727 / 0.772695),
        ] {
            let factor = factor_between(published, here);
            assert!((factor - expected).abs() < 1e-9, "{published} {here}: {factor}, expected {expected}");
        }
        assert!(factor_between(4.23e-5, 0.0).is_finite() && factor_between(4.23e-5, 0.0) > 1e6);
    }

    #[test]
    fn the_built_in_answers_are_whole_and_sum_to_one() {
        let known = KnownAnswers::read(None).unwrap();
        for answer in known.photo.iter().flat_map(|photo| &photo.answer) {
            let sum: f64 = answer.probabilities.iter().sum();
            assert!((sum - 1.0).abs() < 1e-4, "{}: {sum}", answer.model);
            assert!(!answer.source.is_empty() && answer.assumed.is_some() && !answer.names.is_empty());
        }
        assert_eq!(known.models(), ["MAKE", "MAKE, one template", "DermLIP-ViT-B-16", "CLIP-Large"]);
    }

    #[test]
    fn an_answer_of_too_few_probabilities_or_impossible_bounds_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known.toml");
        let read = |probabilities: &str| {
            let text = format!(
                "[[photo]]\nfile = 'a.png'\nsha256 = ''\nsource = ''\nlabels = ['x', 'y']\n\
                 [[photo.answer]]\nmodel = 'm'\nsource = ''\nprobabilities = {probabilities}\n"
            );
            std::fs::write(&path, text).unwrap();
            KnownAnswers::read(Some(&path)).map_err(|err| format!("{err:#}"))
        };
        assert!(read("[0.5, 0.5]").is_ok());
        assert!(read("[1]").unwrap_err().contains("m has 1 probabilities of a.png, expected 2"));
        assert!(read("[1.5, 0]").unwrap_err().contains("the probability 1.5 of a.png"));
        assert!(read("[nan, 0]").unwrap_err().contains("the probability NaN of a.png"));
        assert!(read("[0.5, 0.5]\nfactor = 1").is_ok());
        for (bound, expected) in [
            ("factor = 0.9", "m has the factor 0.9 for a.png, expected 1 or more"),
            ("tolerance = -1", "m has the tolerance -1 for a.png, expected 0 to 1"),
            ("tolerance = nan", "m has the tolerance NaN for a.png, expected 0 to 1"),
            ("tolerance = inf", "m has the tolerance inf for a.png, expected 0 to 1"),
        ] {
            let error = read(&format!("[0.5, 0.5]\n{bound}")).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(read("[0.5, 0.5]\ntolerance = 0").is_ok() && read("[0.5, 0.5]\ntolerance = 0.1").is_ok());
    }
}
