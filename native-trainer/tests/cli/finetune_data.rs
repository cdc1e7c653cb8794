//! What `dermake finetune`, `eval` and `calibrate` say of photos that they leave out, and of labels that contradict.

use crate::calibrate::calibrated;
use crate::finetune::{finetune, photos};
use crate::own_data::{classes, results, run, text};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A table of drawn photos of three classes, of each class the same numbers for training, validation and test; `more` are
/// further rows.
fn split_table(root: &Path, more: &str) -> PathBuf {
    let mut table = "image,label,split\n".to_owned();
    for class in fs::read_dir(photos(root)).unwrap() {
        let class = class.unwrap().path();
        for (at, image) in fs::read_dir(&class).unwrap().enumerate() {
            let part = ["train", "train", "val", "test"][at % 4];
            let (image, label) = (image.unwrap().path(), class.file_name().unwrap().to_string_lossy());
            writeln!(table, "{},{label},{part}", image.display()).unwrap();
        }
    }
    let path = root.join("table.csv");
    fs::write(&path, table + more).unwrap();
    path
}

/// The name of one of the classes.
fn a_class(root: &Path) -> String {
    fs::read_dir(root.join("photos")).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap()
}

fn said_once(log: &str, expected: &str) {
    assert_eq!(log.matches(expected).count(), 1, "{expected}: {log}");
}

#[test]
fn photos_that_cannot_be_read_are_counted_by_part_and_noted() {
    let root = tempfile::tempdir().unwrap();
    let table = split_table(root.path(), "");
    let n = fs::read_to_string(&table).unwrap().lines().count() - 1;
    let class = a_class(root.path());
    let rows = ["train", "val", "train", "test"].map(|part| format!("gone-{part}.jpg,{class},{part}\n"));
    fs::write(&table, fs::read_to_string(&table).unwrap() + &rows.concat()).unwrap();
    let out = root.path().join("head");
    let tower = ["--unfreeze", "1", "--tower-epochs", "1"];
    let (code, log) = finetune(&table, &out, &[&["--max-unreadable", "0.5"][..], &tower].concat());
    assert_eq!(code, Some(0), "{log}");
    let note = format!(
        "4 of {} images cannot be read and are left out (2 of the training, 1 of the validation, 1 of the test): row {}: ",
        n + 4,
        n + 1
    );
    said_once(&log, &note);
    assert!(!log.contains("not scored"), "once is enough: {log}");
    let found = results(&out);
    for model in found["models"].as_array().unwrap() {
        let benchmark = &model["benchmarks"][0];
        assert!(benchmark["notes"].to_string().contains(&note), "{benchmark}");
        let unreadable = benchmark["unreadable"].as_array().unwrap();
        assert!(unreadable.len() == 1 && unreadable[0]["row"] == n + 4, "{unreadable:?}");
    }
}

#[test]
fn photos_that_cannot_be_read_are_named_by_a_calibration() {
    let drawn = fs::read_to_string(calibrated().path("synth/train.csv")).unwrap();
    let row = |condition: &str, name: &str| {
        let is_of = |line: &&str| line.rsplit(',').nth(1) == Some(condition);
        drawn.lines().find(is_of).unwrap().split_once(',').map(|(_, rest)| format!("{name},{rest}\n")).unwrap()
    };
    let table = calibrated().path("synth/with-gone.csv");
    let more = [row("nevus", "gone-1.jpg"), row("melanoma", "gone-2.jpg"), row("acne vulgaris", "gone-3.jpg")];
    fs::write(&table, drawn.clone() + &more.concat()).unwrap();
    let arguments = ["calibrate", "demo", "--label-column", "condition", "--labels", "pad", "--no-cache"];
    let output = run(&arguments, &[("--data", &table)]);
    let log = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    said_once(&log, "2 of 242 images cannot be read and are left out: row ");
    said_once(&log, "1 of 321 images cannot be read and are left out: row ");
}

#[test]
fn labels_that_contradict_and_classes_without_a_training_photo_are_noted() {
    let root = tempfile::tempdir().unwrap();
    let table = split_table(root.path(), "");
    let rows = fs::read_to_string(&table).unwrap();
    let first = rows.lines().nth(1).unwrap();
    let labels: Vec<&str> = rows.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    let other = labels.iter().find(|label| **label != labels[0]).unwrap();
    fs::write(&table, format!("{rows}{}\n", first.replacen(&format!(",{},", labels[0]), &format!(",{other},"), 1)))
        .unwrap();
    let mut classes: Vec<&str> = labels.clone();
    classes.sort_unstable();
    classes.dedup();
    classes.push("a rare one");
    let out = root.path().join("head");
    let (code, log) = finetune(&table, &out, &["--labels", &classes.join(", ")]);
    assert_eq!(code, Some(0), "{log}");
    let notes = results(&out)["benchmarks"][0]["notes"].to_string();
    for expected in [
        "images that occur in more than one row: 1, 1 of them with different labels",
        "1 of 4 classes has no training photo, so that the classifier cannot know them: a rare one",
    ] {
        said_once(&log, expected);
        assert!(notes.contains(expected), "{notes}");
    }
    assert!(log.contains("images with 3 classes, "), "{log}");
}

#[test]
fn what_is_not_read_is_said_once_however_often_a_table_is_scored() {
    let root = tempfile::tempdir().unwrap();
    let photos = photos(root.path());
    let stray = fs::read_dir(photos.join(a_class(root.path()))).unwrap().next().unwrap().unwrap().path();
    fs::copy(stray, photos.join("stray.png")).unwrap();
    let tower = ["--unfreeze", "1", "--tower-epochs", "1", "--max-unreadable", "0.5"];
    let (code, log) = finetune(&photos, &root.path().join("head"), &tower);
    assert_eq!(code, Some(0), "{log}");
    said_once(&log, "images are in no folder of a class");

    let data = root.path().join("data");
    classes(&data);
    let table = data.join("table.csv");
    let rows = "acne/a.jpg,acne,one,1,2\nNevus/c.jpg,nevus,two,1,2\n";
    fs::write(&table, format!("image,label,caption,age,age\n{rows}")).unwrap();
    let output = run(&["eval", "--no-cache"], &[("--data", &table)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    said_once(&text(&output.stderr), "the column age is there more than once");
}
