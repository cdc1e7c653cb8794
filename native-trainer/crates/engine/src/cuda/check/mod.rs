//! Compares every operation on a GPU with the CPU's, on the same numbers; then both towers.

mod compare;
mod outputs;
mod towers;
mod uploads;

use super::adamw::adamw_step;
use super::flat::CudaOps;
use super::gpu::Gpu;
use crate::adamw::{AdamWConfig, AdamWGroup, AdamWStep};
use crate::cpu::CpuOps;
use crate::cuda::element::Element;
use crate::layout::ParameterLayout;
use crate::rounding::Rounding;
use anyhow::Result;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{CudaDevice, Device, Tensor};
pub use compare::Finding;
use compare::{Random, compare_gradients, compare_named, layout};
use half::{bf16, f16};
use outputs::outputs;
use shared_model::config::ClipConfig;
pub use towers::compare_towers;
pub use uploads::compare_uploads;

/// Compares every operation for the layers of a model. The first block of each tower is enough.
///
/// # Errors
/// When an operation fails.
pub fn compare_operations(
    device: &CudaDevice,
    config: &ClipConfig,
    rounding: Rounding,
    seed: u64,
) -> Result<Vec<Finding>> {
    let layout = layout(config);
    let weights = Random::new(seed, rounding).values(layout.len(), 0.1);
    let inputs = || Random::new(seed + 1, rounding);
    let mut gradients = vec![0f32; layout.len()];
    let expected =
        outputs(&mut CpuOps::new(&weights, &weights, &mut gradients, rounding), &layout, config, inputs())?;

    let gpu = Gpu::of(device)?;
    let masters = gpu.upload(&weights)?;
    let mut gpu_gradients = gpu.stream().alloc_zeros(layout.len())?;
    let (on_gpu, given) = ((&*gpu, &masters, &mut gpu_gradients), (&weights[..], &layout, config, inputs()));
    let found = match rounding {
        Rounding::Bf16 => found_on_gpu::<bf16>(on_gpu, given)?,
        Rounding::F16 => found_on_gpu::<f16>(on_gpu, given)?,
        Rounding::None => found_on_gpu::<f32>(on_gpu, given)?,
    };
    let gpu_gradients = gpu.stream().clone_dtoh(&gpu_gradients)?;
    gpu.stream().synchronize()?;

    let tolerance = match rounding {
        Rounding::Bf16 => 1e-2,
        Rounding::F16 => 2e-3,
        Rounding::None => 1e-4,
    };
    let mut findings = compare_named(&found, &expected, tolerance);
    findings.extend(compare_gradients(&layout, &gpu_gradients, &gradients, tolerance));
    Ok(findings)
}

/// The outputs of all operations on a GPU, in T.
fn found_on_gpu<T: Element>(
    (gpu, masters, gradients): (&Gpu, &CudaSlice<f32>, &mut CudaSlice<f32>),
    (weights, layout, config, inputs): (&[f32], &ParameterLayout, &ClipConfig, Random),
) -> Result<Vec<(String, Vec<f32>)>> {
    let copies: Vec<T> = weights.iter().map(|&weight| T::from_f32(weight)).collect();
    let copies = gpu.upload(&copies)?;
    outputs(&mut CudaOps::new(gpu, &copies, masters, Some(gradients)), layout, config, inputs)
}

/// Compares one step of AdamW, with clipping, with its formula in f64.
///
/// # Errors
/// When a kernel fails.
pub fn compare_adamw(device: &CudaDevice, n: usize, seed: u64) -> Result<Vec<Finding>> {
    let mut random = Random::new(seed, Rounding::None);
    let [parameters, first, gradients] = [1.0, 0.1, 0.5].map(|scale| random.values(n, scale));
    let second: Vec<f32> = random.values(n, 0.1).into_iter().map(f32::abs).collect();
    let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, clip_norm: Some(1.0) };
    let group = |range, is_decayed| AdamWGroup { range, is_decayed, rate_factor: 1.0 };
    let groups = [group(0..n / 2, true), group(n / 2..n, false)];
    let step = AdamWStep { config: &config, groups: &groups, learning_rate: 1e-2, number: 3 };
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
        let decay = if i < n / 2 { 1.0 - 1e-3 } else { 1.0 };
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
