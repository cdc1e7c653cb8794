//! Checkpoints as people have them: wrapped, spread over files, damaged, or no checkpoint at all.

use crate::color_model;
use crate::dermake;
use crate::json_lines;
use crate::sample;
use candle_core::{Device, Tensor};
use dermake_models::{CONFIG_FILE, WEIGHTS_FILE};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

type Tensors = HashMap<String, Tensor>;

fn tensors() -> Tensors {
    candle_core::safetensors::load(color_model::model().join(WEIGHTS_FILE), &Device::Cpu).unwrap()
}

/// A folder with the color model's config.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(color_model::model().join(CONFIG_FILE), folder.path().join(CONFIG_FILE)).unwrap();
    folder
}

fn save(tensors: &Tensors, path: &Path) {
    candle_core::safetensors::save(tensors, path).unwrap();
}

fn saved(tensors: &Tensors) -> TempDir {
    let folder = folder();
    save(tensors, &folder.path().join(WEIGHTS_FILE));
    folder
}

fn classify(model: &str) -> Output {
    let arguments = ["classify", "--json", "--labels", "red,green,blue", "--model", model];
    dermake().args(arguments).arg(sample(1)).output().unwrap()
}

fn predictions(model: &Path) -> Value {
    predictions_of(model.to_str().unwrap())
}

fn predictions_of(model: &str) -> Value {
    let output = classify(model);
    assert!(output.status.success(), "{model}: {}", String::from_utf8_lossy(&output.stderr));
    json_lines(&output.stdout).remove(0)["predictions"].take()
}

/// What is said of a model that cannot be used; a word of a panic is none.
fn complaint(model: &Path) -> String {
    let output = classify(model.to_str().unwrap());
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !log.contains("panicked"), "{log}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("predictions"), "{log}");
    log
}

#[test]
fn wrapped_and_scalar_of_any_shape_a_model_answers_the_same() {
    let expected = predictions(color_model::model());
    for prefix in ["_orig_mod.", "module._orig_mod.", "model.", "state_dict.model.clip."] {
        let mut wrapped: Tensors =
            tensors().into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect();
        let scale = wrapped[&format!("{prefix}logit_scale")].reshape(1).unwrap();
        wrapped.insert(format!("{prefix}logit_scale"), scale);
        assert_eq!(predictions(saved(&wrapped).path()), expected, "{prefix}");
    }
    let mut beside: Tensors =
        tensors().into_iter().map(|(name, tensor)| (format!("model.{name}"), tensor)).collect();
    beside.insert("criterion.weight".into(), Tensor::new(1f32, &Device::Cpu).unwrap());
    let folder = saved(&beside);
    assert_eq!(predictions(folder.path()), expected);
    let log = classify(folder.path().to_str().unwrap()).stderr;
    assert!(String::from_utf8_lossy(&log).contains("1 tensors beside the model are not used (criterion.weight"));
}

#[test]
fn weights_in_several_files_answer_as_one_does() {
    let expected = predictions(color_model::model());
    let folder = folder();
    let mut map = serde_json::Map::new();
    let mut shards = [Tensors::new(), Tensors::new(), Tensors::new()];
    for (index, (name, tensor)) in tensors().into_iter().enumerate() {
        map.insert(name.clone(), format!("model-0000{}-of-00003.safetensors", index % 3 + 1).into());
        shards[index % 3].insert(format!("module.{name}"), tensor);
    }
    for (index, shard) in shards.iter().enumerate() {
        save(shard, &folder.path().join(format!("model-0000{}-of-00003.safetensors", index + 1)));
    }
    let index = folder.path().join("model.safetensors.index.json");
    fs::write(&index, json!({ "metadata": {}, "weight_map": map }).to_string()).unwrap();
    let typed = folder.path().to_str().unwrap();
    for spelled in [
        typed.to_owned(),
        format!("local-dir:{typed}"),
        format!("file://{typed}"),
        format!("{typed}/model.safetensors.index.json"),
    ] {
        assert_eq!(predictions_of(&spelled), expected, "{spelled}");
    }
    fs::remove_file(folder.path().join("model-00002-of-00003.safetensors")).unwrap();
    assert!(complaint(folder.path()).contains("model-00002-of-00003.safetensors is missing"));
}

