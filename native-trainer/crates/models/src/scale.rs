//! The factor between cosines and logits.

use anyhow::{Context, Result};
use shared_model::ZeroShotModel;
use shared_model::labels::Templates;
use shared_model::zero_shot::Classifier;

/// Which factor to use: it changes the probabilities, not the order of the labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// 100, as in the reference.
    #[default]
    Reference,
    /// What the checkpoint learned.
    Own,
    /// That of the calibration that came with the model; 100 for labels without one.
    Calibrated,
}

impl Scale {
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

    /// Checks that the model has this scale, before anything is computed.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn check(self, model: &ZeroShotModel) -> Result<()> {
        if self == Self::Own { own_scale(model).map(drop) } else { Ok(()) }
    }
}

fn own_scale(model: &ZeroShotModel) -> Result<f64> {
    let scale = model.logit_scale().context("the model's files have no scale of its own; leave out --scale own")?;
    Ok(f64::from(scale))
}
