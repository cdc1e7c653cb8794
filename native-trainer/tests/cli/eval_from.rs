//! `dermake eval --from`: predictions that somebody else made.

use crate::dermake;
use crate::eval_data::{Data, log, value};
use dermake_evaluation::compare::Comparison;
use dermake_evaluation::results::Results;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

const CLASSES: &str = "diag,label\nacne,0\nnevus,1\nwart,2\n";

/// Predictions of 60 images in `DATASET/MODEL.csv`; `is_right` says of which the label is the likeliest.
fn write(root: &Path, dataset: &str, model: &str, is_right: impl Fn(usize) -> bool) -> PathBuf {
    let mut table = String::from(
        "image_path,true_label,predicted_label,probability_class_0,probability_class_1,probability_class_2\n",
    );
    for row in 0..60 {
        let label = row % 3;
        let predicted = if is_right(row) { label } else { (label + 1) % 3 };
        let probability =
            |class: usize| if class == predicted { 0.5 + row as f64 / 200.0 } else { 0.25 - row as f64 / 400.0 };
        let (a, b, c) = (probability(0), probability(1), probability(2));
        writeln!(table, "/home/{model}/{dataset}/{row}.jpg,{label},{predicted},{a},{b},{c}").unwrap();
    }
    let path = root.join(dataset).join(format!("{model}.csv"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, table).unwrap();
    path
}

fn from(files: &[&Path], arguments: &[&str], out: &Path) -> Output {
    let mut command = dermake();
    command.arg("eval").args(arguments).arg("--out").arg(out);
    files.iter().for_each(|file| {
        command.arg("--from").arg(file);
    });
    command.env("DERMAKE_MODEL", "demo").env("DERMAKE_DATA", "/nonexistent").output().unwrap()
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    fs::create_dir(folder.path().join("class2label")).unwrap();
    (folder, out)
}

#[test]
fn somebody_elses_predictions_are_scored_with_the_class_names_beside_them() {
    let (folder, out) = folder();
    fs::write(folder.path().join("class2label/HAM.csv"), CLASSES).unwrap();
    let file = write(folder.path(), "HAM", "MAKE", |row| row % 4 != 0);
    let output = from(&[&file], &[], &out);
    assert!(output.status.success(), "{}", log(&output));
    let results: Results = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let result = &results.benchmarks[0];
    assert_eq!((results.model.name.as_str(), result.key.as_str(), result.n_scored), ("MAKE", "ham", 60));
    assert_eq!(value(result, "top1_accuracy"), Some(0.75));
    // 15 of 60 are wrong, five of each class, each taken for the next class.
    assert_eq!(value(result, "sensitivity"), Some(0.75));
    assert_eq!((value(result, "specificity"), value(result, "macro_f1")), (Some(1.0 - 5.0 / 40.0), Some(0.75)));
    let printed = String::from_utf8(output.stdout).unwrap();
    // The data set is called as a built-in benchmark, whose published figures stand beside.
    assert!(printed.contains("HAM10000") && printed.contains("0.796 ["), "{printed}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("wart") && !page.contains("id=\"effort\""));
}

#[test]
fn two_models_stand_in_one_table_and_the_better_one_is_named() {
    let (folder, out) = folder();
    let good = write(folder.path(), "mine", "good", |row| row % 10 != 0);
    let bad = write(folder.path(), "mine", "bad", |row| row % 2 != 0);
    let output = from(&[&good, &bad], &[], &out);
    assert!(output.status.success(), "{}", log(&output));
    let comparison: Comparison = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    assert_eq!((comparison.models.len(), comparison.differences.len()), (2, 1));
    let difference = &comparison.differences[0];
    assert_eq!((difference.models.clone(), difference.n_rows), (["good".into(), "bad".into()], 60));
    assert!((difference.value.unwrap() - 0.4).abs() < 1e-9 && difference.p_value.unwrap() < 0.001);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("good (95 % interval)") && printed.contains("good − bad"), "{printed}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("id=\"differences\"") && page.contains("id=\"benchmark-mine-2\""));

    // A folder of them is the same; three models and two data sets are six comparisons.
    write(folder.path(), "mine", "third", |row| row % 10 != 1);
    for model in ["good", "bad", "third"] {
        write(folder.path(), "other", model, |row| row % 3 != 0);
    }
    let output = from(&[folder.path()], &[], &out);
    assert!(output.status.success(), "{}", log(&output));
    let comparison: Comparison = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(comparison.differences.len(), 6);
    let of_good = comparison.differences.iter().find(|one| one.models == ["bad".to_string(), "good".to_string()]);
    let of_good = of_good.unwrap();
    assert!(of_good.p_corrected.unwrap() > of_good.p_value.unwrap(), "{of_good:?}");
}

