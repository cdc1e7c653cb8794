//! What `dermake prepare` does not overwrite: files that were changed by hand, and parts of an earlier run.

use crate::dermake;
use crate::prepare::{CAPTIONS, prepare};
use std::fs;

#[test]
fn what_somebody_has_changed_since_an_earlier_run_is_not_overwritten() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let captions: String = (0..40).map(|row| format!("{row}.jpg,A nevus\n")).collect();
    let captions = format!("filename,caption\n{captions}");
    let run = |more: &[&str]| {
        let output = prepare(folder, &captions, more);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let part = ["--validation-share", "0.3"];
    for _ in 0..2 {
        let (code, log) = run(&part);
        assert_eq!(code, Some(0), "{log}");
    }
    for name in ["sample.csv", "val.csv", "train.csv", "report.html", "extracted.jsonl"] {
        let path = folder.join(name);
        let written = fs::read_to_string(&path).unwrap();
        let by_hand = format!("{written}by hand\n");
        fs::write(&path, &by_hand).unwrap();
        let (code, log) = run(&part);
        assert!(code == Some(2) && log.contains("this file was changed after `dermake prepare` had"), "{log}");
        assert!(log.trim_end().ends_with(name), "{log}");
        assert_eq!(fs::read_to_string(&path).unwrap(), by_hand);
        fs::write(&path, &written).unwrap();
    }
    // The part of an earlier run is not removed, and its rows do not come into the table while it is there.
    let (code, log) = run(&[]);
    assert!(code == Some(2) && log.contains("validation part of an earlier run"), "{log}");
    assert!(folder.join("val.csv").is_file());
    fs::remove_file(folder.join("val.csv")).unwrap();
    assert_eq!(run(&[]).0, Some(0));
    assert_eq!(fs::read_to_string(folder.join("train.csv")).unwrap().lines().count(), 41);

    // A disk that was full between two files leaves files of both runs, which the counts know.
    let earlier = fs::read(folder.join("train.csv")).unwrap();
    assert_eq!(run(&["--mask-order", "guide"]).0, Some(0));
    assert_ne!(fs::read(folder.join("train.csv")).unwrap(), earlier);
    fs::write(folder.join("train.csv"), &earlier).unwrap();
    let (code, log) = run(&["--mask-order", "guide"]);
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn names_that_are_no_csv_and_shares_that_draw_nothing_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let captions = root.path().join("captions.csv");
    fs::write(&captions, CAPTIONS).unwrap();
    for out in ["train.tsv", "train.parquet", "train", "-"] {
        let mut command = dermake();
        command.current_dir(root.path()).args(["prepare", "captions.csv", "--out", out]);
        let output = command.output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && log.contains("expected a name that ends in .csv"), "{log}");
    }
    let output = prepare(root.path(), CAPTIONS, &["--validation-share", "0.00001"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && log.contains("no row of 3 is drawn for val.csv"), "{log}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is written");
}
