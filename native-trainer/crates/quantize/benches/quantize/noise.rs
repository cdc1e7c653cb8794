//! Noise on weights: what a model's features lose when each weight is a little off, as after rounding.
//!
//! Where the dense model itself loses much, no rounding of this size can keep its features.

use anyhow::Result;
use candle_core::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, Weights};

/// Adds to each matrix of the blocks normal noise whose deviation is `relative` times the root mean square of the row.
pub fn add(weights: &Weights, config: &ClipConfig, relative: f32, seed: u64) -> Result<Weights> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let draw = |rng: &mut ChaCha8Rng| -> f32 { StandardNormal.sample(rng) };
    let mut noisy = weights.clone();
    for parameter in [config.vision_parameters(), config.text_parameters()].concat() {
        let [_, n_inputs] = parameter.shape[..] else { continue };
        if !parameter.name.contains("resblocks") {
            continue;
        }
        let dense = weights.tensor(&parameter.name, &Placement::default())?;
        let mut values: Vec<f32> = dense.flatten_all()?.to_vec1()?;
        for row in values.chunks_exact_mut(n_inputs) {
            let mean_square = row.iter().map(|weight| weight * weight).sum::<f32>() / n_inputs as f32;
            let deviation = relative * mean_square.sqrt();
            row.iter_mut().for_each(|weight| *weight += deviation * draw(&mut rng));
        }
        noisy.set(&parameter.name, &Tensor::from_vec(values, parameter.shape, &Device::Cpu)?)?;
    }
    Ok(noisy)
}
