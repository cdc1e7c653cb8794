//! `dermake finetune` and `dermake lr-find`.

use crate::calibrate::copy_demo;
use crate::dermake;
use crate::train_run::{Run, data};
use dermake_evaluation::compare::Comparison;
use serde_json::Value;
use shared_model::weights::Placement;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub fn finetune(data: &Path, out: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = dermake();
    command.args(["finetune", "demo", "--data"]).arg(data).arg("--out").arg(out).arg("--no-cache").args(arguments);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Drawn photos in a folder for each class.
pub fn photos(folder: &Path) -> PathBuf {
    let table = fs::read_to_string(data().join("zeroshot/test.csv")).unwrap();
    let classes: Vec<String> = serde_json::from_slice(&fs::read(data().join("classes.json")).unwrap()).unwrap();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (image, label) = (cells[0], cells[1].parse::<usize>().unwrap());
        if label < 3 {
            let class = folder.join("photos").join(&classes[label]);
            fs::create_dir_all(&class).unwrap();
            let name = Path::new(image).file_name().unwrap();
            fs::copy(data().join("zeroshot").join(image), class.join(name)).unwrap();
        }
    }
    folder.join("photos")
}

#[test]
fn several_processes_of_a_launcher_do_not_each_do_the_whole_work() {
    for command in [&["finetune", "demo", "--data", "x", "--out", "x"][..], &["calibrate", "demo", "--data", "x"]] {
        let output = dermake().args(command).env("WORLD_SIZE", "2").env("RANK", "1").output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{log}");
        assert!(log.contains("is one process, and this is one of 2; start it without the launcher"), "{log}");
    }
}

#[test]
fn a_head_is_trained_scored_and_its_answers_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (photos, out) = (photos(folder.path()), folder.path().join("head"));
    let arguments = ["--class-weights", "balanced", "--test-share", "0.3", "--validation-share", "0.3"];
    let (code, log) = finetune(&photos, &out, &arguments);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("best epoch"), "{log}");
    let about: Value = serde_json::from_slice(&fs::read(out.join("head.json")).unwrap()).unwrap();
    assert_eq!(about["classes"].as_array().unwrap().len(), fs::read_dir(&photos).unwrap().count());
    let head = fs::read(out.join("head.safetensors")).unwrap();
    let head = safetensors::SafeTensors::deserialize(&head).unwrap();
    let n_classes = fs::read_dir(&photos).unwrap().count();
    assert_eq!(head.tensor("weight").unwrap().shape(), [n_classes, 128]);
    assert_eq!(head.tensor("bias").unwrap().shape(), [n_classes]);
    let results: Value = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let metrics = results["benchmarks"][0]["metrics"].as_array().unwrap().clone();
    let metric = |key: &str| metrics.iter().find(|metric| metric["key"] == key).unwrap().clone();
    for key in ["top1_accuracy", "balanced_accuracy", "macro_auroc"] {
        assert!(metric(key)["value"].is_f64(), "{key}: {metrics:?}");
    }
    let history = fs::read_to_string(out.join("history.csv")).unwrap();
    assert!(history.starts_with("epoch,train_loss,validation_loss\n1,"), "{history}");

    // The same again; and the answers give the same figure.
    let again = folder.path().join("again");
    assert_eq!(finetune(&photos, &again, &arguments).0, Some(0));
    assert!(fs::read(out.join("head.safetensors")).unwrap() == fs::read(again.join("head.safetensors")).unwrap());
    let scored = folder.path().join("scored");
    let mut eval = dermake();
    eval.args(["eval", "--from"]).arg(out.join("predictions/own")).arg("--out").arg(&scored).assert().success();
    let scored: Value = serde_json::from_slice(&fs::read(scored.join("results.json")).unwrap()).unwrap();
    assert_eq!(scored["benchmarks"][0]["metrics"][0]["value"], metric("top1_accuracy")["value"]);

    // They are no results of the model below it.
    let model = folder.path().join("model");
    copy_demo(&model);
    let mut card = dermake();
    let refused = card.arg("card").arg(&model).arg("--results").arg(out.join("results.json")).output().unwrap();
    let log = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(2) && log.contains("the results are of demo-head"), "{log}");
}

/// The tensors of a file with their bytes; its metadata have no fixed order.
fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.tensors().into_iter().map(|(name, tensor)| (name, tensor.data().to_vec())).collect()
}

