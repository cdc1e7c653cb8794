//! Compares every operation on a GPU with the CPU's, on the same numbers; then both towers.

mod outputs;
mod towers;

use super::adamw::adamw_step;
use super::flat::CudaOps;
use super::gpu::Gpu;
use crate::adamw::{AdamWConfig, AdamWStep};
use crate::cpu::CpuOps;
use crate::layout::ParameterLayout;
use anyhow::Result;
use candle_core::{CudaDevice, Device, Tensor};
use half::bf16;
use outputs::outputs;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared_model::config::ClipConfig;
pub use towers::compare_towers;

/// The difference between a result on the GPU and on the CPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub name: String,
    /// Norm of the difference over that of the CPU's result; NaN where a value is not a number.
    pub error: f64,
    pub tolerance: f64,
}

impl Finding {
    pub fn new(name: impl Into<String>, found: &[f32], expected: &[f32], tolerance: f64) -> Self {
        let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
        let mut differences = found.iter().zip(expected).map(|(a, b)| f64::from(*a) - f64::from(*b));
        let difference = if found.len() == expected.len() { norm(&mut differences) } else { f64::NAN };
        let error = difference / norm(&mut expected.iter().copied().map(f64::from)).max(1e-30);
        Self { name: name.into(), error, tolerance }
    }

    pub fn is_within(&self) -> bool {
        self.error <= self.tolerance
    }
}

/// Numbers that both sides start from: the same for the same seed.
pub struct Random {
    rng: ChaCha8Rng,
    is_bf16: bool,
}

impl Random {
    pub fn new(seed: u64, is_bf16: bool) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), is_bf16 }
    }

    pub fn values(&mut self, len: usize, scale: f32) -> Vec<f32> {
        let round = |value: f32| if self.is_bf16 { bf16::from_f32(value).to_f32() } else { value };
        (0..len).map(|_| round(scale * self.rng.random_range(-1.0..1.0f32))).collect()
    }
}

/// Compares every operation for the layers of a model, in bf16 or f32. The first block of each tower is enough.
///
/// # Errors
/// When an operation fails.
pub fn compare_operations(
    device: &CudaDevice,
    config: &ClipConfig,
    is_bf16: bool,
    seed: u64,
) -> Result<Vec<Finding>> {
    let layout = layout(config);
    let weights = Random::new(seed, is_bf16).values(layout.len(), 0.1);
    let inputs = || Random::new(seed + 1, is_bf16);
    let mut gradients = vec![0f32; layout.len()];
    let expected =
        outputs(&mut CpuOps::new(&weights, &weights, &mut gradients, is_bf16), &layout, config, inputs())?;

    let gpu = Gpu::of(device)?;
    let masters = gpu.upload(&weights)?;
    let mut gpu_gradients = gpu.stream().alloc_zeros(layout.len())?;
    let found = if is_bf16 {
        let copies: Vec<bf16> = weights.iter().map(|&weight| bf16::from_f32(weight)).collect();
        let copies = gpu.upload(&copies)?;
        outputs(&mut CudaOps::new(&gpu, &copies, &masters, Some(&mut gpu_gradients)), &layout, config, inputs())?
    } else {
        outputs(&mut CudaOps::new(&gpu, &masters, &masters, Some(&mut gpu_gradients)), &layout, config, inputs())?
    };
    let gpu_gradients = gpu.stream().clone_dtoh(&gpu_gradients)?;
    gpu.stream().synchronize()?;

    let tolerance = if is_bf16 { 1e-2 } else { 1e-4 };
    let mut findings = compare_named(&found, &expected, tolerance);
    findings.extend(compare_gradients(&layout, &gpu_gradients, &gradients, tolerance));
    Ok(findings)
}

fn layout(config: &ClipConfig) -> ParameterLayout {
    let parameters: Vec<_> = config.vision_parameters().into_iter().chain(config.text_parameters()).collect();
    ParameterLayout::new(&parameters, |_, rank| rank >= 2)
}

fn compare_named(found: &[(String, Vec<f32>)], expected: &[(String, Vec<f32>)], tolerance: f64) -> Vec<Finding> {
    let pairs = found.iter().zip(expected);
    pairs.map(|((name, found), (_, expected))| Finding::new(name, found, expected, tolerance)).collect()
}

/// The gradients that are not zero.
fn compare_gradients(layout: &ParameterLayout, found: &[f32], expected: &[f32], tolerance: f64) -> Vec<Finding> {
    let of = |(name, span): (&str, &crate::Span)| {
        let (found, expected) = (&found[span.range()], &expected[span.range()]);
        let is_used = expected.iter().any(|&value| value != 0.0);
        is_used.then(|| Finding::new(format!("gradient of {name}"), found, expected, tolerance))
    };
    layout.iter().filter_map(of).collect()
}

/// Compares one step of AdamW, with clipping, with its formula in f64.
///
/// # Errors
/// When a kernel fails.
pub fn compare_adamw(device: &CudaDevice, n: usize, seed: u64) -> Result<Vec<Finding>> {
    let mut random = Random::new(seed, false);
    let [parameters, first, gradients] = [1.0, 0.1, 0.5].map(|scale| random.values(n, scale));
    let second: Vec<f32> = random.values(n, 0.1).into_iter().map(f32::abs).collect();
    let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, clip_norm: Some(1.0) };
    let step = AdamWStep { config: &config, learning_rate: 1e-2, n_decayed: n / 2, number: 3 };
    let [first_correction, second_correction] = [0.9f64, 0.98].map(|beta| 1.0 - beta.powi(3));
    let device = Device::Cuda(device.clone());
    let on_gpu = |values: &[f32]| Tensor::new(values, &device);
    let (p, m, v, g) = (on_gpu(&parameters)?, on_gpu(&first)?, on_gpu(&second)?, on_gpu(&gradients)?);
    let norm = adamw_step(&p, &m, &v, &g, &step)?;
    let expected_norm = gradients.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt();
    let factor = (1.0 / (expected_norm + 1e-6)).min(1.0);
    let (mut moved, mut new_first, mut new_second) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..n {
        let [p, m, v, g] = [parameters[i], first[i], second[i], gradients[i]].map(f64::from);
        let g = g * factor;
        let (m, v) = (0.9 * m + 0.1 * g, 0.98 * v + 0.02 * g * g);
        let decay = if i < step.n_decayed { 1.0 - 1e-3 } else { 1.0 };
        moved.push((p * decay - 1e-2 / first_correction * m / ((v / second_correction).sqrt() + 1e-6)) as f32);
        new_first.push(m as f32);
        new_second.push(v as f32);
    }
    Ok(vec![
        Finding::new("gradient norm", &[norm as f32], &[expected_norm as f32], 1e-6),
        Finding::new("AdamW, parameters", &p.to_vec1::<f32>()?, &moved, 1e-6),
        Finding::new("AdamW, first moments", &m.to_vec1::<f32>()?, &new_first, 1e-6),
        Finding::new("AdamW, second moments", &v.to_vec1::<f32>()?, &new_second, 1e-6),
    ])
}
