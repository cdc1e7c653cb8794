//! Locked parts, layer-wise learning rates, adapters and SigLIP's loss beside `experiments.json`, which `experiments.py` made with JAX, and beside
//! the gradients of the whole model.
//!
//! `DERMAKE_FIXTURES` does not matter here: the numbers belong to the fixtures of this repository.

use crate::tiny::{AT_ONCE, Fixture, tiny_config, without_key_bias};
use candle_core::{Device, Tensor};
use dermake_objective::Captions;
use dermake_objective::{Objective, Variant};
use dermake_training::MicroBatches;
use dermake_training::lock::Lock;
use dermake_training::low_rank::{LowRank, Matrix};
use dermake_training::model::TrainedModel;
use dermake_training::optimizer::{AdamW, AdamWConfig};
use dermake_training::schedule::{Schedule, Shape};
use dermake_training::step::{Batch, loss_and_gradients};
use serde_json::Value;
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, Weights};
use std::path::PathBuf;

const STEPS: u64 = 6;

/// A fixture of this repository, whatever `DERMAKE_FIXTURES` says.
fn own(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared-model/tests/fixtures").join(name)
}

pub fn tiny_weights() -> Weights {
    let weights = std::fs::read(own("model_tiny/weights.safetensors")).unwrap();
    Weights::from_safetensors(weights.into()).unwrap()
}

pub fn own_config() -> ClipConfig {
    tiny_config(&serde_json::from_slice(&std::fs::read(own("model_tiny/info.json")).unwrap()).unwrap(), true)
}

fn model(lock: &Lock) -> TrainedModel {
    TrainedModel::with_lock(tiny_weights(), &own_config(), &Placement::default(), lock).unwrap()
}

/// The fixture's batch with its original captions alone.
pub struct OneCaption {
    pub pixel_values: Tensor,
    pub captions: Captions,
    pub input_ids: Vec<Vec<u32>>,
}

impl OneCaption {
    pub fn read() -> Self {
        let mut batch = candle_core::safetensors::load(own("train/batch.safetensors"), &Device::Cpu).unwrap();
        let texts = batch["texts"].narrow(1, 0, 1).unwrap().squeeze(1).unwrap();
        let ids: Vec<Vec<u32>> = texts.to_dtype(candle_core::DType::U32).unwrap().to_vec2().unwrap();
        let (captions, input_ids) = Captions::distinct(&ids, vec![true; ids.len()], 1);
        Self { pixel_values: batch.remove("images").unwrap(), captions, input_ids }
    }

    pub fn batch(&self) -> Batch<'_> {
        Batch { pixels: &self.pixel_values, captions: &self.captions, input_ids: &self.input_ids }
    }
}

fn schedule(layer_decay: f64) -> Schedule {
    Schedule { learning_rate: 1e-3, warmup_steps: 2, shape: Shape::Cosine, layer_decay }
}

/// Runs the optimizer, comparing each step's loss and what is there at the end.
fn compare(name: &str, model: &TrainedModel, objective: &Objective, schedule: &Schedule) {
    let json: Value = serde_json::from_str(include_str!("experiments.json")).unwrap();
    let (expected, batch) = (&json[name], OneCaption::read());
    let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, clip_norm: None };
    let mut optimizer = {
        let (_, layout) = model.trained();
        let optimizer = AdamW::new(config, layout.clone(), model.device()).unwrap();
        optimizer.with_rate_factors(|name| schedule.rate_factor(name, &model.config))
    };
    for step in 0..STEPS {
        let (loss, gradients) = loss_and_gradients(model, objective, &batch.batch(), &AT_ONCE).unwrap();
        let expected = expected["losses"][step as usize].as_f64().unwrap();
        let loss = loss.total();
        assert!(
            (loss - expected).abs() <= 1e-4 * expected,
            "{name}, step {step}: loss {loss}, expected {expected}"
        );
        let gradients = model.trained_gradients(gradients).unwrap();
        optimizer.step(model.trained().0, &gradients, schedule.at(step, STEPS)).unwrap();
        model.follow_update().unwrap();
    }
    let finals = expected["final"].as_object().unwrap();
    assert_eq!(finals.len(), model.parameters().len());
    for (key, expected) in finals {
        assert_summary(&format!("{name} {key}"), &without_key_bias(key, &model.parameters()[key]), expected, 1e-4);
    }
}

/// Compares a tensor's norm and its product with the probe of `experiments.py`, within `tolerance` of the norm.
pub fn assert_summary(what: &str, ours: &Tensor, expected: &Value, tolerance: f64) {
    let values: Vec<f32> = ours.flatten_all().unwrap().to_vec1().unwrap();
    let norm = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let product: f64 =
        values.iter().enumerate().map(|(at, &value)| f64::from(value) * (0.37 * at as f64 + 0.1).cos()).sum();
    for (ours, expected) in [(norm, &expected[0]), (product, &expected[1])] {
        let expected = expected.as_f64().unwrap();
        assert!((ours - expected).abs() <= tolerance * norm.max(1e-3), "{what}: {ours}, expected {expected}");
    }
}