#[test]
fn a_tower_is_trained_below_its_head_compared_and_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let (photos, out) = (photos(folder.path()), folder.path().join("head"));
    let run = |out: &Path, unfreeze: &str| {
        let shares =
            ["--test-share", "0.3", "--validation-share", "0.3", "--batch-size", "8", "--tower-epochs", "2"];
        let (code, log) = finetune(
            &photos,
            out,
            &[&shares[..], &["--tower-learning-rate", "1e-4", "--unfreeze", unfreeze]].concat(),
        );
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("epoch 1: training loss") && log.contains("validation loss"), "{log}");
        fs::read(out.join("tuned/open_clip_model.safetensors")).unwrap()
    };
    let weights = run(&out, "1");
    let comparison: Comparison = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let names: Vec<&str> = comparison.models.iter().map(|results| results.model.name.as_str()).collect();
    assert!(names[0].ends_with("-head") && names[1].ends_with("-tuned"), "{names:?}");
    assert_eq!(comparison.differences.len(), 1);
    let about: Value = serde_json::from_slice(&fs::read(out.join("tuned/head.json")).unwrap()).unwrap();
    let hashes = format!("{}{}", about["model_sha256"].as_str().unwrap(), about["head_sha256"].as_str().unwrap());
    assert_eq!(comparison.models[1].model.sha256, dermake_files::hash::sha256(hashes));
    let head = fs::read(out.join("tuned/head.safetensors")).unwrap();
    assert_eq!(about["head_sha256"], dermake_files::hash::sha256(head));
    let history = fs::read_to_string(out.join("tuned/history.csv")).unwrap();
    assert!((2..=3).contains(&history.lines().count()), "{history}");

    // The text tower and the locked blocks are as they were.
    let (weights, demo) =
        (safetensors::SafeTensors::deserialize(&weights).unwrap(), shared_model::demo::dense().unwrap().1);
    let is_same = |name: &str| {
        let before: Vec<f32> =
            demo.tensor(name, &Placement::default()).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let after = weights.tensor(name).unwrap();
        let after = after.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
        before.into_iter().eq(after)
    };
    assert!(
        is_same("transformer.resblocks.0.mlp.c_fc.weight") && is_same("text_projection") && is_same("logit_scale")
    );
    assert!(is_same("visual.conv1.weight") && is_same("visual.transformer.resblocks.0.mlp.c_fc.weight"));
    if about["best_epoch"] != 0 {
        assert!(!is_same("visual.proj"), "its end was trained");
    }

    // The same again; and the model is one for every command.
    let again = folder.path().join("again");
    run(&again, "1");
    for file in ["tuned/open_clip_model.safetensors", "tuned/head.safetensors"] {
        assert!(tensors(&out.join(file)) == tensors(&again.join(file)), "{file}");
    }
    run(&folder.path().join("lora"), "lora:2");
    let tuned = out.join("tuned");
    dermake().args(["eval", "--no-cache", "--data"]).arg(&photos).arg("--model").arg(&tuned).assert().success();
    let mut quantize = dermake();
    quantize
        .args(["quantize", "--calibrate", "none", "--model"])
        .arg(&tuned)
        .arg("--out")
        .arg(folder.path().join("q"));
    quantize.assert().success();
    let (code, log) = finetune(&photos, &folder.path().join("no"), &["--unfreeze", "99"]);
    assert!(code == Some(2) && log.contains("--unfreeze is 99, but the image tower has"), "{log}");
}

#[test]
fn data_that_no_head_can_be_trained_on_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("head");
    let refused = |data: &Path, arguments: &[&str], expected: &str| {
        let (code, log) = finetune(data, &out, arguments);
        assert!(code == Some(2) && log.contains(expected), "{log}");
        assert!(!out.exists(), "a folder that is empty is not left");
    };
    let photos = photos(folder.path());
    refused(&photos, &["--learning-rate", "-1"], "--learning-rate is -1");
    refused(&photos, &["--group-column", "patient"], "patient");
    refused(&photos, &["--test-share", "0"], "there is no test row: --test-share is 0");
    refused(&folder.path().join("none"), &[], "none");
    let table = folder.path().join("t.csv");
    fs::write(&table, "image,note\na.jpg,x\n").unwrap();
    refused(&table, &[], "label");
}

#[test]
fn a_head_that_learned_nothing_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path());
    // The first epoch's loss is that of equal probabilities.
    let (code, log) = finetune(&photos, &folder.path().join("head"), &["--epochs", "1"]);
    assert!(code == Some(0) && log.contains("the classifier has learned nothing"), "{log}");
}

#[test]
fn a_search_for_a_learning_rate_leaves_a_picture_and_no_model() {
    let run = Run::new(1, "1e-3");
    let search = |arguments: &[&str]| {
        let mut command = dermake();
        command.arg("lr-find").arg(&run.recipe).arg("--data").arg(&run.data).arg("--out").arg(run.out());
        let output = command.args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (code, text) = search(&["--steps", "30"]);
    assert!(code == Some(0) && text.contains("steepest fall") && text.contains("a tenth of it"), "{text}");
    let table = fs::read_to_string(run.out().join("lr-find.csv")).unwrap();
    assert!(table.starts_with("learning_rate,loss,smoothed_loss\n") && table.lines().count() > 5, "{table}");
    assert!(fs::read_to_string(run.out().join("lr-find.svg")).unwrap().contains("learning rate"));
    let picture = image::open(run.out().join("lr-find.png")).unwrap().to_rgb8();
    assert!(picture.width() == 1920 && picture.pixels().any(|pixel| pixel.0 == [0x00, 0x72, 0xb2]));
    assert!(!run.out().join("checkpoints").exists());
    // Where a file cannot be written is known before the first step.
    let [table, svg, png] = ["lr-find.csv", "lr-find.svg", "lr-find.png"].map(|name| run.out().join(name));
    [&table, &svg, &png].into_iter().for_each(|file| fs::remove_file(file).unwrap());
    fs::create_dir(&png).unwrap();
    let (code, text) = search(&["--steps", "30"]);
    assert!(code == Some(2) && text.contains("this is a folder, expected the name of a file"), "{text}");
    assert!(!table.exists() && !svg.exists());
    fs::remove_dir(&png).unwrap();
    fs::write(&table, "mine").unwrap();
    let (code, text) = search(&["--steps", "30"]);
    assert!(code == Some(2) && text.contains("which no search has written"), "{text}");
    assert_eq!(fs::read_to_string(&table).unwrap(), "mine");
    let (code, text) = search(&["--from", "1", "--to", "0.1"]);
    assert!(code == Some(2) && text.contains("expected two that grow"), "{text}");
}
