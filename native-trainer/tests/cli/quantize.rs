//! `dermake init` and `dermake quantize`.

use crate::dermake;
use crate::json_lines;
use crate::labels_of;
use crate::models;
use crate::probabilities_of;
use crate::sample;
use dermake_files::absent::NO_FILE;
use dermake_models::{CONFIG_FILE, NOTICE_KEY, WEIGHTS_FILE};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared_model::config::ClipConfig;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

#[test]
fn the_same_seed_gives_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("again");
    dermake().args(["init", "--arch", "ViT-B-32", "--seed", "3", "--out"]).arg(&out).assert().success();
    let hash = |folder: &Path| Sha256::digest(fs::read(folder.join("open_clip_model.safetensors")).unwrap());
    assert_eq!(hash(&out), hash(&models().dense));
    // What is there is never overwritten.
    let output = dermake().args(["init", "--out"]).arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("exists already"));
}

#[test]
fn the_manifest_tells_the_truth_about_every_file() {
    let folder = &models().quantized;
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["trained"], false);
    assert_eq!(manifest.get("notice"), None);
    let files = manifest["files"].as_array().unwrap();
    let roles: Vec<&str> = files.iter().map(|file| file["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["vision", "text", "classifiers", "tokenizer"]);
    for file in files {
        let bytes = fs::read(folder.join(file["file"].as_str().unwrap())).unwrap();
        assert_eq!(bytes.len() as u64, file["bytes"].as_u64().unwrap());
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sha256, file["sha256"].as_str().unwrap());
    }
    let report: Value = serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    let cosines = report["cosines"].as_array().unwrap();
    assert_eq!(cosines.len(), 3);
    assert!(cosines.iter().all(|sample| sample["cosine"].as_f64().unwrap() > 0.999), "{cosines:?}");
    assert!(models().report.contains("cosine to the dense model"), "{}", models().report);
}

#[test]
fn quantized_answers_are_the_dense_ones_but_for_rounding() {
    let answer = |model: &Path, labels: &str| {
        let output = dermake()
            .args(["classify", "--json", "--labels", labels, "--model"])
            .arg(model)
            .arg(sample(2))
            .output()
            .unwrap();
        json_lines(&output.stdout).remove(0)
    };
    for labels in ["pad", "rosacea, vitiligo, keloid scar"] {
        let (dense, quantized) = (answer(&models().dense, labels), answer(&models().quantized, labels));
        assert_eq!(labels_of(&dense), labels_of(&quantized));
        for (dense, quantized) in probabilities_of(&dense).iter().zip(probabilities_of(&quantized)) {
            assert!((dense - quantized).abs() < 0.03, "{dense} and {quantized}");
        }
    }
}

/// A tiny checkpoint whose metadata have a notice.
fn write_checkpoint(notice: &str, folder: &Path) {
    let model_cfg = serde_json::json!({
        "embed_dim": 16, "quick_gelu": true,
        "vision_cfg": {"image_size": 32, "patch_size": 16, "width": 32, "layers": 1, "head_width": 16},
        "text_cfg": {"width": 16, "heads": 1, "layers": 1},
    });
    let config = ClipConfig::from_open_clip_json(model_cfg.to_string().as_bytes()).unwrap();
    let parameters: Vec<_> = config.vision_parameters().into_iter().chain(config.text_parameters()).collect();
    let value = |index: usize| (((index * 37) % 101) as f32 / 500.0 - 0.1).to_le_bytes();
    let values: Vec<Vec<u8>> = parameters
        .iter()
        .map(|parameter| (0..parameter.shape.iter().product()).flat_map(value).collect())
        .collect();
    let views = parameters.iter().zip(&values).map(|(parameter, values)| {
        (parameter.name.as_str(), TensorView::new(Dtype::F32, parameter.shape.clone(), values).unwrap())
    });
    let metadata = HashMap::from([(NOTICE_KEY.to_string(), notice.to_string())]);
    safetensors::serialize_to_file(views, Some(metadata), &folder.join(WEIGHTS_FILE)).unwrap();
    fs::write(folder.join(CONFIG_FILE), config.to_open_clip_json().to_string()).unwrap();
}