#[test]
fn locked_towers_and_blocks_end_where_jax_ends() {
    let objective = Objective::of(Variant::Clip);
    let image = Lock { image: true, ..Lock::default() };
    let blocks = Lock { image_blocks: Some(1), text_blocks: Some(1), ..Lock::default() };
    for (name, lock) in [("locked_image", image), ("locked_blocks", blocks)] {
        let model = model(&lock);
        let start = model.flat_parameters().copy().unwrap();
        compare(name, &model, &objective, &schedule(1.0));
        let n_trained = model.layout.n_trained();
        assert!(n_trained < model.layout.len());
        let rest = |flat: &Tensor| flat.narrow(0, n_trained, flat.dim(0).unwrap() - n_trained).unwrap();
        let (before, after) = (rest(&start), rest(model.flat_parameters()));
        assert_eq!(
            before.to_vec1::<f32>().unwrap(),
            after.to_vec1::<f32>().unwrap(),
            "{name}: something locked moved"
        );
    }
}

#[test]
fn layer_wise_learning_rates_end_where_jax_ends() {
    compare("layer_decay", &model(&Lock::default()), &Objective::of(Variant::Clip), &schedule(0.5));
}

/// The adapters begin as those of `experiments.py`.
#[test]
fn low_rank_adapters_end_where_jax_ends() {
    let recipe = LowRank { rank: 3, alpha: Some(6.0), matrices: vec![Matrix::Q, Matrix::V, Matrix::CFc], seed: 0 };
    let lock = LowRank::lock(&Lock::default());
    let model = model(&lock).with_adapters(&recipe, &lock).unwrap();
    let adapters = model.adapters().unwrap();
    let start = adapters.tensors().unwrap().into_iter().map(|(name, tensor)| {
        let values: Vec<f32> = match name.ends_with("lora_a") {
            true => (0..tensor.elem_count()).map(|at| (0.1 * (0.37 * at as f64 + 0.1).cos()) as f32).collect(),
            false => vec![0.0; tensor.elem_count()],
        };
        (name, Tensor::from_vec(values, tensor.dims(), tensor.device()).unwrap())
    });
    adapters.set(&start.collect()).unwrap();
    compare("low_rank", &model, &Objective::of(Variant::Clip), &schedule(1.0));
}

#[test]
fn siglip_has_the_gradients_of_jax_and_ends_where_it_ends() {
    let mut weights = tiny_weights();
    weights.set("logit_bias", &Tensor::new(-2f32, &Device::Cpu).unwrap()).unwrap();
    let config = ClipConfig { has_logit_bias: true, ..own_config() };
    let model = TrainedModel::new(weights, &config, &Placement::default()).unwrap();
    let json: Value = serde_json::from_str(include_str!("experiments.json")).unwrap();
    let (objective, batch) = (Objective::of(Variant::SigLip), OneCaption::read());
    let (_, gradients) = loss_and_gradients(&model, &objective, &batch.batch(), &AT_ONCE).unwrap();
    for (key, expected) in json["siglip"]["gradients"].as_object().unwrap() {
        let gradient = without_key_bias(key, &gradients.get(key).unwrap());
        assert_summary(&format!("gradient of {key}"), &gradient, expected, 1e-4);
    }
    compare("siglip", &model, &objective, &schedule(1.0));
}

/// What is not locked has the same gradient as if nothing were, bit by bit, whichever activations are kept.
#[test]
fn a_lock_changes_no_gradient_of_the_rest() {
    let fixture = Fixture::read();
    let whole = crate::tiny::tiny_model();
    let locks = [
        Lock { image: true, ..Lock::default() },
        Lock { text: true, ..Lock::default() },
        Lock { image_blocks: Some(0), text_blocks: Some(2), ..Lock::default() },
        Lock { image_blocks: Some(1), text: true, ..Lock::default() },
        Lock { image: true, text_blocks: Some(1), ..Lock::default() },
    ];
    for variant in [Variant::Released, Variant::Paper, Variant::Clip] {
        for lock in &locks {
            let model = crate::tiny::tiny_model_with(lock);
            for gib in [1.0, 0.0] {
                let micro = MicroBatches { images: 4, tokens: 900, activation_memory_gib: Some(gib) };
                let (expected_loss, expected) = fixture.gradients(&whole, variant, &micro);
                let (loss, gradients) = fixture.gradients(&model, variant, &micro);
                assert_eq!(loss.total(), expected_loss.total(), "{variant:?} {lock:?}");
                for name in model.parameters().keys() {
                    match lock.locks(name) {
                        true => assert!(gradients.get(name).unwrap_err().to_string().contains("is locked")),
                        false => {
                            let bits = |gradient: Tensor| -> Vec<u32> {
                                let values = gradient.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                                values.into_iter().map(f32::to_bits).collect()
                            };
                            let (ours, expected) = (gradients.get(name).unwrap(), expected.get(name).unwrap());
                            assert_eq!(bits(ours), bits(expected), "{variant:?} {lock:?} {gib} {name}");
                        }
                    }
                }
            }
        }
    }
}
