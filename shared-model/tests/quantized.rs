//! Quantized models: exact integer sums, honest reports, features near the dense model's.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "support/random.rs"]
mod random;
mod support;

use candle_core::{D, DType, Device, Tensor};
use random::randn;
use shared_model::config::ClipConfig;
use shared_model::quantize::{Options, WeightFormat, quantize, quantize_vision};
use shared_model::weights::{FileTensors, Placement, Weights};
use shared_model::{Clip, Error, TextTower, VisionTower, unit_length};
use std::collections::HashMap;
use support::checkpoint;

/// A model of sides that every format takes, with random weights.
fn model() -> (ClipConfig, Weights) {
    let json = br#"{"embed_dim": 32, "quick_gelu": true,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 64, "layers": 3, "head_width": 32},
        "text_cfg": {"context_length": 16, "vocab_size": 96, "width": 64, "layers": 3, "heads": 2}}"#;
    let config = ClipConfig::from_open_clip_json(json).unwrap();
    let parameters = config.vision_parameters().into_iter().chain(config.text_parameters());
    let mut state = 7u64;
    let tensors = parameters.map(|parameter| {
        let n_values = parameter.shape.iter().product::<usize>();
        let scale = 2.0 / (*parameter.shape.last().unwrap_or(&1) as f32).sqrt();
        let values: Vec<f32> = (0..n_values)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * scale
            })
            .collect();
        (parameter.name, Tensor::from_vec(values, parameter.shape, &Device::Cpu).unwrap())
    });
    let weights = checkpoint(tensors);
    (config, weights)
}

fn quantized(config: &ClipConfig, weights: &Weights, format: WeightFormat) -> Weights {
    let parameters: Vec<_> = config.vision_parameters().into_iter().chain(config.text_parameters()).collect();
    let tower = quantize(weights, &parameters, format).unwrap();
    Weights::from_safetensors(tower.to_safetensors(HashMap::new()).unwrap().into()).unwrap()
}

fn lowest_cosine(a: &Tensor, b: &Tensor) -> f32 {
    (a * b).unwrap().sum(D::Minus1).unwrap().min(0).unwrap().to_scalar().unwrap()
}

#[test]
fn images_of_a_batch_have_the_bits_of_each_alone() {
    let (config, weights) = model();
    // Some are computed on a thread each, the last one on all threads.
    let n_images = 2 * rayon::current_num_threads() + 1;
    let pixels = randn(0.0, 1.0, (n_images, 3, 32, 32));
    let quantized = [WeightFormat::Int8, WeightFormat::Int4].map(|format| quantized(&config, &weights, format));
    for weights in [weights].iter().chain(&quantized) {
        let tower = Clip::load(weights.clone(), &config, &Placement::default()).unwrap().vision;
        let bits = |pixels: &Tensor| -> Vec<u32> {
            let features = tower.image_features(pixels).unwrap();
            features.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
        };
        let alone = (0..n_images).flat_map(|image| bits(&pixels.narrow(0, image, 1).unwrap()));
        assert_eq!(bits(&pixels), alone.collect::<Vec<_>>());
    }
}

#[test]
fn quantized_features_stay_near_the_dense_ones() {
    let (config, weights) = model();
    let dense = Clip::load(weights.clone(), &config, &Placement::default()).unwrap();
    let pixels = randn(0.0, 1.0, (5, 3, 32, 32));
    let ids: Vec<Vec<u32>> = vec![vec![90, 3, 4, 95, 0, 0], vec![90, 95, 0, 0, 0, 0], vec![90, 5, 6, 7, 8, 95]];
    let formats = [
        (WeightFormat::Int8, 0.999),
        (WeightFormat::Q8_0, 0.9995),
        (WeightFormat::Int4, 0.95),
        (WeightFormat::Q4_0, 0.95),
    ];
    for (format, least) in formats {
        let small = quantized(&config, &weights, format);
        let model = Clip::load(small, &config, &Placement::default()).unwrap();
        let images = dense.vision.image_features(&pixels).unwrap();
        let cosine = lowest_cosine(&model.vision.image_features(&pixels).unwrap(), &images);
        assert!(cosine > least, "{format:?} images: {cosine}");
        let texts = dense.encode_text(&ids).unwrap();
        let cosine = lowest_cosine(&model.encode_text(&ids).unwrap(), &texts);
        assert!(cosine > least, "{format:?} texts: {cosine}");
    }
}

