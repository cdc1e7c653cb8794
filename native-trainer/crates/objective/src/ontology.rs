//! O-MAKE's soft targets: a caption's target is shared out among the captions of related diagnoses.
//!
//! O-MAKE (arXiv 2512.03445) mixes the one-hot target of a query with a softmax over all its keys of the similarity of
//! diagnoses, `q_k ~ exp(S(own, k) / temperature)`, in MKCL's two cross-entropies:
//! `y = (1 - beta) one-hot + beta q`. The formula is that of its code (XiejiLi/MAGEN-O-MAKE, `loss.py`), as are the
//! defaults; S is [`Lineage::similarity`].
//!
//! q depends on the two samples only, so that no matrix of captions is formed: `[B, B]` numbers weigh the sum of the
//! keys of each sample.

use super::lineage::Lineage;
use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;

/// Constants of the soft targets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OntologyTargets {
    /// Temperature of the softmax over similarities; a smaller one leaves less to distant diagnoses.
    pub temperature: f64,
    /// Share of a target that follows the ontology, 0 to 1; the rest is the sample's own.
    pub beta: f64,
    /// Epochs over which `beta` falls to 0 along half a cosine; without it, `beta` stays, as in O-MAKE's run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay_epochs: Option<usize>,
}

impl Default for OntologyTargets {
    fn default() -> Self {
        Self { temperature: 0.07, beta: 0.5, decay_epochs: None }
    }
}

impl OntologyTargets {
    /// # Errors
    /// Names a constant with which there are no targets.
    pub fn validate(&self) -> Result<()> {
        let Self { temperature, beta, decay_epochs } = *self;
        ensure!(
            temperature > 0.0 && temperature.is_finite(),
            "ontology.temperature is {temperature}, expected a number above 0"
        );
        ensure!((0.0..=1.0).contains(&beta), "ontology.beta is {beta}, expected 0 to 1");
        ensure!(decay_epochs != Some(0), "ontology.decay_epochs is 0, expected at least 1");
        Ok(())
    }

    /// The constants in an epoch, counted from 0.
    pub fn at_epoch(self, epoch: usize) -> Self {
        let Some(epochs) = self.decay_epochs else { return self };
        let progress = (epoch as f64 / epochs as f64).min(1.0);
        Self { beta: self.beta * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()), ..self }
    }
}

/// What a sample whose place in the ontology is unknown has as target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfUnknown {
    /// Its own key alone.
    OneHot,
    /// The same softmax, in which it is similar to its own key alone, as in O-MAKE's code.
    Softmax,
}

/// How the targets of a batch's queries are shared out among samples.
pub(super) struct TargetShares {
    beta: f64,
    of_unknown: OfUnknown,
    /// For each sample, the number of its lineage in `kernel`.
    places: Vec<usize>,
    is_known: Vec<bool>,
    /// `exp((S - 1) / temperature)` of two lineages.
    kernel: Vec<Vec<f64>>,
    /// For each lineage, the sum of the kernel over all keys.
    sums: Vec<f64>,
    n_keys: usize,
    /// The kernel of a sample whose similarity is 0.
    unrelated: f64,
}

impl TargetShares {
    /// `n_keys[i]` are the keys that sample i has.
    pub fn new(lineages: &[Lineage], n_keys: &[usize], targets: &OntologyTargets, of_unknown: OfUnknown) -> Self {
        let mut distinct: Vec<&Lineage> = Vec::new();
        let mut number_of = HashMap::new();
        let places: Vec<usize> = lineages
            .iter()
            .map(|lineage| {
                *number_of.entry(lineage).or_insert_with(|| {
                    distinct.push(lineage);
                    distinct.len() - 1
                })
            })
            .collect();
        let kernel_of = |similarity: f64| ((similarity - 1.0) / targets.temperature).exp();
        let kernel: Vec<Vec<f64>> = distinct
            .iter()
            .map(|own| distinct.iter().map(|other| kernel_of(own.similarity(other))).collect())
            .collect();
        let mut keys_of_places = vec![0; distinct.len()];
        for (&place, &n) in places.iter().zip(n_keys) {
            keys_of_places[place] += n;
        }
        let sum = |row: &Vec<f64>| row.iter().zip(&keys_of_places).map(|(value, &n)| value * n as f64).sum::<f64>();
        Self {
            beta: targets.beta,
            of_unknown,
            is_known: lineages.iter().map(Lineage::is_known).collect(),
            sums: kernel.iter().map(sum).collect(),
            n_keys: n_keys.iter().sum(),
            unrelated: kernel_of(0.0),
            places,
            kernel,
        }
    }

    /// Share of a target of sample `sample` that is its own key's, beside what [`Self::of_samples`] gives it.
    pub fn own(&self, sample: usize) -> f64 {
        match (self.is_known[sample], self.of_unknown) {
            (true, _) => 1.0 - self.beta,
            (false, OfUnknown::OneHot) => 1.0,
            (false, OfUnknown::Softmax) => {
                1.0 - self.beta + self.beta * (1.0 - self.unrelated) / self.sum_of_unknown()
            }
        }
    }

