//! Maps beside a plain computation of every query, key, value and attention weight; of quantized towers; of none.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use super::*;
use crate::VisionTower;
use crate::config::{ClipConfig, Parameter, Projection, VisionPooling};
use crate::quantize::{Options, Steps, WeightFormat, quantize, quantize_vision};
use crate::random::randn;
use crate::weights::{Placement, Weights};
use crate::zero_shot::Classifier;
use candle_core::{D, DType, Device, Tensor};
use std::collections::HashMap;

/// A tower with random weights: `heads` of width `head_width`, five blocks, 16 patches.
fn tower(head_width: usize, heads: usize) -> (ClipConfig, Weights) {
    let json = format!(
        r#"{{"embed_dim": 32, "quick_gelu": true,
        "vision_cfg": {{"image_size": 32, "patch_size": 8, "width": {}, "layers": 5, "head_width": {head_width}}},
        "text_cfg": {{"context_length": 8, "vocab_size": 64, "width": 64, "layers": 1, "heads": 1}}}}"#,
        head_width * heads
    );
    let config = ClipConfig::from_open_clip_json(json.as_bytes()).unwrap();
    let tensors = config.vision_parameters().into_iter().map(|parameter| {
        let n_in: usize = parameter.shape.iter().skip(1).product();
        let is_gain = parameter.name.contains("ln_") && parameter.name.ends_with("weight");
        // Large logits, so that attention differs from a mean.
        let factor = if parameter.name.ends_with("in_proj_weight") { 2.5 } else { 1.0 };
        let deviation = factor / (n_in.max(16) as f32).sqrt();
        let mean = if is_gain { 1.0 } else { 0.0 };
        (parameter.name, randn(mean, deviation, parameter.shape))
    });
    let mut weights = Weights::default();
    tensors.for_each(|(name, tensor)| weights.set(&name, &tensor).unwrap());
    (config, weights)
}

fn load(config: &ClipConfig, weights: &Weights) -> VisionTower {
    VisionTower::load(weights, config, &Placement::default()).unwrap()
}

fn photos(n: usize) -> Tensor {
    randn(0.0, 1.0, (n, 3, 32, 32))
}

fn unit_text(embed_dim: usize) -> Tensor {
    crate::unit_length(&randn(0.0, 1.0, embed_dim)).unwrap()
}

fn map_of(tower: &VisionTower, photo: &Tensor, text: &Tensor) -> Vec<f32> {
    let (_, trace) = tower.image_features_with_trace(photo).unwrap();
    tower.similarity_map(&trace, text).unwrap().values
}

