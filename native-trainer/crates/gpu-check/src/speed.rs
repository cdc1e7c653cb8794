//! The speed of a device: its best, each kind of operation beside it, and whole steps.

use super::inputs::{Inputs, drawn_weights};
use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use dermake_engine::{
    Cost, CountingOps, Keep, Ops, ParameterLayout, Pass, ProjectedTokens, TimedOps, VisionEngine, no_values,
};
use dermake_objective::{Objective, Variant};
use dermake_training::estimate::{BatchSize, StepEstimate};
use dermake_training::model::{DeviceMemory, TrainedModel};
use dermake_training::optimizer::AdamW;
use dermake_training::parameters::is_decayed;
use dermake_training::recipe::Recipe;
use dermake_training::step::loss_and_gradients;
use serde_json::{Value, json};
use shared_model::config::ClipConfig;
use shared_model::weights::Placement;
use std::collections::BTreeMap;
use std::time::Instant;

/// Highest speeds of a device.
#[derive(Clone, Copy, Debug)]
pub struct Ceilings {
    pub flops_per_sec: f64,
    pub bytes_per_sec: f64,
}

/// Measures a copy in memory, and a square matrix product in the precision of training.
///
/// # Errors
/// If the device has too little memory for them.
pub fn ceilings(device: &Device, is_small: bool) -> Result<(Ceilings, Value)> {
    let (n_copied, side) = if is_small { (1 << 22, 256) } else { (1 << 28, 8192) };
    let values = Tensor::zeros(n_copied, DType::F32, device)?;
    let copy_secs = fastest(device, 5, || Ok(values.copy()?))?;
    drop(values);
    let dtype = if device.is_cpu() { DType::F32 } else { DType::BF16 };
    #[expect(clippy::disallowed_methods, reason = "what is timed is the same for any values")]
    let matrix = Tensor::rand(-1f32, 1f32, (side, side), device)?.to_dtype(dtype)?;
    let product_secs = fastest(device, 5, || Ok(matrix.matmul(&matrix)?))?;
    let ceilings = Ceilings {
        flops_per_sec: 2.0 * (side as f64).powi(3) / product_secs,
        bytes_per_sec: 8.0 * n_copied as f64 / copy_secs,
    };
    let figures = json!({
        "copy_gb_per_sec": ceilings.bytes_per_sec / 1e9,
        "product_tflops": ceilings.flops_per_sec / 1e12,
        "product_side": side,
        "precision": format!("{dtype:?}"),
    });
    Ok((ceilings, figures))
}

/// The shortest of `n` runs after one that is not counted, in seconds.
fn fastest(device: &Device, n: usize, run: impl Fn() -> Result<Tensor>) -> Result<f64> {
    run()?;
    device.synchronize()?;
    let mut secs = f64::INFINITY;
    for _ in 0..n {
        let started = Instant::now();
        run()?;
        device.synchronize()?;
        secs = secs.min(started.elapsed().as_secs_f64());
    }
    Ok(secs)
}

/// Milliseconds of each kind of operation in a forward and backward pass of a vision tower, beside its floor: the time
/// of its operations and bytes at the device's best speed.
///
/// # Errors
/// When a pass fails.
pub fn operations(device: &Device, config: &ClipConfig, n_images: usize, best: Ceilings) -> Result<Value> {
    let placement = Placement { device: device.clone(), dtype: precision(device) };
    let model = TrainedModel::new(drawn_weights(config, 0), config, &placement)?;
    let inputs = Inputs::new(config, n_images, 0)?.to_device(device)?;
    let layout = ParameterLayout::new(&config.vision_parameters(), is_decayed);
    let counted = VisionEngine::new(&layout, config)?;
    let mut counting = CountingOps::new(model.value_bytes());
    let sizes = no_values(inputs.pixels().dims(), DType::U8)?;
    let (raw, kept) = counted.forward(&mut counting, &sizes, ProjectedTokens::All, Keep::All)?;
    counted.backward(&mut counting, kept, &sizes, &no_values(raw.dims(), DType::F32)?)?;

    let pass = TimedPass { vision: &model.vision, pixels: inputs.pixels(), device };
    let (secs, _) = model.flat_weights().run_with_gradients(model.layout.n_trained(), pass)?;
    let row = |(name, secs): (&&str, &f64)| {
        let cost = counting.costs().get(name).copied().unwrap_or_default();
        let floor = floor_secs(cost, best);
        json!({"operation": name, "ms": 1e3 * secs, "floor_ms": 1e3 * floor, "times_floor": secs / floor,
            "launches": cost.launches})
    };
    let mut rows: Vec<Value> = secs.iter().map(row).collect();
    rows.sort_by(|a, b| b["ms"].as_f64().partial_cmp(&a["ms"].as_f64()).unwrap_or(std::cmp::Ordering::Equal));
    Ok(json!({"images": n_images, "operations": rows}))
}

/// Precision of training on a device.
fn precision(device: &Device) -> DType {
    if device.is_cpu() { DType::F32 } else { DType::BF16 }
}

fn floor_secs(cost: Cost, best: Ceilings) -> f64 {
    (cost.flops / best.flops_per_sec).max(cost.bytes / best.bytes_per_sec)
}

/// A vision tower forward and backward, each operation timed.
struct TimedPass<'a> {
    vision: &'a VisionEngine,
    pixels: &'a Tensor,
    device: &'a Device,
}

impl TimedPass<'_> {
    fn both_ways<O: Ops>(&self, ops: &mut O) -> Result<()> {
        let (raw, kept) = self.vision.forward(ops, self.pixels, ProjectedTokens::All, Keep::All)?;
        let gradient = Tensor::ones(raw.dims(), DType::F32, self.device)?;
        self.vision.backward(ops, kept, self.pixels, &gradient)
    }
}

