//! The factor between cosines and logits.

use anyhow::{Context, Result};
use shared_model::ZeroShotModel;
use shared_model::concepts::ConceptScorer;
use shared_model::labels::Templates;
use shared_model::zero_shot::Classifier;
use std::fmt;
use std::str::FromStr;

/// Which factor to use: it changes the probabilities, not the order of the labels.
///
/// The command line, the server and the Python package all read it with [`Scale::from_str`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// 100 for labels and 98.9 for concepts, as in the reference.
    #[default]
    Reference,
    /// What the checkpoint learned.
    Own,
    /// That of the calibration that came with the model; as [`Self::Reference`] for labels without one, and for concepts.
    Calibrated,
}

impl FromStr for Scale {
    type Err = String;

    /// Reads a scale as people write it, in any case; the error is what was expected.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_of = |scale: &Self| text.trim().eq_ignore_ascii_case(scale.name());
        Self::ALL.into_iter().find(is_of).ok_or_else(|| {
            let [first, second, third] = Self::ALL.map(Self::name);
            format!("{first}, {second} or {third}")
        })
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Scale {
    pub const ALL: [Self; 3] = [Self::Reference, Self::Own, Self::Calibrated];

    /// How people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reference => "100",
            Self::Own => "own",
            Self::Calibrated => "calibrated",
        }
    }

    /// Returns the classifier with this scale.
    ///
    /// # Errors
    /// When the scale is the model's own and its files do not have it.
    pub fn of(self, classifier: Classifier, model: &ZeroShotModel, templates: &Templates) -> Result<Classifier> {
        Ok(match self {
            Self::Reference => classifier,
            Self::Own => classifier.with_scale(own_scale(model)?),
            Self::Calibrated => model.calibrated(classifier, templates),
        })
    }

    /// Says how a classifier with this scale makes probabilities of cosines.
    pub fn in_words(self, classifier: &Classifier) -> String {
        let source = match (self, classifier.calibration()) {
            (Self::Reference, _) => "as in MAKE's evaluation",
            (Self::Own, _) => "the scale that the checkpoint learned",
            (Self::Calibrated, Some(_)) => "calibrated for these labels",
            (Self::Calibrated, None) => "not calibrated for these labels; `dermake calibrate` does it",
        };
        format!(
            "probabilities are a softmax of {} times the cosines, {source}",
            factor_in_words(classifier.scale())
        )
    }

    /// Returns the scorer of concepts with this scale.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_concepts(self, scorer: ConceptScorer, model: &ZeroShotModel) -> Result<ConceptScorer> {
        Ok(if self == Self::Own { scorer.with_scale(own_scale(model)?) } else { scorer })
    }

    /// Checks that the model has this scale, before anything is computed.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn check(self, model: &ZeroShotModel) -> Result<()> {
        if self == Self::Own { own_scale(model).map(drop) } else { Ok(()) }
    }
}

/// A factor for people: with two decimals, or none where they are 0.
pub fn factor_in_words(factor: f64) -> String {
    let text = format!("{factor:.2}");
    text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
}

fn own_scale(model: &ZeroShotModel) -> Result<f64> {
    let scale = model
        .logit_scale()
        .context("the model's files have no scale of its own, expected another scale than own")?;
    Ok(f64::from(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_has_decimals_only_where_it_needs_them() {
        assert_eq!([100.0, 14.285_714, 98.9].map(factor_in_words), ["100", "14.29", "98.90"]);
    }

    #[test]
    fn every_scale_is_read_as_it_is_written_in_any_case() {
        for scale in Scale::ALL {
            assert_eq!(scale.to_string().parse(), Ok(scale));
            assert_eq!(format!(" {} ", scale.name().to_uppercase()).parse(), Ok(scale));
        }
        assert_eq!("99".parse::<Scale>(), Err("100, own or calibrated".into()));
    }
}
