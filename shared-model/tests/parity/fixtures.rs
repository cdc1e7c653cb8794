//! Reads fixture files: from the folder `DERMAKE_FIXTURES` at run time natively, compiled in for wasm.

#[cfg(not(target_arch = "wasm32"))]
#[path = "../support/fixture_folder.rs"]
mod fixture_folder;

use candle_core::{Device, Tensor};
use std::collections::HashMap;

#[cfg(not(target_arch = "wasm32"))]
fn full_path(path: &str) -> std::path::PathBuf {
    fixture_folder::fixture_folder().join(path)
}

#[cfg(not(target_arch = "wasm32"))]
pub fn read(path: &str) -> Vec<u8> {
    let full = full_path(path);
    std::fs::read(&full).unwrap_or_else(|err| panic!("fixture {}: {err}", full.display()))
}

/// The paths of all files below a folder, in order.
#[cfg(not(target_arch = "wasm32"))]
pub fn files_below(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(full_path(folder)).unwrap_or_else(|err| panic!("fixture {folder}: {err}"));
    let mut paths: Vec<String> = entries
        .flat_map(|entry| {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() { files_below(&path) } else { vec![path] }
        })
        .collect();
    paths.sort();
    paths
}

#[cfg(target_arch = "wasm32")]
fn compiled_in() -> &'static include_dir::Dir<'static> {
    // `env!` makes the compiler rebuild when the folder changes; `include_dir!` alone would not notice.
    const _: &str = env!("DERMAKE_FIXTURES");
    static FIXTURES: include_dir::Dir<'static> = include_dir::include_dir!("$DERMAKE_FIXTURES");
    &FIXTURES
}

#[cfg(target_arch = "wasm32")]
pub fn read(path: &str) -> Vec<u8> {
    let file = compiled_in().get_file(path).unwrap_or_else(|| panic!("fixture {path} was not compiled in"));
    file.contents().to_vec()
}

/// The paths of all files below a folder, in order.
#[cfg(target_arch = "wasm32")]
pub fn files_below(folder: &str) -> Vec<String> {
    fn below(dir: &include_dir::Dir<'static>) -> Vec<String> {
        let files = dir.files().map(|file| file.path().to_str().unwrap().to_string());
        files.chain(dir.dirs().flat_map(below)).collect()
    }
    let mut paths =
        below(compiled_in().get_dir(folder).unwrap_or_else(|| panic!("fixture {folder} was not compiled in")));
    paths.sort();
    paths
}

/// The names of the files directly in a folder, in order.
pub fn names(folder: &str) -> Vec<String> {
    let name = |path: &String| Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_string());
    files_below(folder).iter().filter_map(name).filter(|name| !name.contains('/')).collect()
}

/// The folders of the models of `towers/`, in order.
pub fn model_folders() -> Vec<String> {
    let is_model = |folder: &&str| names(folder).iter().any(|name| name.ends_with("config.json"));
    let paths = files_below("towers");
    let folders = paths.iter().filter_map(|path| path.strip_suffix("/case.json"));
    folders.filter(is_model).map(str::to_string).collect()
}

pub fn json(path: &str) -> serde_json::Value {
    serde_json::from_slice(&read(path)).unwrap_or_else(|err| panic!("fixture {path}: {err}"))
}

pub fn tensors(path: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load_buffer(&read(path), &Device::Cpu)
        .unwrap_or_else(|err| panic!("fixture {path}: {err}"))
}

/// Largest absolute difference of two tensors of one shape.
pub fn max_abs_diff(ours: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(ours.dims(), expected.dims(), "shapes differ");
    let diff = (ours.to_dtype(candle_core::DType::F32).unwrap() - expected).unwrap().abs().unwrap();
    let max = diff.flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
    assert!(!max.is_nan(), "the difference is NaN");
    max
}

pub fn assert_close(stage: &str, ours: &Tensor, expected: &Tensor, tolerance: f32) {
    let diff = max_abs_diff(ours, expected);
    assert!(diff <= tolerance, "{stage}: max |difference| {diff:e} exceeds {tolerance:e}");
}
