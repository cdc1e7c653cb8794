//! A checkpoint that Python's open_clip wrote is answered as open_clip answers: `open_clip_eval/` of the fixtures.

use crate::dermake;
use crate::json_lines;
use crate::labels_of;
use dermake_evaluation::results::{BenchmarkResult, Details, Results};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared-model/tests/fixtures/open_clip_eval").join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(fixture("expected.json")).unwrap()).unwrap()
}

fn run(arguments: &[&str], paths: &[PathBuf]) -> Output {
    let output = dermake().args(arguments).args(paths).arg("--model").arg(fixture("epoch_1.pt")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn strings(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn every_picture_has_open_clip_s_probabilities() {
    let expected = &expected()["zero_shot"];
    let files = strings(&expected["files"]);
    let labels = fixture("data/classes.json");
    let paths: Vec<PathBuf> = files.iter().map(|file| fixture("data/zeroshot").join(file)).collect();
    let arguments = ["classify", "--json", "--ignore-exif", "--top-k", "7", "--labels", labels.to_str().unwrap()];
    let answers = json_lines(&run(&arguments, &paths).stdout);
    let names = strings(&self::expected()["class_names"]);
    assert_eq!(answers.len(), files.len());
    for (row, answer) in answers.iter().enumerate() {
        // Another decoder of JPEG gives other pixels.
        let tolerance = if files[row].ends_with(".jpg") { 5e-3 } else { 2e-5 };
        let theirs = numbers(&expected["probabilities"][row]);
        assert_eq!(labels_of(answer)[0], names[expected["predictions"][row].as_u64().unwrap() as usize]);
        for prediction in answer["predictions"].as_array().unwrap() {
            let class = names.iter().position(|name| *name == prediction["label"].as_str().unwrap()).unwrap();
            let difference = (prediction["probability"].as_f64().unwrap() - theirs[class]).abs();
            assert!(difference < tolerance, "{}: {difference}", files[row]);
        }
    }
}

#[test]
fn every_picture_has_the_reference_s_concept_scores() {
    let expected = &expected()["concepts"];
    let files = strings(&expected["files"]);
    let concepts = strings(&expected["concepts"]);
    let paths: Vec<PathBuf> = files.iter().map(|file| fixture("data/concept/final_images").join(file)).collect();
    let names = concepts.join(",");
    let arguments = ["annotate", "--json", "--ignore-exif", "--concepts", &names];
    let cache = tempfile::tempdir().unwrap();
    let output = dermake()
        .args(arguments)
        .args(&paths)
        .arg("--model")
        .arg(fixture("epoch_1.pt"))
        .env("XDG_CACHE_HOME", cache.path())
        .output()
        .unwrap();
    let answers = json_lines(&output.stdout);
    assert_eq!(answers.len(), files.len(), "{}", String::from_utf8_lossy(&output.stderr));
    for (row, answer) in answers.iter().enumerate().filter(|(row, _)| files[*row].ends_with(".png")) {
        let theirs = numbers(&expected["scores"][row]);
        for answer in answer["concepts"].as_array().unwrap() {
            let name = answer["concept"].as_str().unwrap();
            let concept = concepts.iter().position(|concept| concept.eq_ignore_ascii_case(name)).unwrap();
            let difference = (answer["score"].as_f64().unwrap() - theirs[concept]).abs();
            assert!(difference < 2e-5, "{} {name}: {difference}", files[row]);
        }
    }
}

#[test]
fn all_benchmarks_have_the_reference_s_figures() {
    let out = tempfile::tempdir().unwrap();
    let data = fixture("data");
    let arguments = ["eval", "--no-cache", "--only", "synth,synth_concepts,synth_retrieval", "--data"];
    run(&[&arguments[..], &[data.to_str().unwrap(), "--out", out.path().to_str().unwrap()]].concat(), &[]);
    let results: Results = serde_json::from_slice(&fs::read(out.path().join("results.json")).unwrap()).unwrap();
    let [zero_shot, concepts, retrieval] = &results.benchmarks[..] else { panic!("three benchmarks: {results:?}") };
    let expected = expected();

    for metric in ["top1_accuracy", "top3_accuracy", "balanced_accuracy", "weighted_f1", "macro_auroc"] {
        assert_metric(zero_shot, metric, &expected["zero_shot"][metric]);
    }
    let Details::Classification(details) = &zero_shot.details else { panic!("{:?}", zero_shot.details) };
    assert_eq!(serde_json::json!(details.confusion), expected["zero_shot"]["confusion"]);

    assert_metric(concepts, "mean_auroc", &expected["concepts"]["mean_auroc"]);
    let Details::Concepts(details) = &concepts.details else { panic!("{:?}", concepts.details) };
    for (concept, theirs) in details.concepts.iter().zip(numbers(&expected["concepts"]["auroc"])) {
        assert!((concept.auroc.unwrap() - theirs).abs() < 1e-9, "{concept:?}");
    }

    for direction in ["image_to_text", "text_to_image"] {
        for metric in ["recall_at_10", "mean_rank", "median_rank"] {
            let theirs = &expected["retrieval"][direction][metric];
            assert_metric(retrieval, &format!("{metric}_{direction}"), theirs);
        }
    }
}

fn assert_metric(result: &BenchmarkResult, key: &str, expected: &Value) {
    let ours = result.metrics.iter().find(|metric| metric.key == key).and_then(|metric| metric.value).unwrap();
    let expected = expected.as_f64().unwrap_or_else(|| panic!("the fixture has no {key}"));
    assert!((ours - expected).abs() < 1e-9, "{} {key}: {ours}, expected {expected}", result.key);
}