/// DermFM-Zero publishes zero-shot answers as `HAM/MODEL.csv` with `image_path`, and those of linear probes as
/// `HAM_10pct/MODEL_HAM/NAME-lp.csv` with `filename`, metrics beside them.
#[test]
fn predictions_of_linear_probes_are_read_as_they_are_published() {
    let (folder, out) = folder();
    fs::write(folder.path().join("class2label/HAM.csv"), CLASSES).unwrap();
    for (percent, model, nth) in [(10, "MAKE", 4), (10, "MONET", 2), (100, "MAKE", 10), (100, "MONET", 5)] {
        let file = write(folder.path(), &format!("HAM_{percent}pct/{model}_HAM"), "HAM-lp", |row| row % nth != 0);
        let table = fs::read_to_string(&file).unwrap().replace("image_path", "filename");
        fs::write(&file, table).unwrap();
        fs::write(file.with_file_name("any_HAM_results.csv"), "Dataset,ACC\nHAM-lp,0.5\n").unwrap();
    }
    let output = from(&[folder.path()], &[], &out);
    assert!(output.status.success(), "{}", log(&output));
    let comparison: Comparison = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let names: Vec<&str> = comparison.models.iter().map(|results| results.model.name.as_str()).collect();
    assert_eq!((names, comparison.differences.len()), (vec!["MAKE", "MONET"], 2));
    for (results, expected) in comparison.models.iter().zip([[0.9, 0.75], [0.8, 0.5]]) {
        let of = |key: &str| results.benchmarks.iter().find(|result| result.key == key).unwrap();
        let accuracies = ["ham_100pct", "ham_10pct"].map(|key| value(of(key), "top1_accuracy").unwrap());
        assert_eq!(accuracies, expected, "{}", results.model.name);
        assert_eq!(of("ham_10pct").title, "HAM10000, 7 conditions, linear probe, 10 % of the training data");
    }
    assert!(fs::read_to_string(out.join("report.html")).unwrap().contains("wart"), "the names of the classes");
}

#[test]
fn predictions_of_two_classes_are_compared_by_their_benchmark_s_auroc() {
    let (folder, out) = folder();
    let mut table = "image_path,true_label,predicted_label,probability_class_0,probability_class_1\n".to_string();
    for row in 0..40 {
        let probability = f64::from((row * 7) % 40) / 40.0;
        writeln!(table, "/a/ISIC_{row}.jpg,{},0,{},{probability}", u8::from(row % 8 == 5), 1.0 - probability)
            .unwrap();
    }
    let files = ["one", "two"].map(|model| folder.path().join(format!("isic2020/{model}.csv")));
    fs::create_dir(folder.path().join("isic2020")).unwrap();
    files.iter().for_each(|file| fs::write(file, &table).unwrap());
    let output = from(&[&files[0], &files[1]], &[], &out);
    assert!(output.status.success(), "{}", log(&output));
    let comparison: Comparison = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let result = &comparison.models[0].benchmarks[0];
    assert_eq!(
        (comparison.differences[0].metric.as_str(), result.metrics[0].key.as_str()),
        ("macro_auroc", "macro_auroc")
    );
    // Every image is called benign: right for 35 of 40.
    assert_eq!(value(result, "top1_accuracy"), Some(0.875));
    assert!(log(&output).contains("the predicted label is not the likeliest class"), "{}", log(&output));
}

#[test]
fn images_of_class_folders_with_equal_names_are_compared_wherever_they_are() {
    let (folder, out) = folder();
    let files = ["one", "two"].map(|model| {
        let file = write(folder.path(), "mine", model, |row| row % 10 != 0);
        let mut text = fs::read_to_string(&file).unwrap();
        for row in (0..60).rev() {
            text = text.replace(&format!("/mine/{row}.jpg"), &format!("/mine/{}/{}.jpg", row % 3, row / 3));
        }
        fs::write(&file, text).unwrap();
        file
    });
    let output = from(&[&files[0], &files[1]], &[], &out);
    assert!(output.status.success(), "{}", log(&output));
    let comparison: Comparison = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    assert_eq!((comparison.differences[0].n_rows, comparison.differences[0].value), (60, Some(0.0)));
}

