//! Reads fixture files.

#[path = "../../../shared-model/tests/support/fixture_folder.rs"]
mod fixture_folder;

use candle_core::{Device, Tensor};
use fixture_folder::fixture_folder;
use std::collections::HashMap;
use std::path::PathBuf;

pub fn path(name: &str) -> PathBuf {
    fixture_folder().join(name)
}

pub fn json(name: &str) -> serde_json::Value {
    let bytes = std::fs::read(path(name)).unwrap_or_else(|err| panic!("fixture {name}: {err}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|err| panic!("fixture {name}: {err}"))
}

pub fn tensors(name: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path(name), &Device::Cpu).unwrap_or_else(|err| panic!("fixture {name}: {err}"))
}

/// Fails when the largest difference exceeds `tolerance` times the largest expected value.
pub fn assert_relative(what: &str, ours: &Tensor, expected: &Tensor, tolerance: f32) {
    assert_eq!(ours.dims(), expected.dims(), "{what}");
    let largest =
        |tensor: &Tensor| tensor.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
    let (difference, scale) = (largest(&(ours - expected).unwrap()), largest(expected));
    assert!(difference <= tolerance * scale.max(1e-6), "{what}: difference {difference:e} at scale {scale:e}");
}
