//! Compares the features that inference computes on a device with those of the CPU, and times them.

use super::comparisons::Comparisons;
use super::gradients::small_config;
use super::inputs::{Inputs, drawn_weights};
use super::report::Wrong;
use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use dermake_engine::InferenceTowers;
use serde_json::{Value, json};
use shared_model::config::ClipConfig;
use shared_model::preprocess::normalized;
use shared_model::weights::Placement;
use shared_model::{Clip, TowerEngine, unit_length};
use std::time::Instant;

/// Largest difference of two features in f32: on the CPU, where both sides use the same kernels, and elsewhere.
const MOST_DIFFERENT_ON_CPU: f32 = 1e-5;
const MOST_DIFFERENT: f32 = 1e-4;
/// Least cosine of two features in bf16 or f16.
const LEAST_COSINE: f32 = 0.999;
/// Images that are timed at once.
const TIMED_IMAGES: usize = 256;

/// # Errors
/// When a feature differs, or a pass fails; the other precisions are compared all the same.
pub fn check(device: &Device, seed: u64, timed: Option<&ClipConfig>) -> Result<Value> {
    let config = small_config()?;
    let inputs = Inputs::new(&config, 7, seed)?;
    let batch = inputs.batch();
    let weights = drawn_weights(&config, seed);
    let reference = Clip::load(weights.clone(), &config, &Placement::default())?;
    let images = reference.vision.image_features(&normalized(batch.pixels, &config.preprocess)?)?;
    let texts = reference.encode_text(batch.input_ids)?;

    let mut found = Comparisons::default();
    for dtype in [DType::F32, DType::BF16, DType::F16] {
        let placement = Placement { device: device.clone(), dtype };
        let compared = InferenceTowers::load(&weights, &config, &placement).and_then(|towers| {
            let of_images = unit_length(&towers.raw_image_features(batch.pixels)?)?;
            let of_texts = unit_length(&towers.raw_text_features(batch.input_ids)?)?;
            Ok([("images", compare(&of_images, &images)?), ("texts", compare(&of_texts, &texts)?)])
        });
        let compared = match compared {
            Ok(compared) => compared,
            Err(err) => {
                found.failed(&format!("{dtype:?}"), &err);
                continue;
            }
        };
        for (what, (difference, cosine)) in compared {
            let most = if device.is_cpu() { MOST_DIFFERENT_ON_CPU } else { MOST_DIFFERENT };
            let is_near = if dtype == DType::F32 { difference <= most } else { cosine >= LEAST_COSINE };
            let row = json!({
                "what": what, "precision": format!("{dtype:?}"), "largest_difference": difference, "least_cosine": cosine,
            });
            let wrong = format!(
                "features of {what} in {dtype:?} differ by {difference:.1e} from the CPU's, their least cosine is {cosine}"
            );
            found.add(row, (!is_near).then_some(wrong));
        }
    }
    let features = found.judged().map_err(|err| match err.downcast::<Wrong>() {
        Ok(Wrong { why, figures }) => Wrong { why, figures: json!({"features": figures}) }.into(),
        Err(err) => err,
    })?;
    let speed = timed.map(|config| images_per_sec(device, config, seed)).transpose()?;
    Ok(json!({"features": features, "images_per_sec": speed}))
}

/// The largest difference of two values, and the least cosine of two rows of unit length; NaN where a value is NaN.
/// `expected` is on the CPU.
fn compare(found: &Tensor, expected: &Tensor) -> Result<(f32, f32)> {
    let found = &found.to_device(&Device::Cpu)?;
    let differences = (found - expected)?.abs()?.flatten_all()?.to_vec1::<f32>()?;
    let cosines = (found * expected)?.sum(1)?.to_vec1::<f32>()?;
    // Once NaN, it stays: no comparison with it is true.
    let worst = |values: Vec<f32>, first: f32, is_worse: fn(f32, f32) -> bool| {
        values
            .into_iter()
            .fold(first, |worst, value| if value.is_nan() || is_worse(value, worst) { value } else { worst })
    };
    Ok((worst(differences, 0.0, |a, b| a > b), worst(cosines, 1.0, |a, b| a < b)))
}

/// Images a second in bf16, from u8 in the host's memory to features there.
fn images_per_sec(device: &Device, config: &ClipConfig, seed: u64) -> Result<f64> {
    let dtype = if device.is_cpu() { DType::F32 } else { DType::BF16 };
    let placement = Placement { device: device.clone(), dtype };
    let towers = InferenceTowers::load(&drawn_weights(config, seed), config, &placement)?;
    let inputs = Inputs::new(config, TIMED_IMAGES, seed)?;
    let mut secs = f64::INFINITY;
    for _ in 0..4 {
        let started = Instant::now();
        towers.raw_image_features(inputs.pixels())?.to_device(&Device::Cpu)?;
        secs = secs.min(started.elapsed().as_secs_f64());
    }
    Ok(TIMED_IMAGES as f64 / secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_is_not_a_number_is_not_near() {
        let expected = Tensor::new(&[[1f32, 0.0], [0.0, 1.0]], &Device::Cpu).unwrap();
        let found = Tensor::new(&[[1f32, 0.0], [f32::NAN, 0.8]], &Device::Cpu).unwrap();
        let (difference, cosine) = compare(&found, &expected).unwrap();
        assert!(difference.is_nan() && cosine.is_nan(), "{difference} {cosine}");
        let found = Tensor::new(&[[1f32, 0.0], [0.6, 0.8]], &Device::Cpu).unwrap();
        assert_eq!(compare(&found, &expected).unwrap(), (0.6, 0.8));
    }

    #[test]
    fn the_engine_gives_the_features_of_the_towers() {
        let figures = check(&Device::Cpu, 5, None).unwrap();
        let rows = figures["features"].as_array().unwrap();
        assert_eq!(rows.len(), 6);
        // bf16 is not f32, and f16 is between them.
        let difference = |row: usize| rows[row]["largest_difference"].as_f64().unwrap();
        assert!(difference(2) > difference(4) && difference(4) > 1e-5, "{figures}");
    }
}
