//! `dermake calibrate`, and the answers of a calibrated model.

use crate::shared_folder::shared_folder;
use crate::{dermake, json_lines};
use serde_json::Value;
use shared_model::manifest::Manifest;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

/// A folder of the demo model, calibrated on drawn pictures.
pub struct Calibrated {
    folder: PathBuf,
    /// What was printed.
    json: Value,
}

impl Calibrated {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

pub fn calibrated() -> &'static Calibrated {
    static CALIBRATED: OnceLock<Calibrated> = OnceLock::new();
    CALIBRATED.get_or_init(|| {
        let folder = shared_folder("calibrated");
        copy_demo(&folder.join("model"));
        let mut synth = dermake();
        synth.args(["synth", "--images", "560", "--seed", "9", "--image-size", "96", "--other", "40", "--out"]);
        synth.arg(folder.join("synth")).assert().success();
        let output = calibrate(&folder, &["--json"]);
        assert!(output.status.success(), "{}", log(&output));
        assert!(log(&output).contains("are of other labels: acne vulgaris"), "{}", log(&output));
        Calibrated { json: serde_json::from_slice(&output.stdout).unwrap(), folder }
    })
}

/// Writes the files of the demo model into a new folder.
pub fn copy_demo(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let manifest = shared_model::demo::file(Manifest::FILE_NAME).unwrap();
    let files = Manifest::from_json(manifest).unwrap().files;
    for name in files.iter().map(|file| file.file.as_str()).chain([Manifest::FILE_NAME]) {
        fs::write(folder.join(name), shared_model::demo::file(name).unwrap()).unwrap();
    }
}