/// The map by its definition, with each patch's part of the class token carried to the feature.
fn plain_map(config: &ClipConfig, weights: &Weights, photo: &Tensor, text: &Tensor) -> Vec<f32> {
    let vision = &config.vision;
    let (width, heads) = (vision.width, vision.heads);
    let head_width = width / heads;
    let tensor = |name: &str| weights.tensor(&format!("visual.{name}"), &Placement::default()).unwrap();
    let mut stages: HashMap<String, Tensor> = HashMap::new();
    let tower = load(config, weights);
    let embeddings = tower
        .encode_observed(photo, &mut |stage, x| {
            stages.insert(stage.into(), x.squeeze(0).unwrap());
        })
        .unwrap();
    let mut parts = Tensor::zeros((vision.n_patches(), width), DType::F32, &Device::Cpu).unwrap();
    for layer in vision.layers - 4..vision.layers {
        let block = |name: &str| tensor(&format!("transformer.resblocks.{layer}.{name}"));
        let x = &stages[&format!("block{}", layer - 1)];
        let mean = x.mean_keepdim(D::Minus1).unwrap();
        let centered = x.broadcast_sub(&mean).unwrap();
        let deviation = (centered.sqr().unwrap().mean_keepdim(D::Minus1).unwrap() + f64::from(vision.norm_eps))
            .unwrap()
            .sqrt()
            .unwrap();
        let y = centered.broadcast_div(&deviation).unwrap();
        let y = y.broadcast_mul(&block("ln_1.weight")).unwrap().broadcast_add(&block("ln_1.bias")).unwrap();
        let qkv = y.matmul(&block("attn.in_proj_weight").t().unwrap()).unwrap();
        let qkv = qkv.broadcast_add(&block("attn.in_proj_bias")).unwrap();
        for head in 0..heads {
            let of_head = |part: usize| qkv.narrow(1, part * width + head * head_width, head_width).unwrap();
            let logits = of_head(0).matmul(&of_head(1).t().unwrap()).unwrap();
            let attention =
                candle_nn::ops::softmax(&(logits / (head_width as f64).sqrt()).unwrap(), D::Minus1).unwrap();
            let seen = attention.narrow(0, 0, 1).unwrap().narrow(1, 1, vision.n_patches()).unwrap();
            let values = of_head(2).narrow(0, 1, vision.n_patches()).unwrap();
            let values = values.broadcast_sub(&values.mean_keepdim(0).unwrap()).unwrap();
            let out = block("attn.out_proj.weight").narrow(1, head * head_width, head_width).unwrap();
            let added = values.matmul(&out.t().unwrap()).unwrap();
            parts = (parts + added.broadcast_mul(&seen.t().unwrap()).unwrap()).unwrap();
        }
    }
    // The last norm divides by the deviation of the whole class token.
    let class_token = stages[&format!("block{}", vision.layers - 1)].narrow(0, 0, 1).unwrap();
    let centered = class_token.broadcast_sub(&class_token.mean_keepdim(1).unwrap()).unwrap();
    let variance = centered.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
    let deviation = f64::from(variance + vision.norm_eps).sqrt();
    let parts = (parts.broadcast_sub(&parts.mean_keepdim(1).unwrap()).unwrap() / deviation).unwrap();
    let parts = parts.broadcast_mul(&tensor("ln_post.weight")).unwrap().matmul(&tensor("proj")).unwrap();
    let raw = embeddings.raw_image_features;
    let length = raw.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
    let shares = parts.matmul(&text.unsqueeze(1).unwrap()).unwrap();
    (shares / f64::from(length)).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |x: &[f32]| x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |a: &[f32], mean_a: f64, b: &[f32], mean_b: f64| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - mean_a) * (f64::from(b) - mean_b)).sum()
    };
    product(a, mean_a, b, mean_b) / (product(a, mean_a, a, mean_a) * product(b, mean_b, b, mean_b)).sqrt()
}

#[test]
fn a_map_is_what_its_definition_says() {
    // Heads in the middle of panels of sixteen channels, widths without panels, and whole panels.
    for (head_width, heads) in [(8, 4), (12, 2), (32, 2)] {
        let (config, weights) = tower(head_width, heads);
        let (photo, text) = (photos(1), unit_text(32));
        let found = map_of(&load(&config, &weights), &photo, &text);
        let expected = plain_map(&config, &weights, &photo, &text);
        let largest = expected.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        assert_eq!(found.len(), 16);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 2e-4 * largest, "{head_width}: {found}, expected {expected}");
        }
    }
}

#[test]
fn keeping_a_trace_changes_no_bit_of_the_feature() {
    let (config, weights) = tower(32, 2);
    let tower_of = |format| {
        let stored = quantize(&weights, &config.vision_parameters(), format).unwrap();
        let bytes = stored.to_safetensors(HashMap::new()).unwrap();
        load(&config, &Weights::from_safetensors(bytes.into()).unwrap())
    };
    for tower in [load(&config, &weights), tower_of(WeightFormat::Int8), tower_of(WeightFormat::Q8_0)] {
        let photo = photos(1);
        let (kept, _) = tower.image_features_with_trace(&photo).unwrap();
        let plain = tower.image_features(&photo).unwrap();
        assert_eq!(kept.to_vec2::<f32>().unwrap(), plain.to_vec2::<f32>().unwrap());
    }
}