#[test]
fn the_report_tells_bytes_and_error_of_every_tensor() {
    let (config, weights) = model();
    let parameters = config.vision_parameters();
    let formats = [
        (WeightFormat::Int8, 8.0, 0.01),
        (WeightFormat::Q8_0, 8.5, 0.01),
        (WeightFormat::Int4, 4.5, 0.15),
        (WeightFormat::Q4_0, 4.5, 0.15),
    ];
    for (format, bits, most) in formats {
        let tower = quantize(&weights, &parameters, format).unwrap();
        assert_eq!(tower.report.len(), parameters.len());
        for (report, parameter) in tower.report.iter().zip(&parameters) {
            let n_values = parameter.shape.iter().product::<usize>();
            if report.format == format.name() {
                let scale_bytes = if format == WeightFormat::Int8 { 4 * parameter.shape[0] } else { 0 };
                assert_eq!(report.bytes, (n_values as f64 * bits / 8.0) as usize + scale_bytes, "{}", report.name);
                assert!(report.relative_error > 0.0 && report.relative_error < most, "{report:?}");
            } else {
                assert!(report.relative_error < 1e-3, "{report:?}");
            }
        }
        let n_quantized = tower.report.iter().filter(|report| report.format == format.name()).count();
        assert_eq!(n_quantized, 4 * config.vision.layers);
    }
}

#[test]
fn half_precision_features_stay_near_f32() {
    let (config, weights) = model();
    let pixels = randn(0.0, 1.0, (2, 3, 32, 32));
    let f32_features =
        VisionTower::load(&weights, &config, &Placement::default()).unwrap().image_features(&pixels).unwrap();
    for (dtype, cosine) in [(DType::BF16, 0.999), (DType::F16, 0.99999)] {
        let half = Placement { dtype, ..Placement::default() };
        let model = Clip::load(weights.clone(), &config, &half).unwrap();
        assert!(lowest_cosine(&model.vision.image_features(&pixels).unwrap(), &f32_features) > cosine);
        assert_eq!(model.encode_text(&[vec![90, 1, 95]]).unwrap().dims(), [1, config.embed_dim]);
    }
}

#[test]
fn the_first_token_alone_is_that_of_all_and_a_row_is_its_image_alone() {
    let (config, weights) = model();
    for format in WeightFormat::ALL {
        let tower =
            VisionTower::load(&quantized(&config, &weights, format), &config, &Placement::default()).unwrap();
        let pixels = randn(0.0, 1.0, (5, 3, 32, 32));
        let batch = tower.image_features(&pixels).unwrap();
        let all = tower.encode(&pixels).unwrap().image_features().unwrap();
        assert!(lowest_cosine(&batch, &all) > 1.0 - 1e-6, "{format:?}");
        for row in 0..5 {
            let alone = tower.image_features(&pixels.narrow(0, row, 1).unwrap()).unwrap();
            assert!(lowest_cosine(&batch.narrow(0, row, 1).unwrap(), &alone) > 1.0 - 1e-6, "{format:?}, row {row}");
        }
    }
}

#[test]
fn texts_that_begin_alike_have_the_features_of_all_their_tokens() {
    let (config, weights) = model();
    let rows: [&[u32]; 6] =
        [&[90, 95], &[90, 3, 4, 95], &[90, 3, 4, 5, 95], &[90, 95], &[3, 95], &[90, 3, 4, 6, 95]];
    let ids: Vec<Vec<u32>> =
        rows.iter().map(|row| row.iter().copied().chain(std::iter::repeat(0)).take(9).collect()).collect();
    for format in [WeightFormat::Int8, WeightFormat::Int4] {
        let quantized = quantized(&config, &weights, format);
        let tower = TextTower::load(&quantized, &config, &Placement::default()).unwrap();
        let shared = tower.text_features(&ids).unwrap();
        let all = unit_length(&tower.encode_observed(&ids, &mut |_, _| ()).unwrap()).unwrap();
        assert!(lowest_cosine(&shared, &all) > 1.0 - 1e-6, "{format:?}");
        for (row, ids) in ids.iter().enumerate() {
            let alone = tower.text_features(std::slice::from_ref(ids)).unwrap();
            assert!(lowest_cosine(&shared.narrow(0, row, 1).unwrap(), &alone) > 1.0 - 1e-6, "{format:?}, {ids:?}");
        }
    }
}

#[test]
fn quantizing_twice_is_refused() {
    let (config, weights) = model();
    let small = quantized(&config, &weights, WeightFormat::Int8);
    let again = quantize(&small, &config.vision_parameters(), WeightFormat::Int8);
    assert!(matches!(again, Err(Error::Weights { detail }) if detail.contains("quantized already")));
}

