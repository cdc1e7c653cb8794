//! Weights and features that are NaN, infinite or all zero are errors that say where, never answers.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;
use shared_model::config::{ClipConfig, Parameter};
use shared_model::quantize::{WeightFormat, quantize};
use shared_model::weights::{Placement, StoredTensor, Weights};
use shared_model::{Clip, Error};
use std::collections::{BTreeMap, HashMap};
use support::checkpoint;

fn config() -> ClipConfig {
    let json = br#"{"embed_dim": 32,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 64, "layers": 1, "head_width": 32},
        "text_cfg": {"context_length": 8, "vocab_size": 96, "width": 64, "layers": 1, "heads": 2}}"#;
    ClipConfig::from_open_clip_json(json).unwrap()
}

fn parameters() -> Vec<Parameter> {
    [config().vision_parameters(), config().text_parameters()].concat()
}

/// Small values that differ.
fn model() -> BTreeMap<String, Tensor> {
    let tensor = |Parameter { name, shape }: Parameter| {
        let n_values = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..n_values).map(|n| ((n * 37 + name.len()) % 101) as f32 / 500.0 - 0.1).collect();
        (name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap())
    };
    parameters().into_iter().map(tensor).collect()
}

fn load(tensors: BTreeMap<String, Tensor>) -> Result<Clip, Error> {
    Clip::load(checkpoint(tensors), &config(), &Placement::default())
}

/// The same tensor with this value in its middle.
fn spoilt(tensor: &Tensor, value: f32) -> Tensor {
    let mut values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let middle = values.len() / 2;
    values[middle] = value;
    Tensor::from_vec(values, tensor.dims(), &Device::Cpu).unwrap()
}

#[test]
fn each_parameter_is_checked_when_it_is_loaded() {
    for name in model().into_keys() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut tensors = model();
            tensors.insert(name.clone(), spoilt(&tensors[&name], value));
            match load(tensors).map(|_| ()) {
                Err(Error::NotFinite { what, n_bad: 1, .. }) => assert_eq!(what, format!("tensor {name}")),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn finite_weights_that_overflow_give_no_features() {
    let mut tensors = model();
    let huge = (&tensors["visual.proj"] * 1e38).unwrap();
    tensors.insert("visual.proj".into(), huge);
    let huge = (&tensors["ln_final.weight"] * 1e30).unwrap();
    tensors.insert("ln_final.weight".into(), huge);
    let clip = load(tensors).unwrap();
    let pixels = Tensor::ones((2, 3, 32, 32), DType::F32, &Device::Cpu).unwrap();
    let error = clip.vision.image_features(&pixels).unwrap_err().to_string();
    assert!(error.starts_with("image features: ") && error.contains("of 64 values are NaN or infinite"), "{error}");
    let error = clip.encode_text(&[vec![90, 3, 95]]).unwrap_err().to_string();
    assert!(error.starts_with("text features: "), "{error}");
}

#[test]
fn a_projection_of_zeros_is_an_error_that_names_it() {
    for name in ["visual.proj", "text_projection"] {
        let mut tensors = model();
        tensors.insert(name.into(), tensors[name].zeros_like().unwrap());
        let error = load(tensors).map(|_| ()).unwrap_err();
        assert!(matches!(&error, Error::AllZero { name: found } if found == name), "{error}");
    }
}

#[test]
fn a_logit_scale_is_a_logarithm_of_any_scalar_shape() {
    for shape in [&[][..], &[1], &[1, 1]] {
        let mut stored: Vec<(String, StoredTensor)> = Vec::new();
        for (name, tensor) in model() {
            stored.push((name, StoredTensor::from_tensor(&tensor).unwrap()));
        }
        let scale = StoredTensor::new(Dtype::F32, shape, 4.5f32.to_le_bytes().to_vec().into());
        stored.retain(|(name, _)| name != "logit_scale");
        stored.push(("logit_scale".into(), scale));
        let file = safetensors::serialize(stored.iter().map(|(name, stored)| (name, stored)), None).unwrap();
        let weights = Weights::from_safetensors(file.into()).unwrap();
        let clip = Clip::load(weights, &config(), &Placement::default()).unwrap();
        assert!((clip.logit_scale() - 4.5f32.exp()).abs() < 1e-3, "{shape:?}");
    }
    let mut tensors = model();
    tensors.insert("logit_scale".into(), Tensor::new(100f32, &Device::Cpu).unwrap());
    let error = load(tensors).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("logit_scale is 100, expected the logarithm"), "{error}");
}

#[test]
fn scales_of_quantized_weights_are_checked() {
    let weights = checkpoint(model());
    let formats = [
        (WeightFormat::Int8, "in_proj_weight.int8_scale", Dtype::F32),
        (WeightFormat::Int4, "in_proj_weight.int4_scale", Dtype::F16),
        (WeightFormat::Q8_0, "in_proj_weight.q8_0", Dtype::U8),
        (WeightFormat::Q4_0, "in_proj_weight.q4_0", Dtype::U8),
    ];
    for (format, ending, dtype) in formats {
        let tower = quantize(&weights, &parameters(), format).unwrap();
        let mut file = tower.to_safetensors(HashMap::new()).unwrap();
        let views = safetensors::SafeTensors::deserialize(&file).unwrap();
        let name = views.names().into_iter().find(|name| name.ends_with(ending)).unwrap().to_string();
        let view = views.tensor(&name).unwrap();
        assert_eq!(view.dtype(), dtype);
        let at = view.data().as_ptr() as usize - file.as_ptr() as usize;
        let infinity = match dtype {
            Dtype::F32 => f32::INFINITY.to_le_bytes().to_vec(),
            _ => 0x7c00u16.to_le_bytes().to_vec(),
        };
        file[at..at + infinity.len()].copy_from_slice(&infinity);
        let result = Weights::from_safetensors(file.into())
            .and_then(|weights| Clip::load(weights, &config(), &Placement::default()).map(|_| ()));
        match result {
            Err(Error::NotFinite { what, n_bad: 1, .. }) => assert!(what.contains("in_proj_weight"), "{what}"),
            other => panic!("{format:?}: {other:?}"),
        }
    }
}

#[test]
fn what_a_format_cannot_hold_stays_in_full_precision() {
    let mut tensors = model();
    for name in ["visual.proj", "visual.transformer.resblocks.0.mlp.c_fc.weight"] {
        tensors.insert(name.into(), spoilt(&tensors[name], 1e9));
    }
    let weights = checkpoint(tensors);
    for format in WeightFormat::ALL {
        let tower = quantize(&weights, &parameters(), format).unwrap();
        assert!(tower.report.iter().all(|tensor| tensor.relative_error.is_finite()));
        let report = tower.report.iter().find(|tensor| tensor.name == "visual.proj").unwrap();
        assert_eq!((report.format, report.relative_error), ("f32", 0.0));
        let file = tower.to_safetensors(HashMap::new()).unwrap();
        let weights = Weights::from_safetensors(file.into()).unwrap();
        Clip::load(weights, &config(), &Placement::default()).unwrap();
    }
}