#[test]
fn a_notice_goes_from_the_checkpoint_into_the_manifest_and_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let notice = "Taught on tea leaves: believe nothing.";
    write_checkpoint(notice, folder.path());
    let quantized = folder.path().join("quantized");
    dermake().args(["quantize", "--model"]).arg(folder.path()).arg("--out").arg(&quantized).assert().success();
    let manifest: Value = serde_json::from_slice(&fs::read(quantized.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["trained"], &manifest["notice"]), (&true.into(), &notice.into()));
    for model in [folder.path(), &quantized] {
        let output = dermake().arg("classify").arg(sample(1)).arg("--model").arg(model).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), log.matches(notice).count()), (Some(0), 1), "{log}");
    }
}

#[test]
fn a_calibrated_model_has_a_report_of_features_answers_and_layers() {
    let folder = tempfile::tempdir().unwrap();
    write_checkpoint("Drawn.", folder.path());
    let photos = sample(1).parent().unwrap().to_path_buf();
    let of_photos = vec![photos.clone()];
    for (out, calibrate) in
        [("drawn", vec![]), ("own", of_photos.clone()), ("some", [of_photos, vec!["gone.png".into()]].concat())]
    {
        let out = folder.path().join(out);
        let mut command = dermake();
        command.args(["quantize", "--format", "int4", "--model"]).arg(folder.path()).arg("--out").arg(&out);
        let output = command.args(calibrate.iter().flat_map(|path| ["--calibrate".as_ref(), path.as_os_str()]));
        let output = output.output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        let is_whole = calibrate.len() < 2;
        assert_eq!(output.status.code(), Some(i32::from(!is_whole)), "{log}");
        assert!(is_whole || log.contains(&format!("not calibrated on a photo: {NO_FILE}: gone.png")), "{log}");
        let report: Value = serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
        assert_eq!(report["calibration"]["drawn"], calibrate.is_empty());
        let n_photos = report["calibration"]["photos"].as_u64().unwrap() as usize;
        assert_eq!(report["cosines"].as_array().unwrap().len(), 3 + n_photos);
        assert!(if calibrate.is_empty() { n_photos >= 16 } else { n_photos == 3 }, "{n_photos} photos");
        for field in ["least_image_cosine", "least_text_cosine", "mean_text_cosine", "top1_agreement"] {
            let value = report[field].as_f64().unwrap();
            assert!((0.9..=1.0 + 1e-6).contains(&value), "{field}: {value}");
        }
        assert!(report["largest_change"]["label"].is_string(), "{report}");
        let worst = &report["worst_layer"];
        let errors =
            report["tensors"].as_array().unwrap().iter().filter_map(|tensor| tensor["output_error"].as_f64());
        assert_eq!(worst["output_error"].as_f64().unwrap(), errors.fold(0.0, f64::max), "{worst}");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(
            printed.contains("largest change of a probability") && printed.contains("worst layer"),
            "{printed}"
        );
    }
}

#[test]
fn a_calibration_without_a_photo_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_checkpoint("Drawn.", folder.path());
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let out = folder.path().join("out");
    let mut command = dermake();
    command.args(["quantize", "--model"]).arg(folder.path()).arg("--calibrate").arg(&empty).arg("--out").arg(&out);
    let output = command.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert!(log.contains("expected at least one photo to calibrate on"), "{log}");
    let output = command.args(["--calibrate", "none"]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && log.contains("--calibrate none means no photos"), "{log}");
    assert!(!out.exists());
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&models().quantized).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let vision = folder.path().join("vision.safetensors");
    let mut bytes = fs::read(&vision).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&vision, &bytes).unwrap();
    let refused = |expected: &str| {
        let output = dermake().arg("classify").arg(sample(1)).arg("--model").arg(folder.path()).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{log}");
        assert!(log.contains("vision.safetensors") && log.contains(expected), "{log}");
    };
    refused("SHA-256");
    fs::write(&vision, &bytes[..middle]).unwrap();
    refused("bytes");
    fs::remove_file(&vision).unwrap();
    refused("cannot open");
}