#[test]
fn maps_of_quantized_towers_are_near_the_dense_one() {
    // Of random weights, whose maps are small differences: near on average.
    const N_TOWERS: usize = 12;
    let near_dense = |format: WeightFormat| {
        let (config, weights) = tower(32, 2);
        let (dense, photo, text) = (load(&config, &weights), photos(1), unit_text(32));
        let tower = quantize(&weights, &config.vision_parameters(), format).unwrap();
        let bytes = tower.to_safetensors(HashMap::new()).unwrap();
        let quantized = load(&config, &Weights::from_safetensors(bytes.into()).unwrap());
        correlation(&map_of(&quantized, &photo, &text), &map_of(&dense, &photo, &text))
    };
    for (format, least) in
        [(WeightFormat::Int8, 0.8), (WeightFormat::Q8_0, 0.8), (WeightFormat::Int4, 0.4), (WeightFormat::Q4_0, 0.4)]
    {
        let mean = (0..N_TOWERS).map(|_| near_dense(format)).sum::<f64>() / N_TOWERS as f64;
        assert!(mean > least, "{}: {mean}", format.name());
    }
}

/// The tower whose values are moved by constants in each block, and that computes the same features.
fn with_moved_values(config: &ClipConfig, weights: &Weights) -> Weights {
    let width = config.vision.width;
    let mut moved = weights.clone();
    for layer in 0..config.vision.layers {
        let name = |name: &str| format!("visual.transformer.resblocks.{layer}.{name}");
        let tensor = |part: &str| weights.tensor(&name(part), &Placement::default()).unwrap();
        let random = |n: usize| randn(0.0, 1.0, n);
        let product = |matrix: &Tensor, x: &Tensor| matrix.matmul(&x.unsqueeze(1).unwrap()).unwrap().squeeze(1);
        // From the norm into queries, keys and values.
        let shift = random(width);
        moved.set(&name("ln_1.bias"), &(tensor("ln_1.bias") - &shift).unwrap()).unwrap();
        let taken = product(&tensor("attn.in_proj_weight"), &shift).unwrap();
        // From the values into the output.
        let zeros = Tensor::zeros(2 * width, DType::F32, &Device::Cpu).unwrap();
        let shift = random(width);
        let bias =
            ((tensor("attn.in_proj_bias") + taken).unwrap() - Tensor::cat(&[&zeros, &shift], 0).unwrap()).unwrap();
        moved.set(&name("attn.in_proj_bias"), &bias).unwrap();
        let given = product(&tensor("attn.out_proj.weight"), &shift).unwrap();
        moved.set(&name("attn.out_proj.bias"), &(tensor("attn.out_proj.bias") + given).unwrap()).unwrap();
    }
    moved
}

/// A calibration moves shifts and scales between norms, values and biases, which a map must not see.
#[test]
fn a_calibration_changes_no_map() {
    let (config, weights) = tower(32, 2);
    let (photo, text) = (photos(1), unit_text(32));
    let expected = map_of(&load(&config, &weights), &photo, &text);
    let moved = map_of(&load(&config, &with_moved_values(&config, &weights)), &photo, &text);
    let largest = expected.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    for (found, expected) in moved.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-3 * largest, "{found}, expected {expected}");
    }
    let options = Options { steps: Steps::ALL, ..Options::new(WeightFormat::Int8) };
    let tower = quantize_vision(&weights, &config, &photos(64), options, &mut |_, _| ()).unwrap();
    let bytes = tower.to_safetensors(HashMap::new()).unwrap();
    let calibrated = load(&config, &Weights::from_safetensors(bytes.into()).unwrap());
    let correlation = correlation(&map_of(&calibrated, &photo, &text), &expected);
    assert!(correlation > 0.5, "{correlation}"); // integers move the small maps of random weights
}

