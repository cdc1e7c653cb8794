//! `dermake finetune` into a folder that has a report already, or is below the data.

use crate::calibrate::copy_demo;
use crate::finetune::{finetune, photos};
use crate::own_data::{classes, results, run, text};
use serde_json::Value;
use std::fs;
use std::path::Path;

const SHARES: [&str; 4] = ["--test-share", "0.3", "--validation-share", "0.3"];

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_report_below_the_data_is_no_data_the_next_time() {
    let root = tempfile::tempdir().unwrap();
    let photos = photos(root.path());
    let class = fs::read_dir(&photos).unwrap().next().unwrap().unwrap().path();
    for out in [photos.join("out"), class.join("out")] {
        let mut heads = Vec::new();
        for is_second in [false, true] {
            let (code, log) = finetune(&photos, &out, &SHARES);
            assert_eq!(code, Some(0), "{log}");
            let note = format!("has results that dermake has written, and is not read: {}", out.display());
            assert_eq!(log.contains(&note), is_second, "{log}");
            heads.push(fs::read(out.join("head.safetensors")).unwrap());
        }
        assert!(heads[0] == heads[1], "the same photos");
        fs::remove_dir_all(out).unwrap();
    }

    let data = root.path().join("few");
    classes(&data);
    for _ in 0..2 {
        let out = data.join("report");
        let output = run(&["eval", "--no-cache"], &[("--data", &data), ("--out", &out)]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(results(&out)["benchmarks"][0]["n_rows"], 4);
    }
}

#[test]
fn what_an_earlier_run_left_is_removed_once_the_new_one_is_there() {
    let root = tempfile::tempdir().unwrap();
    let (photos, out) = (photos(root.path()), root.path().join("head"));
    let tower = [&SHARES[..], &["--unfreeze", "1", "--tower-epochs", "1", "--batch-size", "8"]].concat();
    let (code, log) = finetune(&photos, &out, &tower);
    assert_eq!(code, Some(0), "{log}");
    let (answers, tuned) = (out.join("predictions/own"), out.join("tuned"));
    let both = names(&answers);
    assert!(both.len() == 2 && both[0].ends_with("-head.csv") && both[1].ends_with("-tuned.csv"), "{both:?}");
    // Files of others.
    fs::write(answers.join("other-tuned.csv"), "image_path\n").unwrap();
    fs::write(tuned.join("mine.txt"), "mine").unwrap();

    let (code, log) = finetune(&photos, &out, &["--test-share", "0"]);
    assert_eq!(code, Some(2), "{log}");
    assert!(tuned.join("head.json").exists() && names(&answers).len() == 3, "a run that fails removes nothing");

    let (code, log) = finetune(&photos, &out, &[&SHARES[..], &["--seed", "1"]].concat());
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(names(&answers), [both[0].as_str(), "other-tuned.csv"]);
    assert_eq!(names(&tuned), ["mine.txt"]);
    assert!(!log.contains("the classes are others"), "{log}");
    fs::remove_file(tuned.join("mine.txt")).unwrap();

    let (code, log) = finetune(&photos, &out, &tower);
    assert_eq!(code, Some(0), "{log}");
    fs::remove_file(answers.join("other-tuned.csv")).unwrap();

    let from_tuned = [("--data", &*photos), ("--out", &*out)];
    for model in [tuned.clone(), out.join("../head/tuned")] {
        let output = run(&["finetune", model.to_str().unwrap(), "--no-cache"], &from_tuned);
        let log = text(&output.stderr);
        assert!(
            output.status.code() == Some(2) && log.contains("the model is in the folder tuned of --out"),
            "{log}"
        );
    }
    assert!(tuned.join("open_clip_model.safetensors").exists() && names(&answers) == both);

    let (code, log) = finetune(&photos, &out, &SHARES);
    assert_eq!(code, Some(0), "{log}");
    assert!(!tuned.exists() && names(&answers) == both[..1], "{:?}", names(&out));
}

#[test]
fn answers_of_other_classes_beside_new_ones_are_a_warning() {
    let root = tempfile::tempdir().unwrap();
    let (data, out) = (root.path().join("data"), root.path().join("report"));
    classes(&data);
    let eval = |labels: &str| {
        let paths = [("--data", &*data), ("--out", &*out)];
        let output = run(&["eval", "--no-cache", "--labels", labels], &paths);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let warning = "the classes are others than those of an earlier report here";
    assert!(!eval("acne, nevus").contains(warning));
    let answers = out.join("predictions/own");
    let own = names(&answers).remove(0);
    fs::rename(answers.join(&own), answers.join("older.csv")).unwrap();
    assert!(!eval("acne, nevus").contains(warning));
    let log = eval("nevus, acne");
    assert!(log.contains(warning) && log.contains("older.csv in ") && !log.contains(&own), "{log}");
}

#[test]
fn a_tower_that_cannot_be_trained_is_refused_before_the_features() {
    let root = tempfile::tempdir().unwrap();
    let (photos, out, model) = (photos(root.path()), root.path().join("head"), root.path().join("model"));
    copy_demo(&model);
    for (model, unfreeze, expected) in [
        ("demo", "99", "--unfreeze is 99, but the image tower has"),
        (
            "demo",
            "lora:99999",
            "--unfreeze lora:99999 does not fit the model: lora.rank is 99999, expected at most",
        ),
        (
            model.to_str().unwrap(),
            "all",
            "a quantized model cannot be trained, expected a dense checkpoint, or demo",
        ),
    ] {
        let paths = [("--data", &*photos), ("--out", &*out)];
        let output = run(&["finetune", model, "--no-cache", "--unfreeze", unfreeze], &paths);
        let log = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{log}");
        assert!(log.contains(expected) && !log.contains("best epoch"), "{log}");
        assert!(!out.exists(), "{:?}", names(&out));
    }
}

#[test]
fn a_refusal_leaves_no_empty_folder() {
    let root = tempfile::tempdir().unwrap();
    let (none, out, mine) = (root.path().join("none"), root.path().join("new/report"), root.path().join("mine"));
    fs::create_dir(&mine).unwrap();
    for out in [&out, &mine] {
        for arguments in [&["finetune", "demo"][..], &["eval"]] {
            let output = run(arguments, &[("--data", &none), ("--out", out)]);
            assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        }
        let output = run(&["eval"], &[("--from", &none), ("--out", out)]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    }
    assert_eq!(names(root.path()), ["mine"]);
    assert_eq!(names(&mine), Vec::<String>::new());
}

#[test]
fn the_classes_of_a_head_are_those_of_its_last_run() {
    let root = tempfile::tempdir().unwrap();
    let (photos, out) = (photos(root.path()), root.path().join("head"));
    let head = || -> Value { serde_json::from_slice(&fs::read(out.join("head.json")).unwrap()).unwrap() };
    assert_eq!(finetune(&photos, &out, &SHARES).0, Some(0));
    assert_eq!(head()["classes"].as_array().unwrap().len(), 3);
    fs::remove_dir_all(fs::read_dir(&photos).unwrap().next().unwrap().unwrap().path()).unwrap();
    let (code, log) = finetune(&photos, &out, &SHARES);
    assert_eq!((code, head()["classes"].as_array().unwrap().len()), (Some(0), 2), "{log}");
    assert!(!log.contains("the classes are others"), "its own answers are replaced: {log}");
}
