//! Checkpoints as PyTorch writes them, and position embeddings as it resizes them (`checkpoints/generate.py`).

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use candle_core::{Device, Tensor};
use shared_model::Error;
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, Weights};
use std::collections::HashMap;
use support::checkpoint;

fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/checkpoints/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|err| panic!("{path}: {err}"))
}

fn tensors(name: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load_buffer(&bytes(name), &Device::Cpu).unwrap()
}

fn assert_close(name: &str, ours: &Tensor, expected: &Tensor, tolerance: f32) {
    assert_eq!(ours.dims(), expected.dims(), "{name}");
    let expected = expected.to_dtype(candle_core::DType::F32).unwrap();
    let largest = (ours - expected).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap();
    let largest = largest.to_scalar::<f32>().unwrap();
    assert!(largest <= tolerance, "{name}: {largest}");
}

#[test]
fn pickles_hold_what_safetensors_hold() {
    let expected = tensors("expected.safetensors");
    for file in ["bare.bin", "training.pt"] {
        let weights = Weights::from_pickle(bytes(file).into()).unwrap();
        for (name, expected) in &expected {
            let ours = weights.tensor(name, &Placement::default()).unwrap();
            assert_close(&format!("{file} {name}"), &ours, expected, 0.0);
        }
        // No tensor of the optimizer is left.
        let Err(Error::CheckpointMismatch(report)) = weights.check(&[], &[]) else { panic!() };
        assert_eq!(report.unexpected.len(), expected.len(), "{:?}", report.unexpected);
    }
    let module = Weights::from_pickle(bytes("module.pt").into()).unwrap();
    assert_eq!(module.tensor("weight", &Placement::default()).unwrap().dims(), [2, 3]);
}

#[test]
fn every_protocol_is_read_whatever_lies_beside_the_weights() {
    let expected = tensors("expected.safetensors");
    for protocol in 2..=5 {
        let weights = Weights::from_pickle(bytes(&format!("extras{protocol}.pt")).into()).unwrap();
        for (name, expected) in &expected {
            let ours = weights.tensor(name, &Placement::default()).unwrap();
            assert_close(&format!("protocol {protocol}, {name}"), &ours, expected, 0.0);
        }
        // Integers and booleans are no parameters.
        let Err(Error::CheckpointMismatch(report)) = weights.check(&[], &[]) else { panic!() };
        assert_eq!(report.unexpected.len(), expected.len(), "{:?}", report.unexpected);
    }
}

#[test]
fn what_is_no_state_dict_is_an_error() {
    for (what, bytes) in [
        ("no dict", bytes("not_a_dict.pt")),
        ("no archive", b"\x80\x02}q\x00.".to_vec()),
        ("empty", Vec::new()),
        ("safetensors", bytes("expected.safetensors")),
        ("cut", bytes("bare.bin")[..900].to_vec()),
    ] {
        let result = Weights::from_pickle(bytes.into());
        assert!(matches!(result, Err(Error::Weights { .. })), "{what}: {:?}", result.err());
    }
}

#[test]
fn changed_bytes_never_panic() {
    for good in [bytes("training.pt"), bytes("extras5.pt")] {
        for at in (0..good.len()).step_by(7) {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = good.clone();
                changed[at] ^= change;
                let _ = Weights::from_pickle(changed.into());
            }
        }
    }
}

#[test]
fn position_embeddings_are_resized_as_pytorch_does() {
    let tensors = tensors("positions.safetensors");
    let cases: Vec<&str> = tensors.keys().filter_map(|key| key.strip_suffix(".from")).collect();
    assert!(!cases.is_empty());
    for case in cases {
        let parts: Vec<&str> = case.split('.').collect();
        let new: usize = parts[2].parse().unwrap();
        let mut config = ClipConfig::named("ViT-B-16").unwrap();
        let name = if parts[0] == "visual" {
            config.vision.image_size = new * config.vision.patch_size;
            "visual.positional_embedding"
        } else {
            config.text.context_length = new;
            "positional_embedding"
        };
        let from = tensors[&format!("{case}.from")].clone();
        (config.vision.width, config.text.width) = (from.dim(1).unwrap(), from.dim(1).unwrap());
        let mut weights = checkpoint([(name.to_string(), from)]);
        weights.fit_positions(&config).unwrap();
        let ours = weights.tensor(name, &Placement::default()).unwrap();
        assert_close(case, &ours, &tensors[&format!("{case}.to")], 1e-5);
    }
}

#[test]
fn position_embeddings_of_another_width_are_left_alone() {
    let config = ClipConfig::named("ViT-B-16").unwrap();
    for name in ["visual.positional_embedding", "positional_embedding"] {
        let narrow = Tensor::zeros((1 + 30 * 30, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
        let mut weights = checkpoint([(name.to_string(), narrow)]);
        weights.fit_positions(&config).unwrap();
        assert_eq!(weights.tensor(name, &Placement::default()).unwrap().dims(), [901, 1], "{name}");
    }
}
