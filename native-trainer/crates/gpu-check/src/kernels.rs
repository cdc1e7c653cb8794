//! Compares every operation in bf16, f16 and f32, candle's products, the optimizer, and both towers with the CPU's.

use super::check::answers;
use super::comparisons::Comparisons;
use super::gradients::small_config;
use super::report::NotHere;
use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use dermake_engine::Rounding;
use dermake_engine::cuda::check::{Finding, compare_adamw, compare_operations, compare_towers, compare_uploads};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use shared_model::config::ClipConfig;

/// # Errors
/// When something differs or fails; what comes after it is compared all the same, while the device works.
pub fn check(device: &Device, config: &ClipConfig, seed: u64) -> Result<Value> {
    let Device::Cuda(cuda) = device else { bail!(NotHere("the device is the CPU".into())) };
    let small = small_config()?;
    let mut found = Comparisons::default();
    add(&mut found, "optimizer", compare_adamw(cuda, 1_000_003, seed));
    add(&mut found, "copies", compare_uploads(cuda, seed));
    add(&mut found, "candle", compare_products(device, seed));
    for (name, rounding) in [("bf16", Rounding::Bf16), ("f16", Rounding::F16), ("f32", Rounding::None)] {
        // The CPU's side takes seconds.
        if !answers(device) {
            break;
        }
        let operations = compare_operations(cuda, config, rounding, seed);
        add(&mut found, &format!("operations in {name}"), operations);
        add(&mut found, &format!("towers in {name}"), compare_towers(cuda, &small, rounding, seed));
    }
    found.judged()
}

/// Compares candle's products in f32, of which losses and their gradients are made. Candle asks cuBLAS for an algorithm
/// that may, says NVIDIA, compute in f16: that would cost digits, and the small gradients of logits altogether.
fn compare_products(device: &Device, seed: u64) -> Result<Vec<Finding>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut random = |shape: (usize, usize), scale: f32| {
        let values = (0..shape.0 * shape.1).map(|_| scale * rng.random_range(-1.0..1.0f32)).collect();
        Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu)
    };
    let products = [("features", 1.0), ("gradients of logits", 3e-8)].map(|(name, scale)| -> Result<Finding> {
        let (left, right) = (random((96, 512), scale)?, random((512, 160), 1.0)?);
        let product = |device: &Device| -> Result<Vec<f32>> {
            Ok(left.to_device(device)?.matmul(&right.to_device(device)?)?.flatten_all()?.to_vec1()?)
        };
        Ok(Finding::new(format!("product of {name}"), &product(device)?, &product(&Device::Cpu)?, 1e-5))
    });
    products.into_iter().collect()
}

fn add(found: &mut Comparisons, of: &str, findings: Result<Vec<Finding>>) {
    let findings = match findings {
        Ok(findings) => findings,
        Err(err) => return found.failed(of, &err),
    };
    for finding in findings {
        let Finding { name, error, tolerance } = &finding;
        let wrong = format!("{of}: {name} differs by {error:.2e}, where {tolerance:.0e} is allowed");
        let row = json!({"of": of, "name": name, "error": error, "tolerance": tolerance});
        found.add(row, (!finding.is_within()).then_some(wrong));
    }
}
