//! `dermake eval` with several models, with models of other families, and without images that were trained on.

use crate::color_model::model;
use crate::dermake;
use crate::eval_data::{Data, log, value};
use crate::fixture_folder::fixture_folder;
use dermake_evaluation::compare::Comparison;
use dermake_evaluation::results::Results;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// The folder of a small transformers CLIP that has all its files.
fn transformers_clip() -> PathBuf {
    let folders = fs::read_dir(fixture_folder().join("towers/hf_clip")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let has_tokenizer =
        |folder: &PathBuf| folder.join("tokenizer.json").is_file() || folder.join("vocab.json").is_file();
    let mut complete: Vec<PathBuf> = folders.filter(has_tokenizer).collect();
    complete.sort();
    complete.remove(0)
}

#[test]
fn a_transformers_clip_is_evaluated_beside_another_model() {
    let data = Data::new();
    let clip = transformers_clip();
    let output = data.eval(&["--only", "colors", "--model", clip.to_str().unwrap()]);
    assert!(output.status.success(), "{}", log(&output));
    let json = fs::read(data.folder.path().join("report/results.json")).unwrap();
    let comparison: Comparison = serde_json::from_slice(&json).unwrap();
    let [first, second] = &comparison.models[..] else { panic!("{:?}", comparison.models.len()) };
    assert_ne!(first.model.name, second.model.name);
    for results in [first, second] {
        let accuracy = value(&results.benchmarks[0], "top1_accuracy").unwrap();
        assert!((0.0..=1.0).contains(&accuracy) && results.benchmarks[0].n_scored == 10);
        assert!(results.effort.prompts_encoded > 0, "its text tower was used");
    }
    // The other model knows the colors; a tiny random one is hardly right.
    assert_eq!(value(&second.benchmarks[0], "top1_accuracy"), Some(0.9));
    assert_eq!((comparison.differences.len(), comparison.differences[0].n_rows), (1, 10));
    let tables = fs::read_dir(data.folder.path().join("report/predictions/colors")).unwrap().count();
    assert_eq!(tables, 2, "the answers of both models");

    let twice = data.eval(&["--only", "colors", "--model", model().to_str().unwrap()]);
    assert!(log(&twice).contains("the model is named twice"), "{}", log(&twice));
}

#[test]
fn a_model_that_cannot_be_loaded_is_named_beside_the_figures_of_the_others() {
    let data = Data::new();
    let mut command = dermake();
    command
        .args(["eval", "--only", "colors", "--no-cache", "--model"])
        .arg(model())
        .args(["--model", "nowhere/model"]);
    command.arg("--data").arg(data.folder.path()).arg("--out").arg(data.folder.path().join("report"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", log(&output));
    let table = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(table.contains("the model nowhere/model: ") && table.contains("top-1 accuracy"), "{table}");
    let report = data.folder.path().join("report");
    let comparison: Comparison = serde_json::from_slice(&fs::read(report.join("results.json")).unwrap()).unwrap();
    assert_eq!((comparison.models.len(), comparison.not_evaluated[0].name.as_str()), (1, "nowhere/model"));
    assert!(fs::read_to_string(report.join("report.html")).unwrap().contains("the model nowhere/model"));
}

#[test]
fn a_map_of_the_images_is_drawn_and_written() {
    let data = Data::new();
    let output = data.eval(&["--only", "colors", "--map", "tsne"]);
    assert!(output.status.success(), "{}", log(&output));
    let report = data.folder.path().join("report");
    let table = fs::read_to_string(report.join("figures/colors-map.csv")).unwrap();
    assert!(table.starts_with("row,file,x,y,label") && table.lines().count() == 11, "{table}");
    for figure in ["colors-label-map.svg", "colors-label-map.png"] {
        assert!(report.join("figures").join(figure).is_file(), "{figure}");
    }
    assert!(fs::read_to_string(report.join("report.html")).unwrap().contains("placed by t-SNE"));
    let refused = dermake().args(["eval", "--map", "pca"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "a map needs a report");
}

#[test]
fn a_binary_benchmark_has_the_auroc_as_its_main_metric() {
    let data = Data::new();
    let folder = data.folder.path().join("zero-shot-classification/ph2-2-zero-shot");
    fs::create_dir_all(&folder).unwrap();
    // Paths start above the data folder, as DermFM-Zero's tables have them.
    let above = data.folder.path().file_name().unwrap().to_str().unwrap().to_string();
    let mut table = String::from("image_path,label,diag\n");
    for index in 0..10 {
        writeln!(table, "{above}/colors/images/{index}.png,{},x", index % 2).unwrap();
    }
    fs::write(folder.join("meta.csv"), table).unwrap();
    let results = data.scored(&["--only", "PH2"]);
    let first = &results.benchmarks[0].metrics[0];
    assert_eq!((first.key.as_str(), first.title.as_str()), ("macro_auroc", "AUROC"));
    assert!(first.value.is_some());
}

#[test]
fn images_of_the_training_data_are_found_and_left_out_of_a_second_figure() {
    let data = Data::new();
    let training = data.folder.path().join("training");
    fs::create_dir(&training).unwrap();
    // One of the ten pictures, which three of them equal.
    fs::copy(data.picture(0), training.join("copy.png")).unwrap();
    let list = data.folder.path().join("overlap.csv");
    let mut command = dermake();
    command
        .args(["data", "overlap", "--no-cache", "--cosine", "1", "--model"])
        .arg(model())
        .arg("--out")
        .arg(&list);
    let output = command.arg(&training).arg(data.colors().join("test.csv")).output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    let found = fs::read_to_string(&list).unwrap();
    assert!(found.starts_with("evaluation,image,sha256,training_image,training_sha256,cosine"), "{found}");
    let same: Vec<&str> = found.lines().filter(|line| line.ends_with("same file")).collect();
    assert_eq!(same.len(), 3, "{found}");
    assert!(same[0].contains(",images/0.png,") && same[0].contains(",copy.png,"), "{found}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("30.00 %"), "3 of 10");

    let results: Results = data.scored(&["--only", "colors", "--exclude", list.to_str().unwrap()]);
    let without = results.benchmarks[0].without_excluded.as_ref().unwrap();
    assert_eq!((without.n_excluded, without.metrics[0].value), (3, Some(6.0 / 7.0)));

    // Two folders; a file that is no photo is named, and one that is damaged costs the exit code.
    fs::write(training.join("broken.png"), &fs::read(data.picture(1)).unwrap()[..40]).unwrap();
    let mut command = dermake();
    command.args(["data", "overlap", "--no-cache", "--model"]).arg(model()).arg("--out").arg(&list);
    let output = command.arg(&training).arg(data.colors()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", log(&output));
    assert!(log(&output).contains("1 of 2 images cannot be read") && log(&output).contains("broken.png"));
    for other in ["overlap.parquet", "overlap.tsv", "overlap"] {
        let mut command = dermake();
        command.args(["data", "overlap", "--no-cache", "--out"]).arg(data.folder.path().join(other));
        let output = command.arg(&training).arg(data.colors()).output().unwrap();
        assert!(output.status.code() == Some(2) && log(&output).contains("ends in .csv"), "{}", log(&output));
    }
    let empty = data.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let mut command = dermake();
    command.args(["data", "overlap", "--no-cache", "--model"]).arg(model()).arg("--out").arg(&list);
    let output = command.arg(&training).arg(&empty).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(log(&output).contains("the folder has no photos"), "{}", log(&output));
}
