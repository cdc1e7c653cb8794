//! The learning rate of a step, a pure function of the step.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Warm-up, then one of open_clip's schedules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The learning rate that warm-up ends at.
    pub learning_rate: f64,
    /// Steps over which the learning rate grows linearly.
    #[serde(default)]
    pub warmup_steps: u64,
    #[serde(default)]
    pub shape: Shape,
}

/// What follows warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// Half a cosine down to nearly 0 at the last step.
    #[default]
    Cosine,
    Constant,
    /// Constant, then polynomially down to `end` over the last `steps`.
    ConstantCooldown {
        steps: u64,
        power: f64,
        end: f64,
    },
}

impl Schedule {
    /// The learning rate of `step`, from 0, of `total_steps`.
    pub fn at(&self, step: u64, total_steps: u64) -> f64 {
        let base = self.learning_rate;
        if step < self.warmup_steps {
            return base * (step + 1) as f64 / self.warmup_steps as f64;
        }
        match self.shape {
            Shape::Constant => base,
            Shape::Cosine => {
                let (done, length) = (step - self.warmup_steps, total_steps - self.warmup_steps);
                0.5 * (1.0 + (PI * done as f64 / length as f64).cos()) * base
            }
            Shape::ConstantCooldown { steps, power, end } => {
                let start = total_steps.saturating_sub(steps);
                if step < start {
                    return base;
                }
                let done = (step - start) as f64 / (total_steps - start) as f64;
                (1.0 - done).powf(power) * (base - end) + end
            }
        }
    }
}