    /// Shares of the targets of some samples, times `weights`, that each key of each sample gets.
    ///
    /// # Shapes
    /// - `weights`: one number for each of `samples`
    /// - returns `[samples, B]`, row by row
    pub fn of_samples(&self, samples: Range<usize>, weights: &[f32]) -> Vec<f32> {
        let mut shares = Vec::with_capacity(samples.len() * self.places.len());
        for (sample, &weight) in samples.zip(weights) {
            let place = self.places[sample];
            let factor = self.beta * f64::from(weight);
            match (self.is_known[sample], self.of_unknown) {
                // A sample without keys of its own has no queries either.
                (true, _) if self.sums[place] > 0.0 => {
                    let factor = factor / self.sums[place];
                    shares.extend(self.places.iter().map(|&other| (factor * self.kernel[place][other]) as f32));
                }
                (false, OfUnknown::Softmax) => {
                    let share = (factor * self.unrelated / self.sum_of_unknown()) as f32;
                    shares.extend(std::iter::repeat_n(share, self.places.len()));
                }
                _ => shares.extend(std::iter::repeat_n(0.0, self.places.len())),
            }
        }
        shares
    }

    /// The own key counts once, all others as unrelated.
    fn sum_of_unknown(&self) -> f64 {
        1.0 + (self.n_keys as f64 - 1.0) * self.unrelated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineages() -> Vec<Lineage> {
        [&[0, 1, 2][..], &[0, 1, 3], &[0, 1, 2], &[], &[4, 5]].map(Lineage::new).into()
    }

    #[test]
    fn the_shares_of_a_target_add_up_to_one() {
        let n_keys = [3, 1, 2, 4, 2];
        let targets = OntologyTargets { temperature: 0.3, ..OntologyTargets::default() };
        for of_unknown in [OfUnknown::OneHot, OfUnknown::Softmax] {
            let shares = TargetShares::new(&lineages(), &n_keys, &targets, of_unknown);
            for sample in 0..5 {
                let given = shares.of_samples(sample..sample + 1, &[1.0]);
                let sum: f64 = given.iter().zip(n_keys).map(|(&share, n)| f64::from(share) * n as f64).sum();
                assert!((sum + shares.own(sample) - 1.0).abs() < 1e-6, "{of_unknown:?}, sample {sample}");
            }
        }
    }

    #[test]
    fn related_diagnoses_get_more_and_an_unknown_one_shares_nothing() {
        let targets = OntologyTargets { temperature: 0.5, ..OntologyTargets::default() };
        let shares = TargetShares::new(&lineages(), &[1; 5], &targets, OfUnknown::OneHot);
        let of_wart = shares.of_samples(0..1, &[2.0]);
        // 2 beta / Z for itself and its equal; exp((2/3 - 1) / 0.5) of that for its sibling.
        let kernel = |similarity: f32| ((similarity - 1.0) / 0.5).exp();
        let sum = 2.0 + kernel(2.0 / 3.0) + 2.0 * kernel(0.0);
        for (share, expected) in of_wart.iter().zip([1.0, kernel(2.0 / 3.0), 1.0, kernel(0.0), kernel(0.0)]) {
            assert!((share - expected / sum).abs() < 1e-6, "{of_wart:?}");
        }
        assert_eq!((shares.of_samples(3..4, &[1.0]), shares.own(3)), (vec![0.0; 5], 1.0));
    }

    #[test]
    fn beta_falls_along_half_a_cosine() {
        let targets = OntologyTargets { decay_epochs: Some(4), ..OntologyTargets::default() };
        let betas: Vec<f64> = (0..6).map(|epoch| targets.at_epoch(epoch).beta).collect();
        let quarter = (std::f64::consts::PI / 4.0).cos();
        for (beta, expected) in betas.iter().zip([1.0, 0.5 + quarter / 2.0, 0.5, 0.5 - quarter / 2.0, 0.0, 0.0]) {
            assert!((beta - 0.5 * expected).abs() < 1e-12, "{betas:?}");
        }
        assert_eq!(OntologyTargets::default().at_epoch(9), OntologyTargets::default());
    }

    #[test]
    fn constants_without_targets_are_refused() {
        for (targets, expected) in [
            (OntologyTargets { temperature: 0.0, ..Default::default() }, "temperature is 0"),
            (OntologyTargets { beta: 1.5, ..Default::default() }, "beta is 1.5"),
            (OntologyTargets { beta: f64::NAN, ..Default::default() }, "beta is NaN"),
            (OntologyTargets { decay_epochs: Some(0), ..Default::default() }, "decay_epochs is 0"),
        ] {
            let error = targets.validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        OntologyTargets::default().validate().unwrap();
    }
}
