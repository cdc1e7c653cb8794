//! A known answer: some drivers compute wrong numbers and report no error.

use crate::{Error, Gpu, Result, WgpuTowers};
use bytes::Bytes;
use candle_core::Tensor;
use shared_model::config::ClipConfig;
use shared_model::gpu::{LEAST_COSINE, TextProgram, VisionProgram};
use shared_model::manifest::Manifest;
use shared_model::preprocess::{Reading, preprocess};
use shared_model::weights::{Placement, Weights};
use shared_model::{Error as ModelError, TextTower, VisionTower, demo, unit_length};

/// The start token, "a photo of a", another token and the end token, as ids of the demo model.
const TEXT: [u32; 7] = [49406, 320, 1125, 539, 320, 20519, 49407];

/// Computes a sample picture and a text with the demo model, on the GPU and on the CPU. Returns the GPU.
///
/// # Errors
/// [`Error::WrongFeatures`] when they differ, and failures of the device.
pub(crate) fn check(gpu: Gpu) -> Result<Gpu> {
    let config = Manifest::from_json(file(Manifest::FILE_NAME)).and_then(|manifest| manifest.clip_config())?;
    let read = |name| Weights::from_safetensors(Bytes::from_static(file(name)));
    let (vision, text) = (read("vision.safetensors")?, read("text.safetensors")?);
    let programs = (VisionProgram::load(&vision, &config)?, TextProgram::load(&text, &config)?);
    let towers = WgpuTowers::load(gpu, &config, programs)?;
    let (pixel_values, ids) = inputs(&config)?;
    let on_cpu = Placement::default();
    let expected = [
        VisionTower::load(&vision, &config, &on_cpu)?.image_features(&pixel_values)?,
        TextTower::load(&text, &config, &on_cpu)?.text_features(&ids)?,
    ];
    let found = [towers.images(&pixel_values)?, towers.texts(&ids)?];
    for (found, expected) in found.iter().zip(&expected) {
        compare(found, expected, towers.gpu().name())?;
    }
    Ok(towers.into_gpu())
}

/// Compares two features `[1, E]`, of which the second one is of unit length.
fn compare(found: &Tensor, expected: &Tensor, gpu: &str) -> Result<()> {
    let product = (unit_length(found)? * expected).and_then(|product| product.sum_all()?.to_scalar());
    let cosine: f32 = product.map_err(ModelError::from)?;
    if cosine.is_nan() || cosine < LEAST_COSINE {
        return Err(Error::WrongFeatures { gpu: gpu.into(), cosine, expected: LEAST_COSINE });
    }
    Ok(())
}

/// The bytes of one of the demo model's files.
fn file(name: &str) -> &'static [u8] {
    demo::file(name).expect("the demo model has this file")
}

fn inputs(config: &ClipConfig) -> Result<(Tensor, Vec<Vec<u32>>)> {
    let (_, picture) = demo::SAMPLES[0];
    let pixel_values = preprocess(picture, &config.preprocess, Reading::Photo)?;
    Ok((pixel_values.unsqueeze(0).map_err(ModelError::from)?, vec![TEXT.to_vec()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_gpu_of_this_machine_computes_the_demo_model_as_the_cpu_does() {
        check(Gpu::open(0).unwrap()).unwrap();
    }

    #[test]
    fn another_feature_and_values_that_are_no_numbers_are_wrong() {
        let feature = |values: [f32; 2]| Tensor::new(&[values], &Device::Cpu).unwrap();
        let expected = feature([0.6, 0.8]);
        compare(&feature([6.0, 8.01]), &expected, "A").unwrap();
        for wrong in [[6.0, 9.0], [-0.6, -0.8], [0.0, 0.0], [f32::NAN, 1.0]] {
            let message = compare(&feature(wrong), &expected, "A").unwrap_err().to_string();
            assert!(message.starts_with("the GPU A computes wrong features: the cosine"), "{message}");
        }
    }
}
