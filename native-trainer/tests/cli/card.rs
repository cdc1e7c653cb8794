//! `dermake card`.

use crate::calibrate::copy_demo;
use crate::dermake;
use serde_json::{Value, json};
use shared_model::manifest::Manifest;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

fn card(model: &Path, arguments: &[&str]) -> Output {
    dermake().arg("card").arg(model).args(arguments).output().unwrap()
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn results(model: &str) -> Value {
    let group = |name: &str, value: f64| json!({"name": name, "n": 20, "value": value, "interval": null});
    json!({
        "format": "dermake-results/1", "version": "0", "protocol": "all", "skipped": [],
        "model": {"name": model, "sha256": "", "is_trained": true, "notice": null},
        "effort": {"images_encoded": 0, "images_at_hand": 0, "image_secs": 0.0, "prompts_encoded": 0, "prompt_secs": 0.0},
        "benchmarks": [{
            "key": "pad", "title": "PAD-UFES-20", "table": "t.csv", "n_scored": 40, "n_rows": 40, "unreadable": [],
            "notes": [],
            "metrics": [{"key": "top1_accuracy", "title": "top-1 accuracy", "value": 0.75, "interval": [0.7, 0.8]}],
            "breakdowns": [{
                "column": "fitzpatrick", "metric": "top1_accuracy", "gap": 0.5,
                "groups": [group("I–II", 0.9), group("V–VI", 0.4)],
            }],
            "details": {"task": "retrieval", "recall_ks": [], "image_to_text": [], "text_to_image": []},
        }],
    })
}

/// A folder of the demo model that says as little of itself as one that was quantized from the hub.
fn demo_without_card(root: &Path) -> PathBuf {
    let folder = root.join("bare");
    copy_demo(&folder);
    let path = folder.join(Manifest::FILE_NAME);
    let manifest = Manifest::from_json(&fs::read(&path).unwrap()).unwrap();
    let bare = Manifest { card: None, calibrations: Vec::new(), ..manifest };
    fs::write(&path, serde_json::to_vec(&bare).unwrap()).unwrap();
    folder
}

#[test]
fn results_of_the_same_weights_are_told_from_those_before_they_were_quantized() {
    let root = tempfile::tempdir().unwrap();
    let model = root.path().join("model");
    copy_demo(&model);
    let mut synth = dermake();
    synth.args(["synth", "--images", "40", "--seed", "5", "--image-size", "96", "--out"]);
    synth.arg(root.path().join("data/synth")).assert().success();
    let mut eval = dermake();
    eval.args(["eval", "--no-cache", "--only", "synth", "--model"]).arg(&model).arg("--data");
    eval.arg(root.path().join("data")).arg("--out").arg(root.path().join("report")).assert().success();
    let results = root.path().join("report/results.json");
    // Another calibration or card does not change the weights.
    assert!(card(&model, &["--license", "MIT"]).status.success());
    let added = card(&model, &["--results", results.to_str().unwrap(), "--json"]);
    assert!(added.status.success(), "{}", log(&added));
    let json: Value = serde_json::from_slice(&added.stdout).unwrap();
    let evaluations = json["evaluations"].as_array().unwrap();
    let own = evaluations.iter().find(|evaluation| evaluation["n"] == 140).unwrap();
    assert_eq!((&own["is_of_these_weights"], &own["benchmark"]), (&true.into(), &"synth".into()));
    assert!(own["by_skin_tone"][0]["name"].as_str().unwrap().starts_with("Fitzpatrick type "), "{own}");
    // Weights are known whatever the name is, as after the folder was named anew.
    let mut renamed: Value = serde_json::from_slice(&fs::read(&results).unwrap()).unwrap();
    renamed["model"]["name"] = "another".into();
    fs::write(&results, renamed.to_string()).unwrap();
    let added = card(&model, &["--results", results.to_str().unwrap()]);
    assert!(added.status.success(), "{}", log(&added));
}

#[test]
fn a_card_is_kept_in_the_manifest_and_shown() {
    let root = tempfile::tempdir().unwrap();
    let model = root.path().join("model");
    copy_demo(&model);
    let path = root.path().join("results.json");
    fs::write(&path, results("demo").to_string()).unwrap();
    let added = card(
        &model,
        &[
            "--trained-on",
            "drawn pictures",
            "--limit",
            "No photo.",
            "--license",
            "MIT",
            "--results",
            path.to_str().unwrap(),
        ],
    );
    assert!(added.status.success(), "{}", log(&added));
    let shown = String::from_utf8(card(&model, &[]).stdout).unwrap();
    for expected in [
        "drawn pictures",
        "No photo.",
        "MIT",
        "PAD-UFES-20, 40 images: top-1 accuracy 0.750 (0.700–0.800)",
        "Fitzpatrick type V–VI, 20 images: 0.400",
        "of the weights before they were quantized",
        "pad, 6 labels: temperature 1.91",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    // Of results of one benchmark, the last are kept.
    let n_added =
        |output: Output| String::from_utf8_lossy(&output.stdout).matches("PAD-UFES-20, 40 images").count();
    let results = ["--results", path.to_str().unwrap(), "--results", path.to_str().unwrap()];
    assert_eq!(n_added(card(&model, &results)), 1);
    // What is given replaces what was there, and the rest stays.
    card(&model, &["--license", "Apache-2.0"]);
    let json: Value = serde_json::from_slice(&card(&model, &["--json"]).stdout).unwrap();
    assert_eq!((&json["license"], &json["limits"]), (&"Apache-2.0".into(), &json!(["No photo."])));
    let mut classify = dermake();
    let output = classify.arg("classify").arg(crate::sample(1)).arg("--model").arg(&model).output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
}

#[test]
fn results_of_several_data_of_ones_own_stay_beside_each_other() {
    let root = tempfile::tempdir().unwrap();
    let model = root.path().join("model");
    copy_demo(&model);
    let of = |file: &str, title: &str, value: f64| {
        let path = root.path().join(file);
        let mut results = results("demo");
        results["benchmarks"][0]["key"] = "own".into();
        results["benchmarks"][0]["title"] = title.into();
        results["benchmarks"][0]["metrics"][0]["value"] = value.into();
        fs::write(&path, results.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (a, b) = (of("a.json", "A.csv, 2 classes", 0.5), of("b.json", "B.csv, 2 classes", 0.25));
    let added = card(&model, &["--results", &a, "--results", &b]);
    assert!(added.status.success() && !log(&added).contains("replaced"), "{}", log(&added));
    let again = of("again.json", "A.csv, 2 classes", 0.625);
    let replaced = card(&model, &["--results", &again]);
    assert!(
        log(&replaced).contains("replaced what the card said of A.csv, 2 classes, 40 images"),
        "{}",
        log(&replaced)
    );
    let shown = String::from_utf8(card(&model, &[]).stdout).unwrap();
    for expected in
        ["A.csv, 2 classes, 40 images: top-1 accuracy 0.625", "B.csv, 2 classes, 40 images: top-1 accuracy 0.250"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert_eq!(shown.matches("A.csv").count(), 1, "{shown}");
    let both = card(&model, &["--results", &a, "--results", &again]);
    assert!(
        log(&both).contains("A.csv, 2 classes (top-1 accuracy) is in an earlier --results, too"),
        "{}",
        log(&both)
    );
}

#[test]
fn a_blank_text_is_refused_and_one_of_several_lines_is_shown_on_one() {
    let root = tempfile::tempdir().unwrap();
    let model = root.path().join("model");
    copy_demo(&model);
    let before = card(&model, &[]).stdout;
    for option in ["--trained-on", "--limit", "--license", "--source"] {
        for blank in ["", " \n"] {
            let refused = card(&model, &[option, blank]);
            let log = log(&refused);
            assert!(refused.status.code() == Some(2) && log.contains("called unknown"), "{option}: {log}");
        }
    }
    assert_eq!(card(&model, &[]).stdout, before);
    let added = card(&model, &["--limit", "No photo.\r\nNo nails.\n", "--license", " MIT\nor Apache-2.0"]);
    let shown = String::from_utf8(added.stdout).unwrap();
    for expected in ["limit         No photo. No nails.\n", "license       MIT or Apache-2.0\n"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

#[test]
fn results_of_another_model_and_models_without_a_manifest_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let model = root.path().join("model");
    copy_demo(&model);
    let path = root.path().join("results.json");
    fs::write(&path, results("another").to_string()).unwrap();
    let other = card(&model, &["--results", path.to_str().unwrap()]);
    assert!(other.status.code() == Some(2) && log(&other).contains("are of another"), "{}", log(&other));
    let several = |names: &[&str]| {
        let models: Vec<Value> = names.iter().map(|name| results(name)).collect();
        let comparison =
            json!({"format": "dermake-comparison/1", "version": "0", "models": models, "differences": []});
        fs::write(&path, comparison.to_string()).unwrap();
        card(&model, &["--results", path.to_str().unwrap(), "--json"])
    };
    let none = several(&["another", "third"]);
    assert!(none.status.code() == Some(2) && log(&none).contains("are of another, third"), "{}", log(&none));
    let twice = several(&["demo", "demo"]);
    assert!(twice.status.code() == Some(2) && log(&twice).contains("several results are of"), "{}", log(&twice));
    let one = several(&["another", "demo"]);
    assert!(one.status.success(), "{}", log(&one));
    let one: Value = serde_json::from_slice(&one.stdout).unwrap();
    assert!(one["evaluations"].as_array().unwrap().iter().any(|found| found["benchmark"] == "pad"), "{one}");
    fs::write(&path, "{}").unwrap();
    let empty = card(&model, &["--results", path.to_str().unwrap()]);
    assert!(log(&empty).contains("expected results.json"), "{}", log(&empty));
    let bare = demo_without_card(root.path());
    let shown = String::from_utf8(card(&bare, &[]).stdout).unwrap();
    for unknown in
        ["trained on    unknown", "evaluated on  unknown", "by skin tone  unknown", "license       unknown"]
    {
        assert!(shown.contains(unknown), "{unknown}: {shown}");
    }
    let demo = card(Path::new("demo"), &["--license", "MIT"]);
    assert!(demo.status.code() == Some(2) && log(&demo).contains("dermake quantize"), "{}", log(&demo));
    assert!(card(Path::new("demo"), &[]).status.success());
    assert_eq!(card(root.path(), &[]).status.code(), Some(2));
}
