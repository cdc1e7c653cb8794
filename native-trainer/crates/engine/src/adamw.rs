//! The constants of AdamW and of one of its steps, as the update on the CPU and the kernel on a GPU read them.

use anyhow::{Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Constants of AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdamWConfig {
    /// Decay of the first moment, the mean of the gradients.
    #[serde(default = "default_beta1")]
    pub beta1: f64,
    /// Decay of the second moment, the mean of their squares.
    #[serde(default = "default_beta2")]
    pub beta2: f64,
    /// Added to the root of the second moment, so that nothing is divided by 0.
    #[serde(default = "default_eps")]
    pub eps: f64,
    /// Decoupled weight decay: a step multiplies matrices by 1 - learning rate * weight_decay. Gains, biases and the logit
    /// scale have none.
    pub weight_decay: f64,
    /// Largest L2 norm of all gradients together; no limit when absent.
    #[serde(default)]
    pub clip_norm: Option<f64>,
}

fn default_beta1() -> f64 {
    0.9
}

fn default_beta2() -> f64 {
    0.98
}

fn default_eps() -> f64 {
    1e-6
}

impl AdamWConfig {
    /// # Errors
    /// Names a constant with which there is no update.
    pub fn validate(&self) -> Result<()> {
        let Self { beta1, beta2, eps, weight_decay, clip_norm } = self;
        for (name, beta) in [("beta1", beta1), ("beta2", beta2)] {
            ensure!((0.0..1.0).contains(beta), "{name} is {beta}, expected 0 or more and below 1");
        }
        ensure!(*eps > 0.0 && eps.is_finite(), "eps is {eps}, expected a positive number");
        ensure!(
            *weight_decay >= 0.0 && weight_decay.is_finite(),
            "weight_decay is {weight_decay}, expected 0 or more"
        );
        match clip_norm {
            Some(norm) if !(*norm > 0.0 && norm.is_finite()) => {
                bail!("clip_norm is {norm}, expected a positive number, or nothing for no limit")
            }
            _ => Ok(()),
        }
    }
}

/// Neighboring values of the flat arrays that are updated alike.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamWGroup {
    pub range: Range<usize>,
    /// Whether weight decay applies.
    pub is_decayed: bool,
    /// Factor of the learning rate.
    pub rate_factor: f64,
}

/// What one step is made with, besides the arrays.
#[derive(Clone, Copy, Debug)]
pub struct AdamWStep<'a> {
    pub config: &'a AdamWConfig,
    /// Every value is in one of them.
    pub groups: &'a [AdamWGroup],
    pub learning_rate: f64,
    /// The first step is number 1.
    pub number: u64,
}

impl AdamWStep<'_> {
    /// Returns the bias corrections of both moments, `1 - beta^t` in step t.
    pub fn corrections(&self) -> [f64; 2] {
        [self.config.beta1, self.config.beta2].map(|beta| 1.0 - beta.powf(self.number as f64))
    }
}