#[test]
fn damaged_quantized_files_are_errors() {
    let (config, weights) = model();
    let tower = quantize(&weights, &config.vision_parameters(), WeightFormat::Int8).unwrap();
    let bytes = tower.to_safetensors(HashMap::new()).unwrap();
    for n_bytes in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(Weights::from_safetensors(bytes[..n_bytes].to_vec().into()).is_err(), "{n_bytes} bytes");
    }
    // Other tensors than the config's: each is named.
    let other = ClipConfig::named("ViT-B-32").unwrap();
    let weights = Weights::from_safetensors(bytes.into()).unwrap();
    let Err(Error::CheckpointMismatch(report)) = VisionTower::load(&weights, &other, &Placement::default()) else {
        panic!("a tiny tower is no ViT-B/32")
    };
    assert!(!report.missing.is_empty() && !report.misshapen.is_empty());
}

/// A model whose MLPs have hidden units that are far larger than the others.
fn model_with_hot_units() -> (ClipConfig, Weights) {
    let (config, weights) = model();
    let cpu = Placement::default();
    let tensors = config.vision_parameters().into_iter().map(|parameter| {
        let mut tensor = weights.tensor(&parameter.name, &cpu).unwrap();
        if parameter.name.ends_with("c_fc.weight") {
            let sizes: Vec<f32> =
                (0..parameter.shape[0]).map(|unit| if unit % 50 == 7 { 40.0 } else { 1.0 }).collect();
            tensor =
                tensor.broadcast_mul(&Tensor::new(sizes, &Device::Cpu).unwrap().unsqueeze(1).unwrap()).unwrap();
        }
        (parameter.name, tensor)
    });
    let weights = checkpoint(tensors);
    (config, weights)
}

#[test]
fn columns_of_large_hidden_units_have_exponents_that_every_reader_uses() {
    let (config, weights) = model_with_hot_units();
    let cpu = Placement::default();
    let photos = |n: usize| randn(0.0, 1.0, (n, 3, 32, 32));
    let (calibration, compared) = (photos(64), photos(16));
    let wanted = VisionTower::load(&weights, &config, &cpu).unwrap().image_features(&compared).unwrap();
    let options = Options::new(WeightFormat::Int8);
    let tower = quantize_vision(&weights, &config, &calibration, options, &mut |_, _| ()).unwrap();
    let bytes = tower.to_safetensors(HashMap::new()).unwrap();
    let views = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let columns: Vec<_> = views.names().into_iter().filter(|name| name.ends_with(".int8_columns")).collect();
    // The last block computes one token, whose activations have 14 bits.
    assert!((1..=2).contains(&columns.len()), "{columns:?}");
    assert!(columns.iter().all(|name| name.contains("mlp.c_proj.weight") && !name.contains("resblocks.2")));
    let fine = views.names().into_iter().filter(|name| name.ends_with(".int8_fine"));
    assert!(fine.clone().count() == 3 && fine.clone().all(|name| name.contains("resblocks.2")));
    let small = Weights::from_safetensors(bytes.into()).unwrap();
    let cosine = |weights: &Weights| {
        let tower = VisionTower::load(weights, &config, &cpu).unwrap();
        lowest_cosine(&tower.image_features(&compared).unwrap(), &wanted)
    };
    let (found, dense) = (cosine(&small), cosine(&small.dequantized().unwrap()));
    assert!(found > 0.999 && dense > 0.9995, "{found}, as dense weights {dense}");
}

#[test]
fn damaged_exponents_of_columns_are_errors() {
    let (config, weights) = model();
    let tower = quantize(&weights, &config.vision_parameters(), WeightFormat::Int8).unwrap();
    let name = "visual.transformer.resblocks.0.mlp.c_proj.weight.int8_columns";
    let reason = |dtype: &str, exponents: &[u8]| {
        let shape = exponents.len() / if dtype == "F32" { 4 } else { 1 };
        let header = format!(
            r#"{{"{name}":{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[0,{}]}}}}"#,
            exponents.len()
        );
        let columns = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), exponents].concat();
        let files = [tower.to_safetensors(HashMap::new()).unwrap(), columns]
            .map(|bytes| FileTensors::from_safetensors(bytes.into()).unwrap());
        let loaded = VisionTower::load(&Weights::from_files(files), &config, &Placement::default());
        loaded.err().map(|err| err.to_string()).unwrap_or_default()
    };
    assert_eq!(reason("I8", &[1; 256]), "");
    for (dtype, exponents, expected) in [
        ("I8", vec![1; 252], "has type I8 and 252 bytes, expected 256 of I8"),
        ("F32", vec![0; 256], "has type F32 and 256 bytes, expected 256 of I8"),
        ("I8", vec![127; 256], "has the exponent 127, expected -60 to 60"),
        ("I8", vec![128; 256], "has the exponent -128, expected -60 to 60"),
    ] {
        let found = reason(dtype, &exponents);
        assert!(found.contains(name) && found.contains(expected), "{found}");
    }
}
