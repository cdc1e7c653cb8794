//! Loss scaling for f16, whose least values are too large for most gradients of activations: the loss is multiplied by a
//! factor before the backward pass, and the gradients of the parameters, in f32, are divided by it.
//!
//! The factor follows PyTorch's `GradScaler`: a step whose gradients are not finite is skipped and halves it, and so many
//! steps in a row without one double it.

use super::optimizer::GradientNorm;
use anyhow::{Error, Result, ensure};
use candle_core::Tensor;
use dermake_device::Precision;
use dermake_objective::Loss;
use serde::{Deserialize, Serialize};

const FIRST_FACTOR: f32 = 65_536.0;
const GROWTH: f32 = 2.0;
const BACKOFF: f32 = 0.5;
/// Steps in a row with finite gradients after which the factor grows.
const STEPS_TO_GROW: u64 = 2000;
/// Steps in a row that may be skipped. So many halve the first factor to 2^-8; gradients that overflow even then do not
/// because of the factor.
const MAX_SKIPPED: u64 = 24;
/// Updates of a search for a learning rate, at least.
const MIN_UPDATES: u64 = 5;

/// The factor of the loss, and what it follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossScale {
    factor: f32,
    /// Steps in a row with finite gradients since the factor changed.
    steps_since_change: u64,
    skipped_in_a_row: u64,
    /// Of the whole run.
    skipped: u64,
}

impl LossScale {
    /// The scale that a run in this precision begins with; none for those whose gradients do not underflow.
    pub fn of(precision: Precision) -> Option<Self> {
        let first = Self { factor: FIRST_FACTOR, steps_since_change: 0, skipped_in_a_row: 0, skipped: 0 };
        match precision {
            Precision::F16 => Some(first),
            Precision::F32 | Precision::Bf16 => None,
        }
    }

    pub fn factor(&self) -> f32 {
        self.factor
    }

    /// The gradients of the loss, multiplied by the factor.
    pub(super) fn scaled(&self, loss: &Loss) -> Result<Loss> {
        let scaled = |gradient: &Tensor| gradient.affine(f64::from(self.factor), 0.0);
        Ok(Loss {
            image: scaled(&loss.image)?,
            text: scaled(&loss.text)?,
            local: loss.local.as_ref().map(scaled).transpose()?,
            ..loss.clone()
        })
    }

    /// Divides flat gradients by the factor, which is a power of 2, in place.
    pub(super) fn unscale(&self, gradients: &Tensor) -> Result<()> {
        const AT_ONCE: usize = 1 << 24; // a copy of so many is made
        let n = gradients.dim(0)?;
        for start in (0..n).step_by(AT_ONCE) {
            let part = gradients.narrow(0, start, AT_ONCE.min(n - start))?;
            gradients.slice_set(&part.affine(1.0 / f64::from(self.factor), 0.0)?, 0, start)?;
        }
        Ok(())
    }

    /// Steps of the run that were skipped.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Follows a step, whose gradients were finite or not.
    pub fn follow(&mut self, is_finite: bool) {
        if !is_finite {
            self.factor *= BACKOFF;
            self.steps_since_change = 0;
            self.skipped_in_a_row += 1;
            self.skipped += 1;
            return;
        }
        self.skipped_in_a_row = 0;
        self.steps_since_change += 1;
        if self.steps_since_change == STEPS_TO_GROW {
            self.steps_since_change = 0;
            let grown = self.factor * GROWTH;
            self.factor = if grown.is_finite() { grown } else { self.factor };
        }
    }

    /// What a step is reported with.
    pub fn scalars(&self) -> [(String, f64); 2] {
        [("loss_scale".into(), f64::from(self.factor)), ("skipped_steps".into(), self.skipped as f64)]
    }
}

/// Lets the scale of a run follow an update of the optimizer; returns the norm of the gradients, and none if they were not
/// finite and the step is skipped.
///
/// # Errors
/// Those of the update. Gradients that are not finite are an error without a scale, and after too many of them in a row.
pub fn follow(scale: Option<&mut LossScale>, updated: Result<f64>) -> Result<Option<f64>> {
    let Some(scale) = scale else { return updated.map(Some) };
    match updated {
        Ok(norm) => {
            scale.follow(true);
            Ok(Some(norm))
        }
        Err(err) if err.is::<GradientNorm>() => {
            scale.follow(false);
            if scale.skipped_in_a_row > MAX_SKIPPED { Err(too_many(err)) } else { Ok(None) }
        }
        Err(err) => Err(err),
    }
}

/// Checks that a search for a learning rate has changed the model at all: a loss that no update has changed says nothing.
///
/// # Errors
/// With a scale, and fewer updates than a curve needs.
pub fn check_updates(scale: Option<&LossScale>, n_updates: u64) -> Result<()> {
    ensure!(
        scale.is_none() || n_updates >= MIN_UPDATES,
        "the gradients overflowed in f16 in all but {n_updates} steps; try more --steps, until the loss scale fits, or \
         --set run.precision=bf16"
    );
    Ok(())
}

fn too_many(err: Error) -> Error {
    anyhow::anyhow!("{err}, as in the {MAX_SKIPPED} steps before, though the loss scale was halved each time")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    fn scale() -> LossScale {
        LossScale::of(Precision::F16).unwrap()
    }

    #[test]
    fn only_f16_has_a_scale() {
        assert_eq!((LossScale::of(Precision::F32), LossScale::of(Precision::Bf16)), (None, None));
        assert_eq!(scale().factor(), 65_536.0);
    }

    #[test]
    fn steps_are_skipped_until_there_are_too_many_in_a_row() {
        let not_finite = || Err(Error::new(GradientNorm(f64::INFINITY)));
        let mut scale = scale();
        for round in 1..=3 {
            for _ in 0..MAX_SKIPPED {
                assert_eq!(follow(Some(&mut scale), not_finite()).unwrap(), None);
            }
            assert_eq!(scale.skipped(), round * MAX_SKIPPED);
            assert_eq!(follow(Some(&mut scale), Ok(0.5)).unwrap(), Some(0.5));
        }
        for _ in 0..MAX_SKIPPED {
            follow(Some(&mut scale), not_finite()).unwrap();
        }
        let err = follow(Some(&mut scale), not_finite()).unwrap_err().to_string();
        assert!(err.starts_with("the gradient norm is inf, as in the 24 steps before"), "{err}");
    }

    #[test]
    fn other_errors_are_no_skipped_steps() {
        let mut scale = scale();
        assert!(follow(Some(&mut scale), Err(anyhow!("the memory is full"))).is_err());
        assert_eq!(scale, self::scale());
        // Without a scale, the same sentence as ever.
        let err = follow(None, Err(Error::new(GradientNorm(f64::NAN)))).unwrap_err();
        assert_eq!(err.to_string(), "the gradient norm is NaN");
        assert_eq!(follow(None, Ok(2.0)).unwrap(), Some(2.0));
    }

    #[test]
    fn a_search_whose_steps_were_skipped_has_no_curve() {
        let err = check_updates(Some(&scale()), MIN_UPDATES - 1).unwrap_err().to_string();
        assert!(err.contains("in all but 4 steps"), "{err}");
        assert!(check_updates(Some(&scale()), MIN_UPDATES).is_ok() && check_updates(None, 0).is_ok());
    }

    #[test]
    fn the_factor_stays_finite() {
        let mut scale = scale();
        for _ in 0..200 * STEPS_TO_GROW {
            scale.follow(true);
        }
        assert_eq!(scale.factor(), 2f32.powi(127));
    }
}
