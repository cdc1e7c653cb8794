//! Errors of checkpoints that do not fit their config, and kinds of files.

use super::*;
use crate::config::ClipConfig;

fn weights(names: &[(&str, &[usize])]) -> Weights {
    let zeros = |(name, shape): &(&str, &[usize])| {
        let zeros = Tensor::zeros(*shape, DType::F32, &Device::Cpu).unwrap();
        (name.to_string(), StoredTensor::from_tensor(&zeros).unwrap())
    };
    Weights::from_stored(names.iter().map(zeros))
}

fn parameter(name: &str, shape: &[usize]) -> Parameter {
    Parameter { name: name.into(), shape: shape.to_vec() }
}

#[test]
fn every_disagreement_is_in_one_error() {
    let checkpoint = weights(&[("a", &[2, 3]), ("b", &[4]), ("stranger", &[1])]);
    let required = [parameter("a", &[3, 2]), parameter("b", &[4]), parameter("c", &[1]), parameter("d", &[1])];
    let Err(Error::CheckpointMismatch(report)) = checkpoint.check(&required, &[]) else { panic!() };
    assert_eq!(report.missing, ["c", "d"]);
    assert_eq!(report.unexpected, ["stranger"]);
    assert_eq!((&report.misshapen[0].expected, &report.misshapen[0].found), (&vec![3, 2], &vec![2, 3]));
    let text = Error::CheckpointMismatch(report).to_string();
    assert!(text.contains("a is [2, 3], expected [3, 2]"), "{text}");
}

#[test]
fn a_long_list_is_cut_and_another_model_is_named() {
    let required: Vec<Parameter> = (0..60).map(|n| parameter(&format!("needed.{n}"), &[1])).collect();
    let complaint = |names: &[&str]| {
        let names: Vec<(&str, &[usize])> = names.iter().map(|&name| (name, &[1usize][..])).collect();
        weights(&names).check(&required, &[]).unwrap_err().to_string()
    };
    let clip = complaint(&["text_model.encoder.layers.0.x", "vision_model.encoder.layers.0.x"]);
    assert!(clip.contains("looks like a transformers CLIPModel, which"), "{clip}");
    assert!(clip.contains("missing (60): ") && clip.contains(", and 52 more") && clip.len() < 600, "{clip}");
    let moments = complaint(&["first_moment.visual.conv1.weight", "second_moment.visual.conv1.weight"]);
    assert!(moments.contains("an optimizer keeps") && moments.contains("`first_moment`"), "{moments}");
    let two = complaint(&[
        "a.visual.conv1.weight",
        "a.token_embedding.weight",
        "b.visual.conv1.weight",
        "b.token_embedding.weight",
    ]);
    assert!(two.contains("several models, under `a.` and `b.`;"), "{two}");
    let prefixed = complaint(&["a.b.needed", "a.b.other"]);
    assert!(prefixed.contains("all unexpected keys begin with `a.b.`"), "{prefixed}");
}

#[test]
fn shapes_of_another_architecture_are_named() {
    let (found, expected) = (ClipConfig::named("ViT-B-32").unwrap(), ClipConfig::named("ViT-B-16").unwrap());
    let parameters = |config: &ClipConfig| [config.vision_parameters(), config.text_parameters()].concat();
    let empty = |Parameter { name, shape }: Parameter| {
        (name, StoredTensor::new(safetensors::Dtype::F32, &shape, Bytes::new()))
    };
    let found = Weights::from_stored(parameters(&found).into_iter().map(empty));
    let complaint = found.check(&parameters(&expected), &[]).unwrap_err().to_string();
    assert!(complaint.contains("these are the shapes of ViT-B-32"), "{complaint}");
    assert!(complaint.contains("visual.conv1.weight is [768, 3, 32, 32], expected [768, 3, 16, 16]"));
}

#[test]
fn files_are_known_by_content_and_a_cut_one_by_its_length() {
    let values = Tensor::zeros(4, DType::F32, &Device::Cpu).unwrap();
    let file = safetensors::serialize(HashMap::from([("w", values)]), None).unwrap();
    assert_eq!(Weights::read(file.clone().into()).unwrap().stored("w").unwrap().shape, [4]);
    for n_bytes in [9, 20, file.len() - 1] {
        let error = Weights::read(file[..n_bytes].to_vec().into()).unwrap_err();
        assert!(matches!(error, Error::CutShort { found_bytes, .. } if found_bytes == n_bytes), "{error}");
    }
    let page = Weights::read(Bytes::from_static(b"<!doctype html><p>Log in")).unwrap_err().to_string();
    assert!(page.starts_with("expected a checkpoint, found a web page; "), "{page}");
}

#[test]
fn a_value_that_is_not_finite_is_an_error_that_names_its_tensor() {
    let values = [1.0, f32::NAN, f32::INFINITY, 0.0];
    let stored = StoredTensor::from_tensor(&Tensor::new(&values, &Device::Cpu).unwrap()).unwrap();
    let checkpoint = Weights::from_stored([("visual.proj".into(), stored)]);
    let error = checkpoint.tensor("visual.proj", &Placement::default()).unwrap_err().to_string();
    assert!(error.starts_with("tensor visual.proj: 2 of 4 values are NaN or infinite"), "{error}");
}
