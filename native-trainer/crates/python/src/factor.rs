//! The factor between cosines and logits, as Python gives it.

use anyhow::Result;
use dermake_models::scale::Scale;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use shared_model::ZeroShotModel;
use shared_model::labels::Templates;
use shared_model::zero_shot::Classifier;

/// Largest number: with a larger one, logits and probabilities in f32 would be infinite or no numbers.
const LARGEST: f64 = 1e30;

/// A number, or one of the scales that the program knows.
#[derive(Clone, Copy)]
pub enum Factor {
    Number(f64),
    Named(Scale),
}

impl Factor {
    /// Takes a positive number up to [`LARGEST`], "own" or "calibrated"; none means the calibrated one, as in the program.
    pub fn of(scale: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(scale) = scale else { return Ok(Self::Named(Scale::Calibrated)) };
        if let Ok(number) = scale.extract::<f64>()
            && number > 0.0
            && number <= LARGEST
        {
            return Ok(Self::Number(number));
        }
        let named = scale.extract::<String>().ok().and_then(|name| name.parse().ok());
        named.map(Self::Named).ok_or_else(|| {
            PyValueError::new_err(format!(
                "scale: expected a positive number up to {LARGEST:e}, \"own\" or \"calibrated\", found {scale}"
            ))
        })
    }

    /// Returns the classifier with this factor.
    ///
    /// # Errors
    /// When the factor is the model's own and its files do not have it.
    pub fn applied(
        self,
        classifier: Classifier,
        model: &ZeroShotModel,
        templates: &Templates,
    ) -> Result<Classifier> {
        match self {
            Self::Number(factor) => Ok(classifier.with_scale(factor)),
            Self::Named(scale) => scale.of(classifier, model, templates),
        }
    }
}