#[test]
fn weights_that_are_not_finite_are_refused_by_every_command() {
    let mut spoilt = tensors();
    let proj = &spoilt["visual.proj"];
    let nan = (proj.zeros_like().unwrap() / 0.0).unwrap();
    spoilt.insert("visual.proj".into(), nan);
    let folder = saved(&spoilt);
    let (model, out) = (folder.path().to_str().unwrap(), folder.path().join("out"));
    let (photo, out) = (sample(1), out.to_str().unwrap());
    let (photo, photos) = (photo.to_str().unwrap(), photo.parent().unwrap().to_str().unwrap());
    for arguments in [
        vec!["classify", photo],
        vec!["annotate", photo],
        vec!["embed", "--index", out, photos],
        vec!["quantize", "--format", "int8", "--out", out],
    ] {
        let output = dermake().args(&arguments).args(["--model", model]).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {log}");
        assert!(log.contains("tensor visual.proj: 24 of 24 values are NaN or infinite"), "{arguments:?}: {log}");
        assert!(!Path::new(out).exists(), "{arguments:?}");
    }
}

#[test]
fn answers_that_overflow_are_refused() {
    let mut huge = tensors();
    let proj = (&huge["visual.proj"] * 1e38).unwrap();
    huge.insert("visual.proj".into(), proj);
    let log = complaint(saved(&huge).path());
    assert!(log.contains("image features: ") && log.contains("are NaN or infinite"), "{log}");
}

#[test]
fn what_is_no_checkpoint_is_named_as_what_it_is() {
    let folder = folder();
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0";
    let legacy = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    let whole = fs::read(color_model::model().join(WEIGHTS_FILE)).unwrap();
    for (content, expected) in [
        (&b""[..], "an empty file"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 598641820\n",
            "a Git LFS pointer to 598641820 bytes; fetch",
        ),
        (b"<!DOCTYPE html><html><title>Sign in</title>", "a web page"),
        (
            br#"{"error":"Invalid username or password."}"#,
            "the JSON answer of a server (Invalid username or password.)",
        ),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "the XML answer of a server (NoSuchKey)"),
        (gzip, "a gzip archive; unpack it"),
        (legacy, "a PyTorch file of the format before 1.6"),
        (&whole[..whole.len() - 4], "cut short: it has"),
    ] {
        for name in [WEIGHTS_FILE, "weights.ckpt", "weights"] {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            let log = complaint(&path);
            assert!(log.contains(expected) && log.contains(name), "{log}");
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_config_that_is_no_config_is_named_as_what_it_is() {
    let folder = saved(&tensors());
    for (content, expected) in [
        ("<html>Log in</html>", "expected the JSON of a model config, found a web page"),
        ("version https://git-lfs.github.com/spec/v1\nsize 9\n", "found a Git LFS pointer to 9 bytes"),
        ("", "found an empty file"),
    ] {
        fs::write(folder.path().join(CONFIG_FILE), content).unwrap();
        let log = complaint(folder.path());
        assert!(log.contains(expected) && log.contains(CONFIG_FILE), "{log}");
    }
}

#[test]
fn another_model_is_named_and_weights_without_a_config_have_a_way_on() {
    let clip: Tensors = ["text_model.encoder.layers.0.mlp.fc1.weight", "vision_model.post_layernorm.weight"]
        .map(|name| (name.to_owned(), Tensor::new(&[1f32], &Device::Cpu).unwrap()))
        .into();
    let log = complaint(saved(&clip).path());
    assert!(log.contains("this looks like a transformers CLIPModel") && log.contains(", and "), "{log}");

    let folder = saved(&tensors());
    fs::remove_file(folder.path().join(CONFIG_FILE)).unwrap();
    let log = complaint(folder.path());
    assert!(
        log.contains("no open_clip_config.json beside the weights") && log.contains("hint: put one there"),
        "{log}"
    );
}