fn calibrate(root: &Path, more: &[&str]) -> Output {
    let mut command = dermake();
    command.arg("calibrate").arg(root.join("model")).arg("--data").arg(root.join("synth/train.csv"));
    command.args(["--label-column", "condition", "--labels", "pad", "--no-cache", "--outside"]);
    command.arg(root.join("synth/other")).args(more).output().unwrap()
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn manifest(folder: &Path) -> Manifest {
    Manifest::from_json(&fs::read(folder.join(Manifest::FILE_NAME)).unwrap()).unwrap()
}

fn answers(arguments: &[&str], photos: &Path) -> Vec<Value> {
    let model = calibrated().path("model");
    let mut command = dermake();
    command.args(["classify", "--json"]).arg(photos).arg("--model").arg(model).args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    json_lines(&output.stdout)
}

#[test]
fn a_calibration_is_measured_on_photos_that_it_was_not_fitted_on() {
    let json = &calibrated().json;
    let manifest = manifest(&calibrated().path("model"));
    let [calibration] = &manifest.calibrations[..] else { panic!("one calibration: {:?}", manifest.calibrations) };
    assert_eq!(serde_json::to_value(calibration).unwrap(), *json);
    assert_eq!((calibration.label_set.as_str(), calibration.class_names.len()), ("pad", 6));
    let measured = &calibration.measured;
    assert_eq!((measured.n_fitted, measured.n_held_out), (120, 120), "six of fourteen conditions");
    for errors in [&measured.before, &measured.after] {
        let [low, high] = errors.brier_score.interval.unwrap();
        assert!((low..=high).contains(&errors.brier_score.value.unwrap()));
    }
    let [others, no_skin] = &measured.outside[..] else { panic!("two kinds of other photos: {measured:?}") };
    assert_eq!((others.data.as_str(), others.n), ("other labels", 320));
    assert_eq!((no_skin.data.as_str(), no_skin.n), ("other", 40));
    assert!(others.auroc.value.unwrap() > 0.9 && no_skin.auroc.value.unwrap() > 0.75, "{measured:?}");
    assert!(measured.refused.value.unwrap() < 0.15, "{measured:?}");
}

#[test]
fn a_calibrated_model_says_when_none_of_the_labels_fits() {
    let n_refused =
        |answers: &[Value]| answers.iter().filter(|answer| answer["certainty"]["none_of_these"] == true).count();
    let others = answers(&[], &calibrated().path("synth/other"));
    assert!(n_refused(&others) > 20 && others.len() == 40, "{}", n_refused(&others));
    let temperature = calibrated().json["temperature"].as_f64().unwrap();
    let scale = others[0]["scale"].as_f64().unwrap();
    assert!((scale - 100.0 / temperature).abs() < 1e-9);

    // Other labels, templates and scales are not calibrated.
    let photo = calibrated().path("synth/other/00000.jpg");
    for arguments in [
        &["--labels", "acne, nevus"][..],
        &["--template", "a drawing of {}"],
        &["--scale", "100"],
        &["--scale", "own"],
    ] {
        let answer = &answers(arguments, &photo)[0];
        assert!(answer.get("certainty") == Some(&Value::Null), "{arguments:?}: {answer}");
    }
    let mut command = dermake();
    let output = command.arg("classify").arg(&photo).arg("--model").arg(calibrated().path("model")).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let is_refused = others[0]["certainty"]["none_of_these"] == true;
    assert_eq!(text.contains("none of these: no label fits"), is_refused, "{text}");
}

#[test]
fn an_evaluation_uses_the_calibration_if_asked_to() {
    let root = tempfile::tempdir().unwrap();
    let mut command = dermake();
    command.args(["eval", "--labels", "pad", "--label-column", "condition", "--no-cache", "--scale", "calibrated"]);
    let table = fs::read_to_string(calibrated().path("synth/val.csv")).unwrap();
    let labels = &manifest(&calibrated().path("model")).calibrations[0].class_names;
    let is_of_labels = |line: &&str| labels.iter().any(|label| line.rsplit(',').nth(1) == Some(label));
    let kept: Vec<&str> = table.lines().take(1).chain(table.lines().filter(is_of_labels)).collect();
    let path = calibrated().path("synth/of-pad.csv");
    fs::write(&path, kept.join("\n")).unwrap();
    let output = command.arg("--model").arg(calibrated().path("model")).arg("--data").arg(&path);
    let output = output.arg("--out").arg(root.path().join("report")).output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    let results = fs::read_to_string(root.path().join("report/results.json")).unwrap();
    assert!(
        results.contains("calibrated probabilities") && results.contains("120 photos of train.csv"),
        "{results}"
    );
}

#[test]
fn a_second_calibration_replaces_the_first_and_another_model_is_only_printed() {
    let root = tempfile::tempdir().unwrap();
    copy_demo(&root.path().join("model"));
    std::os::unix::fs::symlink(calibrated().path("synth"), root.path().join("synth")).unwrap();
    for refuse in ["0.2", "0.1"] {
        let output = calibrate(root.path(), &["--refuse", refuse]);
        assert!(output.status.success(), "{}", log(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        for expected in ["expected calibration error", "Brier score", "AUROC", "answered with \"none of these\""] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
    let calibrations = manifest(&root.path().join("model")).calibrations;
    assert!(calibrations.len() == 1 && calibrations[0].none_of_these.refused_share == 0.1, "{calibrations:?}");
    // One photo has no label, and one has two.
    let table = fs::read_to_string(calibrated().path("synth/train.csv")).unwrap();
    let cells = |line: usize| table.lines().nth(line).unwrap().rsplitn(3, ',').collect::<Vec<&str>>();
    let (first, second) = (cells(1), cells(2));
    let without = format!("{},,{}", first[2], first[0]);
    let other = if second[1] == "nevus" { "melanoma" } else { "nevus" };
    let again = format!("{},{other},{}\n", second[2], second[0]);
    let path = calibrated().path("synth/damaged-labels.csv");
    fs::write(&path, table.replacen(table.lines().nth(1).unwrap(), &without, 1) + &again).unwrap();
    let mut command = dermake();
    command.args(["calibrate", "demo", "--label-column", "condition", "--labels", "pad", "--no-cache", "--data"]);
    let output = command.arg(path).output().unwrap();
    assert!(output.status.success() && log(&output).contains("printed only"), "{}", log(&output));
    let twice = "images that occur in more than one row: 1, 1 of them with different labels";
    for doubt in ["1 rows without a condition are left out", twice] {
        assert!(log(&output).contains(doubt), "{doubt}: {}", log(&output));
    }
}

#[test]
fn published_probabilities_are_calibrated_without_a_model() {
    let root = tempfile::tempdir().unwrap();
    let mut table = String::from("image_path,true_label,probability_class_0,probability_class_1\n");
    for row in 0..80 {
        let (label, is_right) = (row % 2, row % 5 != 0);
        let first = if (label == 0) == is_right { 0.99 } else { 0.01 };
        writeln!(table, "{row}.jpg,{label},{first},{}", 1.0 - first).unwrap();
    }
    let file = root.path().join("HAM/mine.csv");
    fs::create_dir(root.path().join("HAM")).unwrap();
    fs::write(&file, &table).unwrap();
    let run =
        |arguments: &[&str]| dermake().args(["calibrate", "--from"]).arg(&file).args(arguments).output().unwrap();
    let output = run(&["--json"]);
    assert!(output.status.success(), "{}", log(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found[0]["model"], &found[0]["data"]), (&"mine".into(), &"HAM".into()));
    assert!(found[0]["temperature"].as_f64().unwrap() > 1.5, "{found}");
    let text = String::from_utf8(run(&[]).stdout).unwrap();
    assert!(text.contains("mine, HAM: temperature") && text.contains("most confident answers"), "{text}");
    // All answers have the same confidence: none of them is told apart by the order of the file.
    let accuracy = &found[0]["top1_accuracy"];
    let covered = found[0]["accuracy_at_coverage"].as_array().unwrap();
    let coverages: Vec<f64> = covered.iter().map(|covered| covered["coverage"].as_f64().unwrap()).collect();
    assert_eq!(coverages, [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]);
    let of = |figure: &Value| [&figure["value"], &figure["interval"][0], &figure["interval"][1]].map(Value::as_f64);
    for covered in covered {
        for (found, all) in of(&covered["accuracy"]).into_iter().zip(of(accuracy)) {
            assert!((found.unwrap() - all.unwrap()).abs() < 1e-9, "{covered} and {accuracy}");
        }
    }
    let [value, low, high] = of(accuracy).map(Option::unwrap);
    let last = format!("{:<28}  {value:.3} ({low:.3}–{high:.3})", "50 %");
    assert!(text.lines().any(|line| line == last), "{last}\n{text}");

    let mut certain = String::from("image_path,true_label,probability_class_0,probability_class_1\n");
    (0..80).for_each(|row| writeln!(certain, "{row}.jpg,{0},{1},{0}", row % 2, 1 - row % 2).unwrap());
    fs::write(&file, certain).unwrap();
    let output = run(&[]);
    assert!(
        log(&output).contains("the temperature is at its bound, 0.01: every answer is right"),
        "{}",
        log(&output)
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains("-0.000"));

    fs::write(&file, table.lines().take(20).collect::<Vec<_>>().join("\n")).unwrap();
    assert!(log(&run(&[])).contains("at least 40 rows, found 19"), "{}", log(&run(&[])));
}

#[test]
fn numbers_that_are_no_place_among_the_labels_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path().join("t.csv");
    let calibrated_with = |labels: &[&str]| {
        let rows = labels.iter().enumerate().map(|(at, label)| format!("{at}.png,{label}\n"));
        fs::write(&table, format!("image,label\n{}", rows.collect::<String>())).unwrap();
        let mut command = dermake();
        command.args(["calibrate", "demo", "--labels", "acne, wart, eczema", "--no-cache", "--data"]).arg(&table);
        command.output().unwrap()
    };
    for (labels, expected) in [
        (vec!["1", "2", "3"], "row 3 has label \"3\""),
        (vec!["0", "-1", "99"], "row 2 has label \"-1\", row 3 has label \"99\""),
        (vec!["acne", "1.5"], "row 2 has label \"1.5\""),
        (vec!["1", "2", "2"], "do the labels count from 1?"),
    ] {
        let output = calibrated_with(&labels);
        assert!(output.status.code() == Some(2) && log(&output).contains(expected), "{labels:?}: {}", log(&output));
    }
    // Other names are other labels.
    assert!(log(&calibrated_with(&["acne", "nevus"])).contains("1 photos are of other labels: nevus"));
}

#[test]
fn wrong_input_to_a_calibration_gets_a_sentence() {
    let root = tempfile::tempdir().unwrap();
    let data = calibrated().path("synth/train.csv");
    let data = data.to_str().unwrap();
    let of_pad = ["--label-column", "condition", "--labels", "pad", "--no-cache"];
    for (arguments, expected) in [
        (vec!["calibrate"], "MODEL"),
        (vec!["calibrate", "demo"], "--data"),
        (vec!["calibrate", "demo", "--from", data], "cannot be used with"),
        (vec!["calibrate", "--from", data, "--dtype", "bf16"], "cannot be used with"),
        (vec!["calibrate", "demo", "--data", data, "--refuse", "0.7"], "from 0 to 0.5"),
        (vec!["calibrate", "demo", "--data", "no/such/folder"], "no/such/folder"),
        (
            vec!["calibrate", "demo", "--data", data, "--label-column", "condition", "--labels", "acne, wart"],
            "no photo has",
        ),
        (
            vec!["calibrate", "demo", "--data", data, "--outside", root.path().to_str().unwrap()],
            root.path().to_str().unwrap(),
        ),
    ] {
        let arguments: Vec<&str> = match arguments.contains(&"--outside") {
            true => arguments.iter().copied().chain(of_pad).collect(),
            false => arguments,
        };
        let output = dermake().args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", log(&output));
        assert!(log(&output).contains(expected), "{arguments:?}: {}", log(&output));
        assert!(!log(&output).contains("panicked"), "{}", log(&output));
    }
}
