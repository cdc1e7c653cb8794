//! AdamW whose state is open: decoupled weight decay, bias correction, moments by parameter name.

use super::model::{Gradients, LOGIT_SCALE};
use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Constants of AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamWConfig {
    #[serde(default = "default_beta1")]
    pub beta1: f64,
    #[serde(default = "default_beta2")]
    pub beta2: f64,
    #[serde(default = "default_eps")]
    pub eps: f64,
    /// Share of a decayed parameter that a step at learning rate 1 would take away.
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

/// First and second moments of every parameter, and how many steps they have seen.
pub struct AdamW {
    config: AdamWConfig,
    moments: BTreeMap<String, Moments>,
    steps: u64,
}

struct Moments {
    first: Var,
    second: Var,
}

/// The reference's exclusion rule: no decay for parameters of rank below 2, or with one of these words in the name.
pub fn is_decayed(name: &str, rank: usize) -> bool {
    rank >= 2 && !["bn", "ln", "bias", LOGIT_SCALE].iter().any(|word| name.contains(word))
}

/// Prefixes of the moments' names in a checkpoint.
const FIRST: &str = "first_moment.";
const SECOND: &str = "second_moment.";

impl AdamW {
    pub fn new(config: AdamWConfig, parameters: &BTreeMap<String, Var>) -> Result<Self> {
        let zeros = |(name, var): (&String, &Var)| -> Result<(String, Moments)> {
            let zeros = || Ok::<_, anyhow::Error>(Var::from_tensor(&var.zeros_like()?)?);
            Ok((name.clone(), Moments { first: zeros()?, second: zeros()? }))
        };
        Ok(Self { config, moments: parameters.iter().map(zeros).collect::<Result<_>>()?, steps: 0 })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One update of every parameter that has a gradient, after clipping the gradients where the config asks for it.
    ///
    /// Returns the L2 norm of all gradients together, before clipping.
    ///
    /// # Errors
    /// When the norm is not finite; nothing has been changed then.
    pub fn step(
        &mut self,
        parameters: &BTreeMap<String, Var>,
        gradients: &mut Gradients,
        learning_rate: f64,
    ) -> Result<f64> {
        let norm = gradients.norm()?;
        ensure!(norm.is_finite(), "the gradient norm is {norm}");
        if let Some(max_norm) = self.config.clip_norm {
            gradients.clip(norm, max_norm)?;
        }
        self.steps += 1;
        let AdamWConfig { beta1, beta2, eps, weight_decay, .. } = self.config;
        let correction = |beta: f64| 1.0 - beta.powf(self.steps as f64);
        let (correction1, correction2) = (correction(beta1), correction(beta2));
        for (name, parameter) in parameters {
            let Some(gradient) = gradients.0.get(name) else { continue };
            let moments =
                self.moments.get(name).with_context(|| format!("the optimizer has no moments of {name}"))?;
            let decay = if is_decayed(name, parameter.rank()) { weight_decay } else { 0.0 };
            let update = Update {
                kept: 1.0 - learning_rate * decay,
                rate: learning_rate / correction1,
                second_correction: correction2,
                eps,
            };
            let gradient = gradient.contiguous()?;
            match parameter.device() {
                Device::Cpu => {
                    moments.first.inplace_op2(&gradient, &Blend { beta: beta1, is_squared: false })?;
                    moments.second.inplace_op2(&gradient, &Blend { beta: beta2, is_squared: true })?;
                    parameter.inplace_op3(&moments.first, &moments.second, &update)?;
                }
                _ => {
                    let first = ((moments.first.as_tensor() * beta1)? + (&gradient * (1.0 - beta1))?)?;
                    let second = ((moments.second.as_tensor() * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
                    let root = ((&second / update.second_correction)?.sqrt()? + eps)?;
                    let moved = ((parameter.as_tensor() * update.kept)? - ((&first / root)? * update.rate)?)?;
                    moments.first.set(&first)?;
                    moments.second.set(&second)?;
                    parameter.set(&moved)?;
                }
            }
        }
        Ok(norm)
    }

    /// The moments as named tensors, for a checkpoint.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let named = |(name, moments): (&String, &Moments)| {
            [
                (format!("{FIRST}{name}"), moments.first.as_tensor().clone()),
                (format!("{SECOND}{name}"), moments.second.as_tensor().clone()),
            ]
        };
        self.moments.iter().flat_map(named).collect()
    }

    /// Takes up the moments of a checkpoint.
    ///
    /// # Errors
    /// When a moment is missing or has another shape than its parameter; nothing has been changed then.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>, steps: u64) -> Result<()> {
        let find = |prefix: &str, name: &str, var: &Var| -> Result<Tensor> {
            let key = format!("{prefix}{name}");
            let tensor = state.get(&key).with_context(|| format!("the optimizer state has no {key}"))?;
            if tensor.dims() != var.dims() {
                bail!("{key} is {:?}, expected {:?}", tensor.dims(), var.dims());
            }
            Ok(tensor.to_device(var.device())?)
        };
        let mut found = Vec::with_capacity(self.moments.len());
        for (name, moments) in &self.moments {
            found.push((moments, find(FIRST, name, &moments.first)?, find(SECOND, name, &moments.second)?));
        }
        for (moments, first, second) in found {
            moments.first.set(&first)?;
            moments.second.set(&second)?;
        }
        self.steps = steps;
        Ok(())
    }
}

/// `moment = beta * moment + (1 - beta) * gradient`, or of its square.
struct Blend {
    beta: f64,
    is_squared: bool,
}

/// `parameter = parameter * kept - rate * first / (sqrt(second / second_correction) + eps)`.
struct Update {
    kept: f64,
    rate: f64,
    second_correction: f64,
    eps: f64,
}

/// The CPU forms, one pass each instead of candle's one pass an operation.
mod in_place {
    use super::{Blend, Update};
    use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Result};
    use rayon::prelude::*;

    const VALUES_PER_TASK: usize = 1 << 16;

    impl InplaceOp2 for Blend {
        fn name(&self) -> &'static str {
            "adamw_moment"
        }

        fn cpu_fwd(
            &self,
            moment: &mut CpuStorage,
            moment_layout: &Layout,
            gradient: &CpuStorage,
            gradient_layout: &Layout,
        ) -> Result<()> {
            let moment = values_mut(moment, moment_layout)?;
            let gradient = values(gradient, gradient_layout)?;
            let (beta, rest) = (self.beta as f32, (1.0 - self.beta) as f32);
            let tasks = moment.par_chunks_mut(VALUES_PER_TASK).zip(gradient.par_chunks(VALUES_PER_TASK));
            tasks.for_each(|(moment, gradient)| {
                let pairs = moment.iter_mut().zip(gradient);
                match self.is_squared {
                    true => pairs.for_each(|(m, g)| *m = beta * *m + rest * g * g),
                    false => pairs.for_each(|(m, g)| *m = beta * *m + rest * g),
                }
            });
            Ok(())
        }
    }

    impl InplaceOp3 for Update {
        fn name(&self) -> &'static str {
            "adamw_update"
        }

        fn cpu_fwd(
            &self,
            parameter: &mut CpuStorage,
            parameter_layout: &Layout,
            first: &CpuStorage,
            first_layout: &Layout,
            second: &CpuStorage,
            second_layout: &Layout,
        ) -> Result<()> {
            let parameter = values_mut(parameter, parameter_layout)?;
            let (first, second) = (values(first, first_layout)?, values(second, second_layout)?);
            let (kept, rate, eps) = (self.kept as f32, self.rate as f32, self.eps as f32);
            let inverse_root = (1.0 / self.second_correction.sqrt()) as f32;
            let tasks = parameter.par_chunks_mut(VALUES_PER_TASK).zip(first.par_chunks(VALUES_PER_TASK));
            tasks.zip(second.par_chunks(VALUES_PER_TASK)).for_each(|((parameter, first), second)| {
                for ((p, m), v) in parameter.iter_mut().zip(first).zip(second) {
                    *p = *p * kept - rate * m / (v.sqrt() * inverse_root + eps);
                }
            });
            Ok(())
        }
    }

    fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
        match layout.contiguous_offsets() {
            Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
            None => candle_core::bail!("the optimizer was given a strided tensor"),
        }
    }

    fn values_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
        match (layout.contiguous_offsets(), storage) {
            (Some((start, end)), CpuStorage::F32(values)) => Ok(&mut values[start..end]),
            _ => candle_core::bail!("the optimizer was given a strided tensor or another type than f32"),
        }
    }
}
