//! Whole towers beside those of the CPU, from the same int8 weights.

use crate::random::randn;
use crate::random_model;
use bytes::Bytes;
use candle_core::Tensor;
use dermake_wgpu::{Gpu, Tower, WgpuTowers};
use shared_model::config::ClipConfig;
use shared_model::gpu::VisionProgram;
use shared_model::manifest::Manifest;
use shared_model::preprocess::{Reading, preprocess};
use shared_model::quantize::WeightFormat;
use shared_model::weights::{Placement, Weights};
use shared_model::{TextTower, TowerEngine, VisionTower, demo, unit_length};

fn demo_model() -> (ClipConfig, Weights, Weights) {
    let file = |name| Bytes::from_static(demo::file(name).unwrap());
    let config = Manifest::from_json(&file(Manifest::FILE_NAME)).unwrap().clip_config().unwrap();
    let read = |name| Weights::from_safetensors(file(name)).unwrap();
    (config, read("vision.safetensors"), read("text.safetensors"))
}

fn pictures(config: &ClipConfig) -> Tensor {
    let picture = |(_, bytes): &(&str, &[u8])| preprocess(bytes, &config.preprocess, Reading::Photo).unwrap();
    Tensor::stack(&demo::SAMPLES.iter().map(picture).collect::<Vec<_>>(), 0).unwrap()
}

/// Rows of a text tower whose last id is the end token: three of different lengths.
fn texts(config: &ClipConfig) -> Vec<Vec<u32>> {
    let end = config.text.vocab_size as u32 - 1;
    let text = |length: u32| {
        let ids = (0..length).map(|at| (at * 37 + length) % end).chain([end]);
        ids.chain(std::iter::repeat(0)).take(config.text.context_length).collect()
    };
    [1, 6, config.text.context_length as u32 - 1].map(text).into()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Distance of two arrays beside the norm of the second one.
fn relative_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|value| value * value).sum::<f32>().sqrt();
    let distance = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    distance / norm(&mut expected.iter().copied())
}

/// Largest distance of features. Values that differ in rounding get another level here and there, which changes them by
/// the error of a level; weights that are not trained carry it on.
const TRAINED: f32 = 0.01;
const RANDOM: f32 = 0.045; // a cosine of 0.999

fn check_features(found: &Tensor, expected: &Tensor, tolerance: f32) {
    let error = relative_error(&values(&unit_length(found).unwrap()), &values(expected));
    assert!(error < tolerance, "an error of {error}");
}

fn check_towers((config, vision, text): &(ClipConfig, Weights, Weights), pixel_values: &Tensor, tolerance: f32) {
    let towers = WgpuTowers::open(0, config, vision, text).unwrap();
    let on_cpu = Placement::default();
    let expected = VisionTower::load(vision, config, &on_cpu).unwrap().image_features(pixel_values).unwrap();
    check_features(&towers.raw_image_features(pixel_values).unwrap(), &expected, tolerance);
    let ids = texts(config);
    let expected = TextTower::load(text, config, &on_cpu).unwrap().text_features(&ids).unwrap();
    check_features(&towers.raw_text_features(&ids).unwrap(), &expected, tolerance);
    check_rows(&towers, pixel_values, &ids);
}

/// A row of a batch equals that row alone, bit by bit.
fn check_rows(towers: &WgpuTowers, pixel_values: &Tensor, ids: &[Vec<u32>]) {
    let images = towers.raw_image_features(pixel_values).unwrap();
    let all_texts = towers.raw_text_features(ids).unwrap();
    let row = |features: &Tensor, row: usize| values(&features.narrow(0, row, 1).unwrap());
    let alone = towers.raw_image_features(&pixel_values.narrow(0, 1, 1).unwrap()).unwrap();
    assert_eq!(values(&alone), row(&images, 1));
    let alone = towers.raw_text_features(&ids[1..2]).unwrap();
    assert_eq!(values(&alone), row(&all_texts, 1));
}

#[test]
fn the_demo_model_s_features_are_those_of_the_cpu() {
    let model = demo_model();
    let pixel_values = pictures(&model.0);
    check_towers(&model, &pixel_values, TRAINED);
}

#[test]
fn odd_sizes_gelu_and_four_bits_give_the_features_of_the_cpu() {
    for (head_width, format) in [(36, WeightFormat::Int8), (16, WeightFormat::Int4)] {
        let model = random_model::model(head_width, format);
        let pixel_values = randn(0.0, 1.0, (3, 3, 60, 60));
        check_towers(&model, &pixel_values, RANDOM);
    }
}

#[test]
fn every_stage_is_that_of_the_cpu() {
    let (config, vision, _) = demo_model();
    let pixel_values = pictures(&config);
    let mut expected = Vec::new();
    let tower = VisionTower::load(&vision, &config, &Placement::default()).unwrap();
    let mut observe = |name: &str, x: &Tensor| expected.push((name.to_string(), values(x)));
    tower.encode_observed(&pixel_values, &mut observe).unwrap();

    // What the CPU gives for pixels that differ by less than they are rounded: levels flip there, too.
    let shaken = (&pixel_values + randn(0.0, 1e-4, pixel_values.shape())).unwrap();
    let mut of_shaken = Vec::new();
    tower.encode_observed(&shaken, &mut |name, x: &Tensor| of_shaken.push((name.to_string(), values(x)))).unwrap();
    let noise_of = |name: &str| {
        let at = expected.iter().position(|(stage, _)| stage == name).unwrap();
        relative_error(&of_shaken[at].1, &expected[at].1)
    };

    let gpu = Gpu::open(0).unwrap();
    let program = VisionProgram::load(&vision, &config).unwrap();
    let mut tower = Tower::load(&gpu, &program.constants, &program.preparation).unwrap();
    let plan = program.plan(3);
    let stages = plan.stages.clone();
    assert_eq!(stages.len(), 2 + config.vision.layers - 1);
    let buffers = tower.buffers(&gpu, [3, 1], || plan).unwrap();
    let pixels = values(&pixel_values);
    for stage in stages {
        let at = (stage.n_dispatches, stage.buffer);
        let found: Vec<f32> = buffers.run_until(&gpu, bytemuck::cast_slice(&pixels), &[0; 3], at).unwrap();
        let (_, expected) = expected.iter().find(|(name, _)| *name == stage.name).unwrap();
        let error = relative_error(&found, expected);
        let noise = noise_of(&stage.name);
        assert!(error < 2.0 * noise + 1e-3, "{}: an error of {error}, of noise {noise}", stage.name);
    }
}
