//! Data of one's own, as a newcomer has them: a folder, a table, JSON lines, tar and Parquet files, in; tables, vectors
//! and figures, out.

use crate::{dermake, json_lines, sample};
use dermake_sources::Dataset;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;

/// A folder of two classes with two photos each.
pub fn classes(root: &Path) {
    for (name, index) in [("acne/a.jpg", 1), ("acne/b.jpg", 2), ("Nevus/c.jpg", 3), ("Nevus/d.jpg", 1)] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(sample(index), path).unwrap();
    }
}

pub fn run(arguments: &[&str], paths: &[(&str, &Path)]) -> Output {
    let mut command = dermake();
    command.args(arguments);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    command.output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn results(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("results.json")).unwrap()).unwrap()
}

#[test]
fn a_folder_of_classes_is_evaluated_and_its_report_has_figures_and_features() {
    let root = tempfile::tempdir().unwrap();
    let (data, out) = (root.path().join("photos"), root.path().join("report"));
    classes(&data);
    fs::write(data.join("notes.txt"), "x").unwrap();
    let (features, answers) = (root.path().join("features.parquet"), root.path().join("answers.parquet"));
    let paths = [("--data", &*data), ("--out", &*out), ("--embeddings", &*features), ("--predictions", &*answers)];
    let output = run(&["eval", "--no-cache"], &paths);
    let log = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(
        log.contains("read 4 images from the folders in") && log.contains("1 other file is not read: notes.txt"),
        "{log}"
    );
    assert!(!log.contains("not supported"), "styles of the figures: {log}");
    let results = results(&out);
    let benchmark = &results["benchmarks"][0];
    assert_eq!((&benchmark["key"], &benchmark["n_scored"]), (&"own".into(), &4.into()));
    let classes = benchmark["details"]["classes"].as_array().unwrap();
    assert_eq!((&classes[0]["name"], &classes[1]["name"]), (&"acne".into(), &"Nevus".into()));
    assert!(classes.iter().all(|class| class["recall_interval"].is_array()), "{classes:?}");
    assert_eq!(benchmark["details"]["scale"], 100.0);
    let report = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(report.contains("Probabilities are a softmax of 100 times the cosines."), "{report}");
    let figure = fs::read_to_string(out.join("figures/own-confusion-matrix.svg")).unwrap();
    assert!(figure.contains("Nevus"), "{figure}");
    let picture = image::open(out.join("figures/own-confusion-matrix.png")).unwrap().to_rgb8();
    assert!(picture.width() > 300 && picture.pixels().any(|pixel| pixel.0 != [255; 3]), "{}", picture.width());
    let written = Dataset::read(&features).unwrap();
    assert_eq!((written.len(), written.cell(0, 0), written.cell(3, 1)), (4, "own", "4"));
    assert!(written.cell(0, 2).ends_with("c.jpg"), "{}", written.cell(0, 2));
    let written = Dataset::read(&answers).unwrap();
    assert_eq!((written.len(), written.cell(0, 0), written.cell(0, 3)), (4, "own", "Nevus"));
    assert_eq!(written.columns()[5..], ["probability_acne", "probability_Nevus"]);
}

