//! Several ranks beside one: what they train, score and embed is equal. Over TCP here, and over MPI in `tests/mpi.rs`.

use crate::color_model::model;
use crate::dermake;
use crate::eval_data::Data;
use crate::rounding::{assert_near_bytes, assert_near_json};
use crate::train_run::{Run, data, own_data};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Runs the program as so many ranks with these arguments; returns what all have written.
pub type Launch = fn(usize, &[&OsStr]) -> Output;

const SIZES: [usize; 2] = [2, 4];

/// The output of one process or of several ranks.
fn run(launch: Launch, size: usize, arguments: &[OsString]) -> Output {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    match size {
        1 => dermake().args(arguments).output().unwrap(),
        size => launch(size, &arguments),
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn arguments(words: &[&str], paths: &[(&str, PathBuf)]) -> Vec<OsString> {
    let paths = paths.iter().flat_map(|(option, path)| [OsString::from(option), path.as_os_str().to_owned()]);
    words.iter().map(OsString::from).chain(paths).collect()
}

/// One image cannot be read, and another row takes its place; the captions of a part differ in number and length.
pub fn training(launch: Launch) {
    let set = own_data();
    fs::write(set.path().join("images/train/000003.jpg"), "no picture").unwrap();
    for variant in ["released", "paper", "clip"] {
        let new = || {
            let mut run = Run::new(1, "1e-3");
            run.data = set.path().to_path_buf();
            run.change("validation = ", "max_bad_share = 0.1\nvalidation = ");
            run.change("variant = \"paper\"", &format!("variant = {variant:?}"));
            run
        };
        let one = new();
        one.finish();
        for size in SIZES {
            let what = format!("{variant}, {size} ranks");
            let several = new();
            let paths: Vec<OsString> = several.arguments().into_iter().map(PathBuf::into_os_string).collect();
            let output = run(launch, size, &paths);
            let log = said(&output);
            assert!(output.status.success(), "{what}: {log}");
            let planned = format!("ranks       {size}, each with {} images", 16 / size);
            assert_eq!(log.matches(&planned).count(), 1, "the plan is printed once: {log}");
            assert_eq!(log.matches("train/000003.jpg").count(), 1, "{what}: {log}");
            let (expected, found) = (losses(&one), losses(&several));
            assert_eq!((expected.len(), found.len()), (5, 5), "{what}");
            for ((loss, n_texts), (expected, n_expected)) in found.iter().zip(&expected) {
                assert!((loss - expected).abs() < 1e-6 * expected.max(1.0), "{what}: {loss}, expected {expected}");
                assert_eq!(n_texts, n_expected, "{what}");
            }
            assert_near(&one, &several, 1e-5);
            let ((loss, top1), (expected, expected_top1)) = (evaluated(&several), evaluated(&one));
            assert!((loss - expected).abs() < 1e-4, "{what}: {loss}, expected {expected}");
            assert!((top1 - expected_top1).abs() < 0.2, "{what}: {top1}, expected {expected_top1}");
        }
    }
}

/// Losses with the numbers of distinct captions.
pub fn losses(run: &Run) -> Vec<(f64, f64)> {
    let metrics = run.metrics();
    let steps = metrics.iter().filter(|line| line["loss"].is_f64());
    steps.map(|line| (line["loss"].as_f64().unwrap(), line["distinct_captions"].as_f64().unwrap())).collect()
}

fn evaluated(run: &Run) -> (f64, f64) {
    let metrics = run.metrics();
    let line = metrics.iter().find(|line| line["validation_loss"].is_f64()).unwrap();
    (line["validation_loss"].as_f64().unwrap(), line["zero_shot_top1_synth"].as_f64().unwrap())
}

/// Asserts that parameters differ by less than `bound`, but for the keys' bias, whose gradient is rounding.
pub fn assert_near(left: &Run, right: &Run, bound: f32) {
    let values =
        |bytes: &[u8]| bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect::<Vec<_>>();
    for ((name, left), (other, right)) in left.tensors("last").iter().zip(&right.tensors("last")) {
        assert_eq!(name, other);
        if name.ends_with("in_proj_bias") || name.contains("_moment.") {
            continue;
        }
        let (left, right) = (values(left), values(right));
        let difference = left.iter().zip(&right).map(|(l, r)| (l - r).abs()).fold(0f32, f32::max);
        assert!(difference < bound, "{name}: {difference:e}");
    }
}

/// An evaluation of the demo model in int8 on a drawn set with an image that cannot be read, and of a model in f32 with a
/// cache, whose labels and captions are encoded, too, on ten images: no multiple of four.
pub fn evaluation(launch: Launch) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut synth = dermake();
    synth.args(["synth", "--images", "150", "--seed", "7", "--image-size", "64", "--out"]).arg(path("data/synth"));
    synth.assert().success();
    fs::write(path("data/synth/zeroshot/images/00003.jpg"), "no picture").unwrap();
    let drawn = |size: usize, out: &Path| {
        let options = ["eval", "--no-cache", "--max-unreadable", "0.1"];
        let paths = [("--data", path("data")), ("--out", out.join("report")), ("--embeddings", out.join("e.csv"))];
        run(launch, size, &arguments(&options, &paths))
    };
    let n_scored = assert_equal_evaluations(drawn, 2); // the image is in two benchmarks
    assert!(n_scored > 40, "{n_scored}");

    let data = Data::new();
    fs::write(
        data.colors().join("captions.csv"),
        "filename,caption_zh_polish_en\nimages/0.png,red\nimages/3.png,something green\nimages/9.png,blue and blue\n",
    )
    .unwrap();
    let colors = |size: usize, out: &Path| {
        let paths = [
            ("--model", model().to_path_buf()),
            ("--data", data.folder.path().to_path_buf()),
            ("--out", out.join("report")),
            ("--cache", out.join("c")),
        ];
        run(launch, size, &arguments(&["eval", "--only", "colors,color_captions"], &paths))
    };
    assert_equal_evaluations(colors, 0);
}

/// Asserts that 2 and 4 ranks write the results, the answers and the features of one; returns the number of images.
fn assert_equal_evaluations(eval: impl Fn(usize, &Path) -> Output, n_unreadable: usize) -> usize {
    let evaluated = |size: usize| {
        let out = tempfile::tempdir().unwrap();
        let output = eval(size, out.path());
        assert!(output.status.success(), "{size} ranks: {}", said(&output));
        assert_eq!(said(&output).matches("the report is").count(), 1, "{}", said(&output));
        let mut files = files_of(&out.path().join("report/predictions"));
        if let Ok(embeddings) = fs::read(out.path().join("e.csv")) {
            files.insert("e.csv".into(), embeddings);
        }
        // A cache of the first rank only, with the same rows.
        for (name, content) in files_of(&out.path().join("c")) {
            if name.ends_with("features.f32") {
                files.insert(name, content);
            }
        }
        let mut results: Value =
            serde_json::from_slice(&fs::read(out.path().join("report/results.json")).unwrap()).unwrap();
        for secs in ["image_secs", "prompt_secs"] {
            results["effort"][secs] = Value::Null;
        }
        (results, String::from_utf8(output.stdout).unwrap(), files)
    };
    let one = evaluated(1);
    let benchmarks = one.0["benchmarks"].as_array().unwrap();
    let unreadable: usize = benchmarks.iter().map(|found| found["unreadable"].as_array().unwrap().len()).sum();
    assert_eq!(unreadable, n_unreadable);
    assert!(one.2.len() > 1 && one.0["effort"]["prompts_encoded"].as_u64() > Some(0), "{:?}", one.0["effort"]);
    for size in SIZES {
        let several = evaluated(size);
        assert_near_json(&several.0, &one.0, &format!("results.json of {size} ranks"));
        assert_eq!(several.1, one.1, "the table of {size} ranks");
        assert_eq!(several.2.keys().collect::<Vec<_>>(), one.2.keys().collect::<Vec<_>>());
        for (name, content) in &one.2 {
            assert_near_bytes(&several.2[name], content, &format!("{name} of {size} ranks"));
        }
    }
    benchmarks.iter().map(|found| found["n_scored"].as_u64().unwrap() as usize).sum()
}

/// An index of photos of which one cannot be read and two are the same.
pub fn index(launch: Launch) {
    let photos = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(data().join("images/train")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, photos.path().join(path.file_name().unwrap())).unwrap();
    }
    fs::copy(photos.path().join("000002.jpg"), photos.path().join("copy.jpg")).unwrap();
    fs::write(photos.path().join("broken.jpg"), "no picture").unwrap();
    let embed = |size: usize| {
        let index = tempfile::tempdir().unwrap();
        let (folder, out) = (index.path().join("index"), index.path().join("features.npy"));
        let paths = [("--index", folder), ("--out", out)];
        let output = run(launch, size, &arguments(&["embed", photos.path().to_str().unwrap()], &paths));
        // A launcher passes the code of the first rank on, or a code of its own.
        assert!(!output.status.success(), "one photo cannot be read");
        assert_eq!(said(&output).matches("broken.jpg").count(), 1, "{}", said(&output));
        let mut files = files_of(index.path());
        // The catalog is a log of what was saved when.
        files.retain(|name, _| !name.ends_with("catalog.log") && !name.ends_with(".lock"));
        (String::from_utf8(output.stdout).unwrap(), files)
    };
    let one = embed(1);
    assert!(one.0.ends_with(" gone, 1 unreadable\n") && one.1.len() >= 4, "{}: {:?}", one.0, one.1.keys());
    for size in SIZES {
        let several = embed(size);
        assert_eq!(several.0, one.0, "{size} ranks");
        assert_eq!(several.1.keys().collect::<Vec<_>>(), one.1.keys().collect::<Vec<_>>(), "files of {size} ranks");
        for (name, content) in &one.1 {
            assert_near_bytes(&several.1[name], content, &format!("{name} of {size} ranks"));
        }
    }
}

/// The contents of all files below a folder, by their paths.
fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let content = |entry: walkdir::DirEntry| {
        let name = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        (name, fs::read(entry.path()).unwrap())
    };
    files.map(content).collect()
}
