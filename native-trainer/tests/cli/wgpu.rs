//! `--device wgpu`, on this machine's GPU or on Mesa's lavapipe, which the set-up installs.

use crate::{dermake, json_lines, labels_of, models, probabilities_of, sample};
use std::process::Output;

fn classify(model: &str, device: &str, more: &[&str]) -> Output {
    let mut command = dermake();
    command.args(["classify", "--json", "--top-k", "6", "--model", model, "--device", device]).args(more);
    command.args([sample(1), sample(2)]).output().unwrap()
}

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_gpu_answers_as_the_processor_does() {
    for labels in ["pad", "a brown spot, a scaly plaque"] {
        let [cpu, gpu] = ["cpu", "wgpu"].map(|device| classify("demo", device, &["--labels", labels]));
        assert!(gpu.status.success(), "{}", message(&gpu));
        for (cpu, gpu) in json_lines(&cpu.stdout).iter().zip(json_lines(&gpu.stdout)) {
            assert_eq!(labels_of(cpu), labels_of(&gpu));
            for (expected, found) in probabilities_of(cpu).iter().zip(probabilities_of(&gpu)) {
                assert!((expected - found).abs() < 0.02, "{found}, expected {expected}");
            }
        }
    }
}

#[test]
fn a_gpu_ranks_concepts_as_the_processor_does() {
    let concepts = |device: &str| {
        let mut command = dermake();
        let output = command.args(["annotate", "--json", "--device", device]).arg(sample(1)).output().unwrap();
        assert!(output.status.success(), "{}", message(&output));
        json_lines(&output.stdout).remove(0)
    };
    let names = |answer: &serde_json::Value| {
        let concepts = answer["concepts"].as_array().unwrap().iter();
        concepts.take(3).map(|concept| concept["concept"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&concepts("wgpu")), names(&concepts("cpu")));
}

#[test]
fn what_a_gpu_cannot_do_is_one_sentence_and_nothing_answers_instead() {
    let dense = models().dense.to_str().unwrap();
    for (model, device, expected) in [
        (dense, "wgpu", "the device wgpu computes int8 models; `dermake quantize` makes one"),
        ("demo", "wgpu:99", "there is no GPU wgpu:99; this machine has wgpu:0 ("),
    ] {
        let output = classify(model, device, &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty() && message(&output).contains(expected), "{}", message(&output));
    }
}

/// Linux finds drivers by files that these variables replace.
#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_a_driver_is_told_so() {
    let mut command = dermake();
    for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        command.env(name, "/no/driver.json");
    }
    let output = command.args(["classify", "--device", "wgpu"]).arg(sample(1)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = message(&output);
    assert!(message.contains("no GPU was found: it needs a driver for Vulkan"), "{message}");
}

#[test]
fn training_refuses_the_device() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut command = dermake();
    let output = command.args(["train", "smoke", "--data"]).arg(folder.path()).arg("--out").arg(&out);
    let output = output.args(["--device", "wgpu"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        message(&output).contains("wgpu answers with int8 models only; use cpu or cuda"),
        "{}",
        message(&output)
    );
    assert!(!out.exists());
}