#[test]
fn a_table_of_labels_and_captions_gives_both_figures_and_bad_rows_are_named() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path());
    let (table, out) = (root.path().join("test.jsonl"), root.path().join("report"));
    let row = |image: &str, dx: &str| {
        serde_json::json!({ "image": image, "dx": dx, "caption": format!("a photo of {dx}, {image}") }).to_string()
    };
    let without = "{\"image\": \"Nevus/d.jpg\", \"dx\": \"nevus\", \"caption\": \"N/A\"}".to_owned();
    let rows = [row("acne/a.jpg", "acne"), row("acne/b.jpg", "Acne"), row("Nevus/C.JPG", "nevus"), without];
    fs::write(&table, rows.join("\r\n")).unwrap();
    let output = run(&["eval", "--no-cache"], &[("--data", &table), ("--out", &out)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("these spellings count as one class: acne, Acne"),
        "{}",
        text(&output.stderr)
    );
    let found = results(&out);
    let keys: Vec<&str> =
        found["benchmarks"].as_array().unwrap().iter().map(|b| b["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["own", "own_retrieval"]);
    assert_eq!((&found["benchmarks"][0]["n_scored"], &found["benchmarks"][1]["n_scored"]), (&4.into(), &3.into()));
    let notes = found["benchmarks"][1]["notes"].to_string();
    assert!(notes.contains("1 rows without a caption (1 says N/A) are left out"), "{notes}");
    let metrics: Vec<&str> =
        found["benchmarks"][1]["metrics"].as_array().unwrap().iter().map(|m| m["key"].as_str().unwrap()).collect();
    assert_eq!(metrics[0], "recall_at_10_image_to_text", "the main one first");
    assert!(metrics.contains(&"recall_at_1_text_to_image") && metrics.contains(&"recall_at_5_image_to_text"));

    fs::write(&table, format!("{}\n{{\"image\": \"none.jpg\", \"dx\": \"acne\"}}\n", rows.join("\n"))).unwrap();
    let output = run(&["eval", "--no-cache", "--label-column", "dx"], &[("--data", &table)]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("1 of 5 images cannot be read"), "{}", text(&output.stderr));
    let output =
        run(&["eval", "--no-cache", "--label-column", "dx", "--max-unreadable", "0.5"], &[("--data", &table)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn the_first_error_names_lines_that_work() {
    let root = tempfile::tempdir().unwrap();
    let empty = root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for path in [&empty, &root.path().join("none")] {
        let output = run(&["eval"], &[("--data", path)]);
        assert_eq!(output.status.code(), Some(2));
        for line in ["\n  --data photos ", "\n  --data test.csv --label-column dx ", "dermake synth --out drawn"] {
            assert!(text(&output.stderr).contains(line), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn benchmarks_of_a_folder_that_is_not_there_are_no_benchmarks_of_a_file() {
    let root = tempfile::tempdir().unwrap();
    let output = run(&["eval", "--only", "pda"], &[("--data", &root.path().join("data"))]);
    let log = text(&output.stderr);
    assert!(output.status.code() == Some(2) && log.contains("there is no data folder"), "{log}");
    assert!(log.contains("name one with --data"), "{log}");
    let file = root.path().join("test.csv");
    fs::write(&file, "image,label\n").unwrap();
    let output = run(&["eval", "--only", "pad"], &[("--data", &file)]);
    assert!(text(&output.stderr).contains("--only chooses among"), "{}", text(&output.stderr));
}

#[test]
fn features_and_scores_are_written_for_other_programs() {
    let root = tempfile::tempdir().unwrap();
    let photos = root.path().join("photos");
    classes(&photos);
    let out = root.path().join("e.npy");
    let output = dermake().arg("embed").arg(&photos).arg("--out").arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let bytes = fs::read(&out).unwrap();
    assert!(
        bytes.starts_with(b"\x93NUMPY") && text(&bytes[..128]).contains("'shape': (4, "),
        "{}",
        text(&bytes[..128])
    );
    assert_eq!(fs::read_to_string(root.path().join("e.rows.csv")).unwrap().lines().nth(1), Some("Nevus/c.jpg"));

    let out = root.path().join("scores.csv");
    let output = dermake().arg("annotate").arg(&photos).arg("--out").arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("4 photos, 64 concepts: "), "{}", text(&output.stdout));
    let scores = Dataset::read(&out).unwrap();
    assert_eq!((scores.len(), scores.columns().len()), (4, 65));
    let score: f64 = scores.cell(0, scores.column("scale").unwrap()).parse().unwrap();
    assert!((0.0..=1.0).contains(&score));

    let missing = dermake().args(["annotate", "no-such-folder", "--out"]).arg(&out).output().unwrap();
    assert_eq!((missing.status.code(), text(&missing.stdout).as_str()), (Some(2), ""), "{}", text(&missing.stderr));
    assert_eq!(Dataset::read(&out).unwrap().len(), 4, "a table is not replaced by an empty one");

    let bad = dermake().arg("embed").arg(&photos).args(["--out", "e.xlsx"]).output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
    assert!(
        text(&bad.stderr).contains("expected a name ending in .csv, .tsv, .parquet or .npy"),
        "{}",
        text(&bad.stderr)
    );
}

#[test]
fn the_own_scale_changes_probabilities_and_no_ranks() {
    let classify = |scale: &str| {
        let output = dermake().arg("classify").arg(sample(1)).args(["--json", "--scale", scale]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let said = if scale == "own" { "the scale that the checkpoint learned" } else { "as in MAKE's evaluation" };
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
        json_lines(&output.stdout).remove(0)
    };
    let (reference, own) = (classify("100"), classify("own"));
    assert_eq!(crate::labels_of(&reference), crate::labels_of(&own));
    assert_eq!(reference["scale"], 100.0);
    let (scale, logit) =
        (own["scale"].as_f64().unwrap(), |answer: &Value| answer["predictions"][0]["logit"].as_f64().unwrap());
    assert!(scale > 0.0 && scale != 100.0, "{scale}");
    assert!((logit(&own) / scale - logit(&reference) / 100.0).abs() < 1e-4);

    // One template and one term: the log-odds of a score are the scale times a difference of cosines.
    let annotate = |scale: &str| {
        let mut command = dermake();
        command.arg("annotate").arg(sample(1)).args(["--json", "--concepts", "bulla", "--scale", scale]);
        json_lines(&command.output().unwrap().stdout).remove(0)
    };
    let (reference, own) = (annotate("98.9"), annotate("own"));
    assert_eq!(annotate("100"), reference, "as for labels");
    let help = dermake().args(["annotate", "--help"]).output().unwrap();
    assert!(text(&help.stdout).contains("[default: 98.9]"), "{}", text(&help.stdout));
    assert!((reference["scale"].as_f64().unwrap() - 4.5944f64.exp()).abs() < 0.01, "{reference}");
    assert!((own["scale"].as_f64().unwrap() - scale).abs() < 1e-9, "{own}");
    let score = |answer: &Value| answer["concepts"][0]["score"].as_f64().unwrap();
    assert!(
        score(&own) != score(&reference) && (score(&own) > 0.5) == (score(&reference) > 0.5),
        "{own} {reference}"
    );
    let refused = dermake().arg("annotate").arg(sample(1)).args(["--scale", "calibrated"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "concepts have no calibration");
}
