//! Tables of one's own whose labels, images or templates are elsewhere than usual.

use super::calibrate::calibrated;
use super::own_data::{classes, results, run, text};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Conditions of drawn photos, by the columns that ISIC has for them.
const ISIC: [(&str, &str); 6] = [
    ("MEL", "melanoma"),
    ("NV", "nevus"),
    ("BCC", "basal cell carcinoma"),
    ("AK", "actinic keratosis"),
    ("BKL", "seborrheic keratosis"),
    ("SCC", "squamous cell carcinoma"),
];

/// Writes a table in ISIC's form of drawn photos, as a spreadsheet saves it; `more` are further rows.
fn isic_of_drawn(folder: &Path, more: &str) -> PathBuf {
    let drawn = fs::read_to_string(calibrated().path("synth/train.csv")).unwrap();
    let row = |line: &str| {
        let (image, condition) = (line.split(',').next()?, line.rsplit(',').nth(1)?);
        ISIC.iter().find(|(_, name)| *name == condition)?;
        let cells = ISIC.map(|(_, name)| if name == condition { "1,0" } else { "0,0" });
        Some(format!("{};{};0,0\r\n", image.rsplit_once('.')?.0, cells.join(";")))
    };
    let rows: String = drawn.lines().skip(1).filter_map(row).collect();
    let table = folder.join("isic.csv");
    let names = ISIC.map(|(short, _)| short).join(";");
    fs::write(&table, format!("\u{feff}image;{names};UNK\r\n{rows}{more}")).unwrap();
    table
}

#[test]
fn a_table_of_isic_trains_a_classifier_and_calibrates_a_model() {
    let root = tempfile::tempdir().unwrap();
    let table = isic_of_drawn(root.path(), "none;1,0;1,0;0,0;0,0;0,0;0,0;0,0\r\n");
    let (images, out) = (calibrated().path("synth"), root.path().join("head"));
    let said_once = |log: &str, expected: &str| assert_eq!(log.matches(expected).count(), 1, "{expected}: {log}");
    let columns = "the labels are columns: MEL, NV, BCC, AK, BKL, SCC; UNK is 0 in every row and left out";
    let left_out = "1 rows without a label are left out, the first is row 241 (line 242)";

    let paths = [("--data", &*table), ("--images", &*images), ("--out", &*out)];
    let output = run(&["finetune", "demo", "--no-cache"], &paths);
    let log = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    said_once(&log, columns);
    said_once(&log, left_out);
    let head: Value = serde_json::from_slice(&fs::read(out.join("head.json")).unwrap()).unwrap();
    let classes: Vec<&str> =
        head["classes"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!((classes.len(), classes[0], classes[4]), (6, "melanoma", "benign keratosis"));
    let accuracy = results(&out)["benchmarks"][0]["metrics"][0]["value"].as_f64().unwrap();
    assert!(accuracy > 0.8, "{accuracy}");

    let paths = [("--data", &*table), ("--images", &*images)];
    let output = run(&["calibrate", "demo", "--no-cache", "--json"], &paths);
    let log = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    said_once(&log, columns);
    said_once(&log, left_out);
    let calibration: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(calibration["class_names"].as_array().unwrap().len(), 6, "{calibration}");
}

#[test]
fn rows_of_a_table_of_isic_with_two_classes_are_no_unreadable_images() {
    let root = tempfile::tempdir().unwrap();
    let table = isic_of_drawn(root.path(), &"none;1;1;0;0;0;0;0\r\n".repeat(9));
    let (images, out) = (calibrated().path("synth"), root.path().join("head"));
    for command in [&["eval"][..], &["calibrate", "demo"], &["finetune", "demo", "--out", out.to_str().unwrap()]] {
        let output = run(command, &[("--data", &table), ("--images", &images)]);
        let log = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{log}");
        let expected =
            "9 of 249 rows have no label (3.6 %, allowed are 1.0 %); the first in row 241: 2 columns of classes";
        assert!(log.contains(expected), "{log}");
    }
}

#[test]
fn a_check_of_labels_without_captions_says_what_they_are_for() {
    let root = tempfile::tempdir().unwrap();
    let table = isic_of_drawn(root.path(), "");
    let plain = root.path().join("plain.csv");
    fs::write(&plain, "image,dx\na,acne\n").unwrap();
    for table in [&table, &plain] {
        let output = run(&["data", "check", table.to_str().unwrap()], &[]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("truncated_caption") && said.contains("are for `dermake finetune`"), "{said}");
    }
    let neither = root.path().join("neither.csv");
    fs::write(&neither, "image,age\na,40\n").unwrap();
    assert!(!text(&run(&["data", "check", neither.to_str().unwrap()], &[]).stdout).contains("finetune`"));
}

#[test]
fn a_table_of_isic_is_read_as_one_label_a_row() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path());
    let (table, out) = (root.path().join("acne/isic.csv"), root.path().join("report"));
    let rows = "a,1.0,0.0,0,0,0,0,0,0\nb,0,1,0,0,0,0,0,0\n";
    let write = |more: &str| {
        fs::write(&table, format!("image,MEL,NV,BCC,AKIEC,BKL,DF,VASC,UNK\n{rows}{more}")).unwrap();
    };
    write("");
    let output = run(&["eval", "--no-cache"], &[("--data", &table), ("--out", &out)]);
    let log = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    for expected in [
        "the labels are columns: MEL, NV, BCC, AKIEC, BKL, DF, VASC; UNK is 0 in every row and left out",
        "short names are read as labels: MEL is melanoma, NV is nevus",
    ] {
        assert!(log.contains(expected), "{log}");
    }
    let found = results(&out);
    let benchmark = &found["benchmarks"][0];
    let classes = benchmark["details"]["classes"].as_array().unwrap();
    let counts: Vec<(&str, u64)> =
        classes.iter().map(|class| (class["name"].as_str().unwrap(), class["n"].as_u64().unwrap())).collect();
    assert_eq!(
        (&counts[..3], counts.len()),
        (&[("melanoma", 1), ("nevus", 1), ("basal cell carcinoma", 0)][..], 7)
    );

    write("c,1,1,0,0,0,0,0,0\n");
    let output = run(&["eval", "--no-cache"], &[("--data", &table)]);
    let log = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert!(log.contains("in row 3: 2 columns of classes are 1 (MEL, NV), expected one"), "{log}");
    write("c,0,0,0,0,0,1,0,0\n");
    let output = run(&["eval", "--no-cache", "--labels", "pad"], &[("--data", &table)]);
    let log = text(&output.stderr);
    assert!(
        log.contains("row 3 has label \"DF\" (1 rows in all), expected an integer below 6 or a name of"),
        "{log}"
    );
}

