//! AdamW with decoupled weight decay and bias correction, over flat arrays. Its moments go into checkpoints by key.

use super::model::Gradients;
use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Device, Tensor};
pub use dermake_engine::AdamWConfig;
#[cfg(feature = "cuda")]
use dermake_engine::cuda::adamw_step;
use dermake_engine::{AdamWGroup, AdamWStep, ParameterLayout};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// First and second moments of every parameter that is not locked, and how many steps they have seen.
pub struct AdamW {
    config: AdamWConfig,
    layout: Arc<ParameterLayout>,
    groups: Vec<AdamWGroup>,
    /// Flat, f32.
    first: Tensor,
    second: Tensor,
    steps: u64,
}

/// The norm of gradients that are not all finite, as an error.
#[derive(Debug)]
pub struct GradientNorm(pub f64);

impl fmt::Display for GradientNorm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the gradient norm is {}", self.0)
    }
}

impl Error for GradientNorm {}

/// Prefixes of the moments' names in a checkpoint.
const FIRST: &str = "first_moment.";
const SECOND: &str = "second_moment.";

impl AdamW {
    /// Moments of zero for the parameters of a layout.
    pub fn new(config: AdamWConfig, layout: Arc<ParameterLayout>, device: &Device) -> Result<Self> {
        let no_memory = "the moments of the parameters do not fit into the device's memory";
        let zeros = || Tensor::zeros(layout.n_trained(), DType::F32, device).context(no_memory);
        Ok(Self { config, first: zeros()?, second: zeros()?, groups: groups(&layout, |_| 1.0), layout, steps: 0 })
    }

    /// Multiplies the learning rate of each parameter with its factor.
    pub fn with_rate_factors(mut self, rate_factor: impl Fn(&str) -> f64) -> Self {
        self.groups = groups(&self.layout, rate_factor);
        self
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// First and second moments, flat.
    pub fn moments(&self) -> [&Tensor; 2] {
        [&self.first, &self.second]
    }

    /// Replaces the moments, which have seen `steps` steps.
    pub(super) fn set_moments(&mut self, [first, second]: [Tensor; 2], steps: u64) {
        (self.first, self.second, self.steps) = (first, second, steps);
    }

    /// Updates the flat `parameters`, after clipping the gradients if the config has a limit.
    ///
    /// Returns the L2 norm of all gradients together, before clipping.
    ///
    /// # Errors
    /// [`GradientNorm`] when the norm is not finite; nothing has been changed then.
    pub fn step(&mut self, parameters: &Tensor, gradients: &Gradients, learning_rate: f64) -> Result<f64> {
        #[cfg(feature = "cuda")]
        if parameters.device().is_cuda() {
            return self.step_on_gpu(parameters, gradients, learning_rate);
        }
        let norm = gradients.norm()?;
        ensure!(norm.is_finite(), GradientNorm(norm));
        let step = self.next_step(learning_rate);
        let [first_correction, second_correction] = step.corrections();
        let AdamWConfig { beta1, beta2, eps, weight_decay, clip_norm } = *step.config;
        // As `clip_grad_norm_` does.
        let clip = clip_norm.map_or(1.0, |max_norm| (max_norm / (norm + 1e-6)).min(1.0));
        for AdamWGroup { range, is_decayed, rate_factor } in step.groups {
            let learning_rate = learning_rate * rate_factor;
            let decay = if *is_decayed { weight_decay } else { 0.0 };
            let part = |flat: &Tensor| flat.narrow(0, range.start, range.len());
            let (first, second, parameters) = (part(&self.first)?, part(&self.second)?, part(parameters)?);
            let gradients = part(gradients.flat())?;
            let update = Update {
                kept: 1.0 - learning_rate * decay,
                rate: learning_rate / first_correction,
                second_correction,
                eps,
            };
            first.inplace_op2(&gradients, &Blend { beta: beta1, clip, is_squared: false })?;
            second.inplace_op2(&gradients, &Blend { beta: beta2, clip, is_squared: true })?;
            parameters.inplace_op3(&first, &second, &update)?;
        }
        self.steps += 1;
        Ok(norm)
    }

    fn next_step(&self, learning_rate: f64) -> AdamWStep<'_> {
        AdamWStep { config: &self.config, groups: &self.groups, learning_rate, number: self.steps + 1 }
    }

    /// The same in one kernel; the norm is copied back at the end.
    #[cfg(feature = "cuda")]
    fn step_on_gpu(&mut self, parameters: &Tensor, gradients: &Gradients, learning_rate: f64) -> Result<f64> {
        let step = self.next_step(learning_rate);
        let parameters = parameters.narrow(0, 0, self.layout.n_trained())?;
        let norm = adamw_step(&parameters, &self.first, &self.second, gradients.flat(), &step)?;
        ensure!(norm.is_finite(), GradientNorm(norm));
        self.steps += 1;
        Ok(norm)
    }