#[test]
fn files_that_disagree_or_are_no_predictions_are_refused() {
    let (folder, out) = folder();
    let first = write(folder.path(), "a", "one", |_| true);
    let second = write(folder.path(), "a", "two", |_| true);
    let other_order = fs::read_to_string(&second).unwrap().replace("/0.jpg,0,", "/0.jpg,2,");
    fs::write(&second, other_order).unwrap();
    let output = from(&[&first, &second], &[], &out);
    assert_eq!(output.status.code(), Some(2));
    let message = log(&output);
    assert!(message.contains("the true class of 0.jpg is 0 in row 1 of the first and 2 in row 1"), "{message}");

    fs::write(&second, "image_path,true_label,probability_class_0,probability_class_1\na.jpg,0,nan,1\n").unwrap();
    let output = from(&[&second], &[], &out);
    assert!(log(&output).contains("two.csv: probability_class_0 is \"nan\""), "{}", log(&output));
    for (arguments, expected) in [
        (&["--model", "demo"][..], "cannot be used with"),
        (&["--only", "pad"], "cannot be used with"),
        (&["--classes", "pad"], "has probabilities of 3 classes, the class list has 6 names"),
        (&["--classes", "/nonexistent/classes"], "nonexistent"),
        (&["--exclude", "/nonexistent/list.csv"], "no such file"),
    ] {
        let output = from(&[&first], arguments, &out);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(log(&output).contains(expected), "{arguments:?}: {}", log(&output));
    }
    let output = from(&[&folder.path().join("none.csv")], &[], &out);
    assert!(log(&output).contains("there is no such file"), "{}", log(&output));
}

#[test]
fn our_own_predictions_are_written_and_read_back_with_the_same_figures() {
    let data = Data::new();
    let results = data.scored(&["--only", "colors"]);
    let folder = data.folder.path().join("report/predictions");
    let name = fs::read_dir(folder.join("colors")).unwrap().next().unwrap().unwrap().path();
    let table = fs::read_to_string(&name).unwrap();
    assert!(table.starts_with("image_path,sha256,true_label,predicted_label,probability_class_0"), "{table}");
    assert!(table.lines().nth(9).unwrap().starts_with("images/8.png,"), "{table}");
    let out = data.folder.path().join("again");
    let output = from(&[&folder], &[], &out);
    assert!(output.status.success(), "{}", log(&output));
    let again: Results = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let (ours, theirs) = (&results.benchmarks[0], &again.benchmarks[0]);
    for metric in &ours.metrics {
        assert_eq!(value(theirs, &metric.key), metric.value, "{}", metric.key);
    }
    assert!(log(&output).contains("class names from"), "{}", log(&output));
}

#[test]
fn images_to_leave_out_are_counted_and_the_figures_given_without_them() {
    let (folder, out) = folder();
    let file = write(folder.path(), "a", "one", |row| row >= 6);
    let list = folder.path().join("overlap.csv");
    fs::write(&list, "downstream_image,cosine_similarity\na/0.jpg,0.9\na/1.jpg,0.8\na/2.jpg,0.8\nelse/3.jpg,1\n")
        .unwrap();
    let output = from(&[&file], &["--exclude", list.to_str().unwrap()], &out);
    assert!(output.status.success(), "{}", log(&output));
    let results: Results = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let without = results.benchmarks[0].without_excluded.as_ref().unwrap();
    assert_eq!((without.n_excluded, without.n_scored), (3, 57));
    assert_eq!(
        (value(&results.benchmarks[0], "top1_accuracy"), without.metrics[0].value),
        (Some(0.9), Some(54.0 / 57.0))
    );
    assert!(String::from_utf8(output.stdout).unwrap().contains("top-1 accuracy without the 3 excluded"));

    fs::write(&list, "image\nnothing.jpg\n").unwrap();
    let output = from(&[&file], &["--exclude", list.to_str().unwrap()], &out);
    assert!(log(&output).contains("no scored image is in the list"), "{}", log(&output));
}
