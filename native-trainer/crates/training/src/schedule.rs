//! The learning rate of a step, a pure function of the step.

use super::place::{Depth, n_blocks, place};
use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared_model::config::ClipConfig;
use std::f64::consts::PI;

/// Warm-up, then one of open_clip's schedules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The learning rate after warm-up.
    pub learning_rate: f64,
    /// Steps over which the learning rate grows linearly.
    #[serde(default)]
    pub warmup_steps: u64,
    #[serde(default)]
    pub shape: Shape,
    /// Factor of the learning rate from each block to the block before it, in both towers; heads and logit scale have
    /// the whole rate (as in BEiT, arXiv 2106.08254).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub layer_decay: f64,
}

fn one() -> f64 {
    1.0
}

fn is_one(factor: &f64) -> bool {
    *factor == 1.0
}

/// Shape of the learning rate after warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// Half a cosine down to nearly 0 at the last step.
    #[default]
    Cosine,
    /// The same from the warm-up to the end.
    Constant,
    /// Constant, then polynomially down to `end` over the last `steps`.
    ConstantCooldown {
        /// Steps of the way down, the last ones of the run.
        steps: u64,
        /// Exponent of the way down: 1 is a straight line.
        power: f64,
        /// The learning rate at the end.
        end: f64,
    },
}

impl Schedule {
    /// # Errors
    /// Names a number with which there is no learning rate.
    pub fn validate(&self) -> Result<()> {
        let Self { learning_rate, .. } = self;
        ensure!(
            *learning_rate > 0.0 && learning_rate.is_finite(),
            "learning_rate is {learning_rate}, expected a positive number"
        );
        let layer_decay = self.layer_decay;
        ensure!(
            layer_decay > 0.0 && layer_decay <= 1.0,
            "layer_decay is {layer_decay}, expected a number above 0 and at most 1"
        );
        if let Shape::ConstantCooldown { steps, power, end } = self.shape {
            ensure!(steps > 0, "shape.steps is 0, expected at least 1");
            ensure!(power > 0.0 && power.is_finite(), "shape.power is {power}, expected a positive number");
            ensure!(end >= 0.0 && end.is_finite(), "shape.end is {end}, expected 0 or more");
        }
        Ok(())
    }

    /// Checks that every part of the schedule has its steps in a run of `total_steps`.
    ///
    /// # Errors
    /// Names the part that is longer than the run.
    pub fn check_length(&self, total_steps: u64) -> Result<()> {
        let cooldown = match self.shape {
            Shape::ConstantCooldown { steps, .. } => steps,
            _ => 0,
        };
        ensure!(
            self.warmup_steps <= total_steps,
            "schedule.warmup_steps is {}, but the run has {total_steps} steps: its learning rate would never be reached; \
             set schedule.warmup_steps to 0 or another smaller number, or train more epochs",
            self.warmup_steps
        );
        ensure!(
            self.warmup_steps + cooldown <= total_steps,
            "schedule.warmup_steps and schedule.shape.steps are {} and {cooldown}, but the run has {total_steps} steps",
            self.warmup_steps
        );
        Ok(())
    }

    /// The factor of a parameter's learning rate.
    ///
    /// The head of a tower has 1, its last block `layer_decay`, and the embeddings `layer_decay` to the power of the
    /// number of blocks plus one.
    pub fn rate_factor(&self, name: &str, config: &ClipConfig) -> f64 {
        let Some((tower, depth)) = place(name) else { return 1.0 };
        let n_blocks = n_blocks(config, tower);
        let n_above = match depth {
            Depth::Embeddings => n_blocks + 1,
            Depth::Block(block) => n_blocks - block,
            Depth::Head => 0,
        };
        self.layer_decay.powi(n_above as i32)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_fits_its_run() {
        let schedule =
            |warmup_steps, shape| Schedule { learning_rate: 1e-3, warmup_steps, shape, layer_decay: 1.0 };
        let cooldown = |steps| Shape::ConstantCooldown { steps, power: 1.0, end: 0.0 };
        assert!(schedule(10, Shape::Cosine).check_length(10).is_ok());
        assert!(schedule(4, cooldown(6)).check_length(10).is_ok());
        for (long, expected) in [
            (schedule(11, Shape::Cosine), "warmup_steps is 11, but the run has 10 steps"),
            (schedule(5, cooldown(6)), "are 5 and 6, but the run has 10 steps"),
        ] {
            let error = long.check_length(10).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn numbers_without_a_learning_rate_are_refused() {
        for (learning_rate, shape, expected) in [
            (0.0, Shape::Cosine, "learning_rate is 0"),
            (f64::INFINITY, Shape::Constant, "learning_rate is inf"),
            (1e-3, Shape::ConstantCooldown { steps: 0, power: 1.0, end: 0.0 }, "shape.steps is 0"),
            (1e-3, Shape::ConstantCooldown { steps: 1, power: f64::NAN, end: 0.0 }, "shape.power is NaN"),
            (1e-3, Shape::ConstantCooldown { steps: 1, power: 1.0, end: -1.0 }, "shape.end is -1"),
        ] {
            let schedule = Schedule { learning_rate, warmup_steps: 0, shape, layer_decay: 1.0 };
            let error = schedule.validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        for layer_decay in [0.0, -0.5, 1.1, f64::NAN] {
            let shape = Shape::Constant;
            let error =
                Schedule { learning_rate: 1e-3, warmup_steps: 0, shape, layer_decay }.validate().unwrap_err();
            assert!(error.to_string().contains("layer_decay is"), "{error}");
        }
    }

    #[test]
    fn learning_rates_fall_from_the_head_to_the_embeddings() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let schedule = Schedule { learning_rate: 1.0, warmup_steps: 0, shape: Shape::Constant, layer_decay: 0.5 };
        for (name, expected) in [
            ("logit_scale", 0),
            ("visual.proj", 0),
            ("text_projection", 0),
            ("visual.transformer.resblocks.11.ln_1.weight", 1),
            ("transformer.resblocks.0.ln_1.weight", 12),
            ("token_embedding.weight", 13),
        ] {
            assert_eq!(schedule.rate_factor(name, &config), 0.5f64.powi(expected), "{name}");
        }
    }
}
