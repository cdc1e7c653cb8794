//! `dermake init` and `dermake quantize`.

use crate::{dermake, json_lines, labels_of, models, probabilities_of, sample};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;

#[test]
fn the_same_seed_gives_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("again");
    dermake().args(["init", "--arch", "ViT-B-32", "--seed", "3", "--out"]).arg(&out).assert().success();
    let hash =
        |folder: &std::path::Path| Sha256::digest(fs::read(folder.join("open_clip_model.safetensors")).unwrap());
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
fn quantised_answers_are_the_dense_ones_but_for_rounding() {
    let answer = |model: &std::path::Path, labels: &str| {
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