    /// The moments as named tensors, for a checkpoint.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        for (prefix, flat) in [(FIRST, &self.first), (SECOND, &self.second)] {
            for (name, span) in self.layout.iter_trained() {
                let moment = flat.narrow(0, span.start, span.n_values())?.reshape(span.shape.as_slice())?;
                state.insert(format!("{prefix}{name}"), moment);
            }
        }
        Ok(state)
    }

    /// Loads the moments of a checkpoint.
    ///
    /// # Errors
    /// When a moment is missing or has another shape than its parameter; nothing has been changed then.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>, steps: u64) -> Result<()> {
        let flat = |prefix: &str| -> Result<Tensor> {
            let mut values = vec![0f32; self.layout.n_trained()];
            for (name, span) in self.layout.iter_trained() {
                let key = format!("{prefix}{name}");
                let tensor = state.get(&key).with_context(|| format!("the optimizer state has no {key}"))?;
                if tensor.dims() != span.shape {
                    bail!("{key} is {:?}, expected {:?}", tensor.dims(), span.shape);
                }
                values[span.range()].copy_from_slice(&tensor.flatten_all()?.to_vec1::<f32>()?);
            }
            Ok(Tensor::from_vec(values, self.layout.n_trained(), self.first.device())?)
        };
        (self.first, self.second) = (flat(FIRST)?, flat(SECOND)?);
        self.steps = steps;
        Ok(())
    }
}

/// Neighboring parameters with the same factor and decay, in the order of the flat arrays.
fn groups(layout: &ParameterLayout, rate_factor: impl Fn(&str) -> f64) -> Vec<AdamWGroup> {
    let mut parameters: Vec<(usize, f64)> =
        layout.iter_trained().map(|(name, span)| (span.start, rate_factor(name))).collect();
    parameters.sort_unstable_by_key(|&(start, _)| start);
    let mut groups: Vec<AdamWGroup> = Vec::new();
    for (start, rate_factor) in parameters {
        let is_decayed = start < layout.n_decayed();
        match groups.last_mut() {
            Some(last) if last.rate_factor == rate_factor && last.is_decayed == is_decayed => {}
            last => {
                last.into_iter().for_each(|last| last.range.end = start);
                groups.push(AdamWGroup { range: start..layout.n_trained(), is_decayed, rate_factor });
            }
        }
    }
    groups
}

/// `moment = beta * moment + (1 - beta) * gradient`, or of its square; `clip` is the gradient's factor.
struct Blend {
    beta: f64,
    clip: f64,
    is_squared: bool,
}

/// `parameter = parameter * kept - rate * first / (sqrt(second / second_correction) + eps)`.
struct Update {
    kept: f64,
    rate: f64,
    second_correction: f64,
    eps: f64,
}

/// The CPU forms: one pass each.
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
            let (beta, clip) = (self.beta as f32, self.clip as f32);
            let rest = (1.0 - self.beta) as f32;
            let tasks = moment.par_chunks_mut(VALUES_PER_TASK).zip(gradient.par_chunks(VALUES_PER_TASK));
            tasks.for_each(|(moment, gradient)| {
                let pairs = moment.iter_mut().zip(gradient);
                match self.is_squared {
                    true => pairs.for_each(|(m, g)| *m = beta * *m + rest * (clip * g) * (clip * g)),
                    false => pairs.for_each(|(m, g)| *m = beta * *m + rest * (clip * g)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::config::Parameter;

    #[test]
    fn neighbors_that_are_updated_alike_are_one_group() {
        let parameter = |name: &str, shape: &[usize]| Parameter { name: name.into(), shape: shape.to_vec() };
        let parameters = [
            parameter("slow.weight", &[2, 2]),
            parameter("slow.bias", &[2]),
            parameter("fast.weight", &[2, 2]),
            parameter("fast.other.weight", &[2, 2]),
            parameter("locked", &[2, 2]),
        ];
        let layout =
            ParameterLayout::with_locked(&parameters, |_, rank| rank == 2, |name| name.starts_with("locked"));
        let group = |range, is_decayed, rate_factor| AdamWGroup { range, is_decayed, rate_factor };
        assert_eq!(groups(&layout, |_| 1.0), [group(0..192, true, 1.0), group(192..256, false, 1.0)]);
        let factor = |name: &str| if name.starts_with("slow") { 0.5 } else { 1.0 };
        assert_eq!(
            groups(&layout, factor),
            [group(0..64, true, 0.5), group(64..192, true, 1.0), group(192..256, false, 0.5)]
        );
    }
}
