//! `dermake classify`.

use crate::dermake;
use crate::json_lines;
use crate::labels_of;
use crate::models;
use crate::probabilities_of;
use crate::sample;
use crate::standin_hub::StandinHub;
use std::fs;

#[test]
fn one_bad_file_in_many_is_named_and_the_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("notes.png");
    fs::write(&bad, "This is no photo.").unwrap();
    let missing = folder.path().join("missing.jpg");
    let output = dermake()
        .args(["classify", "--json", "--top-k", "6", "--model"])
        .arg(&models().quantized)
        .args([&sample(1), &bad, &missing, &sample(2)])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let answers = json_lines(&output.stdout);
    assert_eq!(answers.len(), 2);
    for answer in &answers {
        assert_eq!(labels_of(answer).len(), 6);
        assert!((probabilities_of(answer).iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert!(answer["millis"].as_f64().unwrap() > 0.0);
        assert!(answer["image"].as_str().unwrap().ends_with(".jpg"));
        assert_eq!(answer["model"], "untrained");
    }
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("notes.png") && log.contains("missing.jpg") && log.contains("never trained"), "{log}");
}

#[test]
fn labels_come_from_sets_files_and_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("labels.json");
    fs::write(&file, r#"["acne, inflamed", "wart"]"#).unwrap();
    let answer = |labels: &str, more: &[&str]| {
        let mut command = dermake();
        command.args(["classify", "--json", "--top-k", "3", "--labels", labels]).args(more);
        let output = command.arg("--model").arg(&models().quantized).arg(sample(3)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        json_lines(&output.stdout).remove(0)
    };
    let sorted = |labels: &[&str]| {
        let mut labels = labels.to_vec();
        labels.sort_unstable();
        labels.join("|")
    };
    assert_eq!(sorted(&labels_of(&answer(file.to_str().unwrap(), &[]))), "acne, inflamed|wart");
    assert_eq!(sorted(&labels_of(&answer("acne, wart ,mole", &[]))), "acne|mole|wart");
    assert_eq!(labels_of(&answer("snu", &[])).len(), 3);

    // Another template is another classifier; the shipped one answers for the default templates only.
    let pad = answer("pad", &[]);
    let other = answer("pad", &["--template", "a drawing of {}"]);
    assert_ne!(probabilities_of(&pad), probabilities_of(&other));
}

#[test]
fn the_table_is_for_people() {
    let output = dermake().arg("classify").arg(sample(1)).arg("--model").arg(&models().quantized).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.contains("sample-1.jpg") && text.contains(" 1. ") && text.contains('%'), "{text}");
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        log.matches("probabilities are a softmax of 100 times the cosines, not calibrated").count(),
        1,
        "{log}"
    );
}

#[test]
fn without_a_model_the_one_inside_the_program_answers_and_says_what_it_is() {
    let empty = tempfile::tempdir().unwrap();
    let answer = |model: &[&str]| {
        let mut command = dermake();
        for name in ["HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE"] {
            command.env(name, empty.path());
        }
        let command = command.current_dir(empty.path()).env("HF_ENDPOINT", "http://127.0.0.1:9");
        let output = command.args(["classify", "--json"]).arg(sample(1)).args(model).output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        assert_eq!(log.matches("drawn pictures").count(), 1, "{log}");
        json_lines(&output.stdout).remove(0)
    };
    let unnamed = answer(&[]);
    assert_eq!(labels_of(&unnamed).len(), 5);
    assert!(probabilities_of(&unnamed).iter().all(|p| (0.0..=1.0).contains(p)), "{unnamed}");
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);

    // The folder in git that the page gets is the same model.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared-model/data/demo");
    for model in ["demo", folder] {
        assert_eq!(answer(&["--model", model])["predictions"], unnamed["predictions"], "{model}");
    }
    // Typed labels need its text tower.
    assert_eq!(labels_of(&answer(&["--labels", "psoriasis, vitiligo"])).len(), 2);
}

#[test]
fn wrong_input_of_every_kind_gets_a_sentence() {
    let model = models().quantized.to_str().unwrap();
    let photo = sample(1);
    let photo = photo.to_str().unwrap();
    for (arguments, expected) in [
        (vec!["classify", photo, "--model", model, "--labels", "[a, a]"], "JSON list"),
        (vec!["classify", photo, "--model", model, "--labels", ","], "labels"),
        (vec!["classify", photo, "--model", model, "--labels", "no/such/file.json"], "no label file"),
        (vec!["classify", photo, "--model", model, "--template", "no place"], "{}"),
        (vec!["classify", photo, "--model", "no/such/folder"], "no/such/folder"),
        (vec!["classify", photo, "--model", model, "--device", "gpu"], "cuda:N"),
        (vec!["classify", photo, "--model", model, "--top-k", "0"], "top-k"),
        (vec!["classify", "--model", model], "IMAGE"),
        (vec!["init", "--arch", "ViT-H-14", "--out", "unused"], "ViT-B-16"),
        (vec!["quantize", "--model", model, "--out", "unused"], "quantized already"),
        (
            vec!["quantize", "--out", "unused"],
            "demo model is quantized already; name a dense checkpoint with --model",
        ),
        (vec!["quantize", "--model", model, "--format", "q5_k", "--out", "unused"], "q8_0"),
        (vec!["serve", "--models", "no-such-folder", "--app", "no-such-app"], "no-such-"),
    ] {
        let output = dermake().args(&arguments).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {log}");
        assert!(log.contains(expected) && !log.contains("panicked"), "{arguments:?}: {log}");
    }
    #[cfg(not(feature = "cuda"))]
    {
        let output = dermake().args(["classify", photo, "--model", model, "--device", "cuda"]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("built without CUDA"));
    }
}

#[test]
fn a_hub_model_is_downloaded_and_then_works_offline() {
    let hub = StandinHub::start(models().dense.parent().unwrap().parent().unwrap()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let classify = |offline: bool| {
        let mut command = dermake();
        command.env("HF_HOME", home.path()).env("HF_ENDPOINT", &hub.url);
        if !offline {
            command.env_remove("HF_HUB_OFFLINE");
        }
        let output = command
            .args(["classify", "--json", "--model", "hf-hub:ada/untrained"])
            .arg(sample(1))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        json_lines(&output.stdout).remove(0)
    };
    let online = classify(false);
    assert_eq!(online["model"], "ada/untrained");
    let offline = classify(true);
    assert_eq!(online["predictions"], offline["predictions"]);
}