impl Pass for TimedPass<'_> {
    type Output = BTreeMap<&'static str, f64>;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Self::Output> {
        self.both_ways(ops)?;
        let synchronize = || Ok(self.device.synchronize()?);
        let mut timed = TimedOps::new(ops, &synchronize);
        self.both_ways(&mut timed)?;
        Ok(timed.secs().clone())
    }
}

/// Times of a forward and backward pass of a vision tower whose tokens are all projected.
#[derive(Clone, Copy, Debug)]
pub struct TowerSecs {
    pub all: f64,
    /// Both ways of self-attention, in all blocks.
    pub attention: f64,
}

/// Times a vision tower both ways: the whole passes, and attention with a wait around each operation.
///
/// # Errors
/// When a pass fails.
pub fn tower_secs(device: &Device, config: &ClipConfig, n_images: usize) -> Result<TowerSecs> {
    let placement = Placement { device: device.clone(), dtype: precision(device) };
    let model = TrainedModel::new(drawn_weights(config, 0), config, &placement)?;
    let inputs = Inputs::new(config, n_images, 0)?.to_device(device)?;
    let pass = || TimedPass { vision: &model.vision, pixels: inputs.pixels(), device };
    let (of_operations, _) = model.flat_weights().run_with_gradients(model.layout.n_trained(), pass())?;
    let (all, _) = model.flat_weights().run_with_gradients(model.layout.n_trained(), WholePass(pass()))?;
    let of = |name: &str| of_operations.get(name).copied().unwrap_or_default();
    Ok(TowerSecs { all, attention: of("attention") + of("attention, backward") })
}

/// The shortest of some passes, in seconds.
struct WholePass<'a>(TimedPass<'a>);

impl Pass for WholePass<'_> {
    type Output = f64;

    fn run<O: Ops>(self, ops: &mut O) -> Result<f64> {
        let Self(pass) = self;
        let mut secs = f64::INFINITY;
        for _ in 0..4 {
            pass.device.synchronize()?;
            let started = Instant::now();
            pass.both_ways(ops)?;
            pass.device.synchronize()?;
            secs = secs.min(started.elapsed().as_secs_f64());
        }
        Ok(secs)
    }
}

/// Times whole steps, with loss and optimizer, on a batch in the device's memory.
///
/// # Errors
/// When a step fails, as where there is too little memory.
pub fn steps(device: &Device, config: &ClipConfig, n_images: usize, n_steps: usize) -> Result<Value> {
    let mut recipe = Recipe::read("pretrain-vit-b-16")?;
    recipe.run.batch_size = n_images;
    let placement = Placement { device: device.clone(), dtype: precision(device) };
    let model = TrainedModel::new(drawn_weights(config, 0), config, &placement)?;
    let mut optimizer = AdamW::new(recipe.optimizer.clone(), model.layout.clone(), device)?;
    let inputs = Inputs::new(config, n_images, 0)?.to_device(device)?;
    let (n_texts, n_tokens) = inputs.n_texts_and_tokens();
    let objective = Objective::of(Variant::Released);
    let mut secs = Vec::new();
    for _ in 0..=n_steps {
        let started = Instant::now();
        let (loss, gradients) = loss_and_gradients(&model, &objective, &inputs.batch(), &recipe.run.micro_batches)?;
        anyhow::ensure!(loss.total().is_finite(), "the loss is {}", loss.total());
        optimizer.step(model.flat_parameters(), &gradients, 1e-6)?;
        model.clamp_logit_scale()?;
        device.synchronize()?;
        secs.push(started.elapsed().as_secs_f64());
    }
    let timed = &secs[1..];
    let median = median(timed).context("at least one step is timed")?;
    let batch = BatchSize { n_images, n_texts, n_tokens, n_ranks: 1 };
    let memory =
        DeviceMemory { free_bytes: model.free_bytes, value_bytes: model.value_bytes(), is_gpu: !device.is_cpu() };
    let estimate = StepEstimate::new(&recipe, config, batch, 0, memory)?;
    Ok(json!({
        "samples": n_images, "distinct_captions": n_texts, "tokens": n_tokens, "secs": timed, "warm_up_secs": secs[0],
        "samples_per_sec": n_images as f64 / median, "tflops": estimate.flops() / median / 1e12,
        "kept_share": estimate.kept_share, "estimated_gib": estimate.total_bytes() as f64 / f64::from(1 << 30),
        "reserved_gib": dermake_device::used_bytes(device)?.map(|bytes| bytes as f64 / f64::from(1 << 30)),
    }))
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::super::gradients::small_config;
    use super::*;

    #[test]
    fn every_operation_has_a_time_and_a_floor() {
        let config = small_config().unwrap();
        let best = Ceilings { flops_per_sec: 1e12, bytes_per_sec: 1e11 };
        let figures = operations(&Device::Cpu, &config, 2, best).unwrap();
        let rows = figures["operations"].as_array().unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row["operation"].as_str().unwrap()).collect();
        for name in ["product", "weight gradient", "attention, backward", "layer norm", "patches"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(rows.iter().all(|row| row["floor_ms"].as_f64().unwrap() > 0.0), "{figures}");
    }

    #[test]
    fn steps_are_timed_with_their_work() {
        let figures = steps(&Device::Cpu, &small_config().unwrap(), 8, 2).unwrap();
        assert_eq!(figures["secs"].as_array().unwrap().len(), 2);
        assert!(figures["samples_per_sec"].as_f64().unwrap() > 0.0 && figures["tflops"].as_f64().unwrap() > 0.0);
    }
}