#[test]
fn towers_without_a_projected_class_token_are_refused() {
    let refusal = |change: fn(&mut ClipConfig)| {
        let (mut config, mut weights) = tower(32, 2);
        assert!(config.vision.makes_maps());
        change(&mut config);
        assert!(!config.vision.makes_maps());
        for Parameter { name, shape } in config.vision_parameters() {
            if weights.stored(&name).ok().is_none_or(|stored| stored.shape != shape) {
                weights.set(&name, &Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap()).unwrap();
            }
        }
        let tower = VisionTower::build(&weights, &config, &Placement::default()).unwrap();
        tower.image_features_with_trace(&photos(1)).unwrap_err().to_string()
    };
    let message = refusal(|config| config.vision.pooling = VisionPooling::MeanThenNorm);
    assert!(message.contains("the mean of all patches"), "{message}");
    let message = refusal(|config| config.vision.pooling = VisionPooling::Attention);
    assert!(message.contains("an attention pool"), "{message}");
    let message = refusal(|config| {
        config.vision.projection = Projection::Mlp { width: 32, hidden_bias: false, bias: false };
    });
    assert!(message.contains("by an MLP") && message.contains("its class token"), "{message}");
}

#[test]
fn a_text_of_another_model_and_several_images_are_refused() {
    let (config, weights) = tower(32, 2);
    let tower = load(&config, &weights);
    let (_, trace) = tower.image_features_with_trace(&photos(1)).unwrap();
    assert!(tower.similarity_map(&trace, &unit_text(16)).is_err());
    assert!(tower.image_features_with_trace(&photos(2)).is_err());
}

#[test]
fn a_contrast_is_a_text_less_what_all_labels_share() {
    let names = ["a", "b"].map(String::from);
    let weights = Tensor::new(&[[1f32, 0.6], [0.0, 0.8]], &Device::Cpu).unwrap();
    let classifier = Classifier::from_weights(&names, weights).unwrap();
    let near = |found: Tensor, expected: [f32; 2]| {
        let found = found.to_vec1::<f32>().unwrap();
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}, {expected:?}");
    };
    near(classifier.contrast(0).unwrap(), [0.2, -0.4]);
    near(classifier.contrast(1).unwrap(), [-0.2, 0.4]);
    near(classifier.contrast_of(&Tensor::new(&[[0f32, 5.0]], &Device::Cpu).unwrap()).unwrap(), [-0.8, 0.6]);
    assert!(classifier.contrast(2).is_err());
    let alone = Classifier::from_weights(&names[..1], Tensor::new(&[[0f32], [1.0]], &Device::Cpu).unwrap());
    near(alone.unwrap().contrast(0).unwrap(), [0.0, 1.0]);
}

#[test]
fn the_maximum_has_a_place_in_words() {
    let words = |rows: usize, columns: usize, at: usize| {
        let mut values = vec![-1f32; rows * columns];
        values[at] = 0.5;
        let map = SimilarityMap::new(rows, columns, values).unwrap();
        assert_eq!(map.maximum(), Some((at / columns, at % columns)));
        assert_eq!(map.strengths().iter().sum::<f32>(), 1.0);
        map.place().unwrap().in_words()
    };
    let all: Vec<&str> = (0..9).map(|at| words(3, 3, at)).collect();
    let expected =
        ["top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right"];
    assert_eq!(all, expected);
    assert_eq!(
        (words(14, 14, 0), words(14, 14, 195), words(14, 14, 6 * 14 + 7)),
        ("top left", "bottom right", "center")
    );
    assert_eq!((words(1, 1, 0), words(7, 7, 7 + 3)), ("center", "top"));
    for nowhere in [vec![0.0, -1.0], vec![f32::NAN, -1.0]] {
        let map = SimilarityMap::new(1, 2, nowhere).unwrap();
        assert_eq!((map.place(), map.strengths()), (None, vec![0.0, 0.0]));
    }
    assert!(SimilarityMap::new(2, 2, vec![0.0; 3]).is_err());
}
