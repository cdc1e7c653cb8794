//! What a map costs beside a photo: a tower of int8 and of f32 with random weights.

use anyhow::Result;
use candle_core::{Device, Tensor};
use shared_model::VisionTower;
use shared_model::config::ClipConfig;
use shared_model::quantize::{WeightFormat, quantize};
use shared_model::weights::{Placement, Weights};
use std::collections::HashMap;
use std::time::Instant;

/// Rounds, of which the medians are printed.
const ROUNDS: usize = 15;

/// Prints the milliseconds of a photo, of one whose trace is kept, and of a map.
#[expect(clippy::disallowed_methods, reason = "what is timed is the same for any values")]
pub fn print(arch: &str) -> Result<()> {
    let config = ClipConfig::named(arch)?;
    let weights = dermake_models::init::weights(&config, 0);
    let parameters = config.vision_parameters();
    let size = config.vision.image_size;
    let pixel_values = Tensor::randn(0f32, 1.0, (1, 3, size, size), &Device::Cpu)?;
    let text = Tensor::randn(0f32, 1.0, config.embed_dim, &Device::Cpu)?;
    println!("weights  photo, ms  with trace, ms  map, ms  map / photo");
    for format in [None, Some(WeightFormat::Int8)] {
        let tower = match format {
            None => VisionTower::load(&weights, &config, &Placement::default())?,
            Some(format) => {
                let bytes = quantize(&weights, &parameters, format)?.to_safetensors(HashMap::new())?;
                VisionTower::load(&Weights::from_safetensors(bytes.into())?, &config, &Placement::default())?
            }
        };
        let mut millis: [Vec<f64>; 3] = Default::default();
        for _ in 0..ROUNDS {
            millis[0].push(timed(|| tower.image_features(&pixel_values).map(drop))?);
            let mut trace = None;
            millis[1]
                .push(timed(|| tower.image_features_with_trace(&pixel_values).map(|kept| trace = Some(kept.1)))?);
            if let Some(trace) = &trace {
                millis[2].push(timed(|| tower.similarity_map(trace, &text).map(drop))?);
            }
        }
        let [photo, traced, map] = millis.map(median);
        let name = format.map_or("f32", WeightFormat::name);
        println!("{name:<7}  {photo:>9.1}  {traced:>14.1}  {map:>7.2}  {:>11.3}", map / photo);
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> shared_model::Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