#[test]
fn the_images_of_a_table_may_be_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("photos"));
    let table = root.path().join("tables/t.csv");
    fs::create_dir(root.path().join("tables")).unwrap();
    fs::write(&table, "image,label\nacne/a,acne\nNevus/c,nevus\n").unwrap();
    let output = run(&["eval", "--no-cache"], &[("--data", &table)]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let output = run(&["eval", "--no-cache"], &[("--data", &table), ("--images", &root.path().join("photos"))]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn templates_of_ones_own_are_used_and_recorded() {
    let root = tempfile::tempdir().unwrap();
    let (data, out) = (root.path().join("photos"), root.path().join("report"));
    classes(&data);
    let evaluated = |options: &[&str]| {
        let arguments = [&["eval", "--no-cache"], options].concat();
        let output = run(&arguments, &[("--data", &data), ("--out", &out)]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let predictions = fs::read_dir(out.join("predictions/own")).unwrap().next().unwrap().unwrap().path();
        (results(&out), fs::read_to_string(predictions).unwrap())
    };
    let (usual, usual_answers) = evaluated(&[]);
    let (own, own_answers) = evaluated(&["--template", "a photo of {}", "--template", "{} on skin"]);
    assert_eq!(usual["templates"].as_array().unwrap().len(), 8);
    assert_eq!(own["templates"], serde_json::json!(["a photo of {}", "{} on skin"]));
    assert_ne!(usual_answers, own_answers);
    assert!(!usual["benchmarks"][0]["notes"].to_string().contains("templates"));
    let notes = own["benchmarks"][0]["notes"].to_string();
    assert!(notes.contains("templates: ") && notes.contains("{} on skin"), "{notes}");
    let output = run(&["eval", "--no-cache", "--template", "a photo"], &[("--data", &data)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a sentence with one {} for the label"), "{}", text(&output.stderr));
}
