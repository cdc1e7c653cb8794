//! The constants of batches that bring related diagnoses together.

use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How batches of related diagnoses are put together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OntologySampling {
    /// Share of the rows with a known diagnosis that count as rare: those of the least frequent diagnoses.
    pub rare_share: f64,
    /// Temperature of the choice among rare diagnoses by their similarity to others.
    pub temperature: f64,
    /// Epochs over which the chosen part of each batch grows from 0 to all, along half a cosine.
    pub ramp_epochs: usize,
}

impl Default for OntologySampling {
    fn default() -> Self {
        Self { rare_share: 0.3, temperature: 0.07, ramp_epochs: 15 }
    }
}

impl OntologySampling {
    /// # Errors
    /// Names a field that is out of range.
    pub fn validate(&self) -> Result<()> {
        let Self { rare_share, temperature, ramp_epochs } = *self;
        ensure!((0.0..=1.0).contains(&rare_share), "rare_share is {rare_share}, expected 0 to 1");
        ensure!(
            temperature > 0.0 && temperature.is_finite(),
            "temperature is {temperature}, expected a number above 0"
        );
        ensure!(ramp_epochs > 0, "ramp_epochs is 0, expected at least 1");
        Ok(())
    }

    /// Share of a batch's known rows that is chosen in an epoch, counted from 0.
    pub(super) fn chosen_share(&self, epoch: usize) -> f64 {
        let last = self.ramp_epochs.saturating_sub(1).max(1);
        let progress = if self.ramp_epochs == 1 { 1.0 } else { (epoch as f64 / last as f64).min(1.0) };
        0.5 * (1.0 - (std::f64::consts::PI * progress).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_part_grows_along_half_a_cosine() {
        let sampling = OntologySampling { ramp_epochs: 3, ..OntologySampling::default() };
        let shares: Vec<f64> = (0..4).map(|epoch| sampling.chosen_share(epoch)).collect();
        for (share, expected) in shares.iter().zip([0.0, 0.5, 1.0, 1.0]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
        assert_eq!(OntologySampling { ramp_epochs: 1, ..sampling }.chosen_share(0), 1.0);
        for (bad, expected) in [
            (OntologySampling { rare_share: 1.1, ..sampling }, "rare_share is 1.1"),
            (OntologySampling { temperature: 0.0, ..sampling }, "temperature is 0"),
            (OntologySampling { ramp_epochs: 0, ..sampling }, "ramp_epochs is 0"),
        ] {
            assert!(bad.validate().unwrap_err().to_string().contains(expected));
        }
    }
}
