//! `dermake embed`, `dermake search` and `dermake annotate`, with pictures of one color and a model that knows colors.

use crate::color_model::{COLORS, model, picture};
use crate::dermake;
use crate::json_lines;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// Eight photos, one in a folder below.
fn photos() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("below")).unwrap();
    for (name, _) in COLORS {
        let file = if name == "black" { "below/black.png".into() } else { format!("{name}.png") };
        fs::write(folder.path().join(file), picture(name)).unwrap();
    }
    folder
}

fn run(command: &str, arguments: &[&str], folder: &Path) -> Output {
    let mut dermake = dermake();
    dermake.arg(command).args(arguments).arg("--model").arg(model()).env("XDG_CACHE_HOME", folder.join(".cache"));
    dermake.output().unwrap()
}

fn embed(folder: &Path) -> String {
    let output = run("embed", &[folder.to_str().unwrap()], folder);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().into()
}

/// Names of the photos found.
fn search(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let index = folder.to_str().unwrap();
    let output = run("search", &[&["--index", index, "--json"], arguments].concat(), folder);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    json_lines(&output.stdout).iter().map(|hit| hit["file"].as_str().unwrap().to_string()).collect()
}

#[test]
fn photos_are_found_by_words_and_by_likeness() {
    let photos = photos();
    assert_eq!(embed(photos.path()), "8 photos new or changed, 0 known, 0 gone, 0 unreadable");
    assert_eq!(search(photos.path(), &["something black", "--top-k", "1"]), ["below/black.png"]);
    // Yellow is red and green: one channel off either.
    let near_red = search(photos.path(), &["red", "--top-k", "4"]);
    assert_eq!(near_red[0], "red.png");
    let mut others = near_red[1..].to_vec();
    others.sort();
    assert_eq!(others, ["below/black.png", "purple.png", "yellow.png"]);
    let blue = photos.path().join("blue.png");
    assert_eq!(search(photos.path(), &["--like", blue.to_str().unwrap(), "--top-k", "1"]), ["blue.png"]);
    assert_eq!(search(photos.path(), &["red", "--top-k", "100"]).len(), 8);
}

#[test]
fn an_index_follows_its_folder() {
    let photos = photos();
    let path = |name: &str| photos.path().join(name);
    embed(photos.path());
    fs::remove_file(path("red.png")).unwrap();
    fs::rename(path("blue.png"), path("below/azure.png")).unwrap();
    fs::write(path("green.png"), picture("white")).unwrap();
    fs::write(path("broken.jpg"), "no photo").unwrap();
    let output = run("embed", &[photos.path().to_str().unwrap()], photos.path());
    assert_eq!(output.status.code(), Some(1), "one cannot be read");
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken.jpg"));
    // What was moved is known by its content, and so is what became a copy.
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(report.trim(), "0 photos new or changed, 6 known, 1 copy of another, 2 gone, 1 unreadable");
    let red = search(photos.path(), &["red", "--top-k", "100"]);
    assert!(red.len() == 7 && !red.contains(&"red.png".into()), "{red:?}");
    assert_eq!(search(photos.path(), &["blue", "--top-k", "1"]), ["below/azure.png"]);
    let mut white = search(photos.path(), &["white", "--top-k", "2"]);
    white.sort();
    assert_eq!(white, ["green.png", "white.png"]);
}

#[test]
fn a_copy_is_no_photo_that_was_known() {
    let photos = photos();
    fs::copy(photos.path().join("red.png"), photos.path().join("below/red again.png")).unwrap();
    let expected = |new: usize, known: usize| {
        format!("{new} photos new or changed, {known} known, 1 copy of another, 0 gone, 0 unreadable")
    };
    assert_eq!(embed(photos.path()), expected(8, 0));
    assert_eq!(embed(photos.path()), expected(0, 8));
    fs::copy(photos.path().join("red.png"), photos.path().join("third.png")).unwrap();
    assert!(embed(photos.path()).contains("0 photos new or changed, 8 known, 2 copies of others"));
}

#[test]
fn what_is_a_file_is_called_one() {
    let photos = photos();
    let red = photos.path().join("red.png");
    let red = red.to_str().unwrap();
    let refused = |command: &str, arguments: &[&str]| {
        let output = run(command, arguments, photos.path());
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{log}");
        log
    };
    assert!(refused("embed", &[red]).contains("expected a folder of photos, found a file"));
    embed(photos.path());
    let index = photos.path().to_str().unwrap();
    let log = refused("search", &["--index", index, red]);
    assert!(log.contains("this is a file, expected words; did you mean --like"), "{log}");
    let log = refused("search", &["--index", red, "red"]);
    assert!(log.contains("expected the folder of an index or of its photos, found a file"), "{log}");
    let log = refused("search", &["--index", index]);
    assert!(log.contains("<TEXT|--like <IMAGE>>"), "{log}");
}

#[test]
fn no_result_replaces_a_photo_a_list_or_the_index() {
    let photos = photos();
    let folder = photos.path();
    embed(folder);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_string();
    fs::write(path("list.csv"), "red.png\n").unwrap();
    fs::write(path("concepts.csv"), "blue\n").unwrap();
    fs::write(path("photo.csv"), picture("red")).unwrap();
    fs::write(path("b.rows.csv"), picture("blue")).unwrap();
    let list = format!("@{}", path("list.csv"));
    let table = path(".dermake/files.csv");
    for (arguments, out, expected) in [
        (vec!["annotate", &list], path("list.csv"), "names a file that is read"),
        (vec!["annotate", &path("red.png"), "--concepts", &path("concepts.csv")], path("concepts.csv"), "is read"),
        (vec!["annotate", &path("photo.csv")], path("below/../photo.csv"), "names a file that is read"),
        (vec!["annotate", &path("b.rows.csv")], path("b.npy"), "b.rows.csv"),
        (vec!["embed", &path("")], path("photo.csv"), "names a file that is read"),
        (vec!["embed", &path("")], table.clone(), "--out lies in the folder of the index"),
    ] {
        let before = fs::read(&out).ok();
        let output = run(arguments[0], &[&arguments[1..], &["--out", &out]].concat(), folder);
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && log.contains(expected), "{arguments:?}: {log}");
        assert_eq!(fs::read(&out).ok(), before, "{arguments:?}");
    }
    let output = run("annotate", &[&list, "--out", &path("new.csv")], folder);
    assert!(
        output.status.success() && run("annotate", &[&list, "--out", &path("new.csv")], folder).status.success()
    );
}

#[cfg(unix)]
#[test]
fn photos_behind_a_folder_that_is_away_stay_in_the_index() {
    let photos = photos();
    let path = |name: &str| photos.path().join(name);
    embed(photos.path());
    fs::rename(path("below"), path(".away")).unwrap();
    std::os::unix::fs::symlink(path("not/there"), path("below")).unwrap();
    let folder = photos.path().to_str().unwrap();
    for (command, expected) in [("embed", "; photos below it stay in the index: "), ("classify", ": ")] {
        let output = run(command, &[folder], photos.path());
        let log = String::from_utf8_lossy(&output.stderr);
        let expected = format!("this link leads to a place that is not there{expected}");
        assert!(output.status.code() == Some(1) && log.contains(&expected) && log.contains("below"), "{log}");
    }
    fs::remove_file(path("below")).unwrap();
    fs::rename(path(".away"), path("below")).unwrap();
    assert_eq!(embed(photos.path()), "0 photos new or changed, 8 known, 0 gone, 0 unreadable");
}

#[test]
fn an_index_without_photos_has_no_answer() {
    let photos = photos();
    embed(photos.path());
    let folder = photos.path().to_str().unwrap();
    for (name, _) in COLORS {
        let file = if name == "black" { "below/black.png".into() } else { format!("{name}.png") };
        fs::remove_file(photos.path().join(file)).unwrap();
    }
    run("embed", &[folder], photos.path());
    let output = run("search", &["--index", folder, "red"], photos.path());
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && log.contains("no photo is in the index"), "{log}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_said_before_the_work() {
    let photos = photos();
    let folder = photos.path().to_str().unwrap();
    for (option, expected) in [
        (["--out", "/proc/x.csv"], "cannot write /proc/x.csv; choose another place"),
        (["--index", "/proc/idx"], "cannot write the index; choose another folder with --index: /proc/idx"),
    ] {
        let output = run("embed", &[&[folder], &option[..]].concat(), photos.path());
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && log.contains(expected) && !log.contains(".tmp"), "{log}");
    }
    assert!(!photos.path().join(".dermake").exists(), "nothing was done before");
}

#[test]
fn an_index_is_searched_with_the_model_that_made_it_or_not_at_all() {
    let photos = photos();
    let search = |model: &[&str]| {
        let mut command = dermake();
        command.args(["search", "red", "--index"]).arg(photos.path()).args(model).output().unwrap()
    };
    let output = search(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("dermake embed"));
    embed(photos.path());
    let output = search(&["--model", "demo"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another model"));

    let output = search(&["--model", model().to_str().unwrap(), "--dtype", "bf16"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && log.contains("of --dtype f32 (this is bf16)"), "{log}");

    fs::write(photos.path().join(".dermake/features.f32"), "short").unwrap();
    let output = search(&["--model", model().to_str().unwrap()]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && log.contains("damaged"), "{log}");
    fs::write(photos.path().join(".dermake/catalog.redb"), "no database").unwrap();
    let output = search(&["--model", model().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_text_without_a_letter_is_refused() {
    let photos = photos();
    embed(photos.path());
    for text in ["", "   ", "?!"] {
        let output = run("search", &["--index", photos.path().to_str().unwrap(), text], photos.path());
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{text:?}: {log}");
        assert!(log.contains("the search text has no letter"), "{text:?}: {log}");
    }
}

#[test]
fn concepts_of_a_photo_are_ranked() {
    let photos = photos();
    let file = |name: &str| photos.path().join(name).to_string_lossy().into_owned();
    let (blue, missing) = (file("blue.png"), file("missing.png"));
    let output = run("annotate", &[&blue, &missing, "--json", "--top-k", "3"], photos.path());
    assert_eq!(output.status.code(), Some(1), "one photo is not there");
    let answers = json_lines(&output.stdout);
    assert_eq!(answers.len(), 1);
    let concepts = answers[0]["concepts"].as_array().unwrap();
    assert_eq!((concepts.len(), concepts[0]["concept"].as_str()), (3, Some("blue")));
    assert!(concepts[0]["score"].as_f64().unwrap() > 0.99);

    let output = run("annotate", &[&blue, "--concepts", "turquoise,red,Blue"], photos.path());
    let text = String::from_utf8(output.stdout).unwrap();
    let order: Vec<&str> = text.lines().skip(1).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(order, ["blue", "turquoise", "red"], "{text}");
}

#[test]
fn concepts_that_are_typical_of_a_label_are_marked_and_printed_beyond_the_first() {
    let photos = photos();
    let blue = photos.path().join("blue.png").to_string_lossy().into_owned();
    let annotate = |arguments: &[&str]| run("annotate", &[&[blue.as_str()], arguments].concat(), photos.path());
    let concepts = |arguments: &[&str]| json_lines(&annotate(arguments).stdout)[0]["concepts"].clone();
    let all = concepts(&["--json", "--top-k", "64"]);
    let is_typical = |found: &Value| ["plaque", "scale", "erythema"].contains(&found["concept"].as_str().unwrap());
    let ranked = all.as_array().unwrap().iter().enumerate();
    let shown = ranked.filter(|(rank, found)| *rank < 1 || is_typical(found)).map(|(_, found)| {
        let mut found = found.clone();
        found["typical"] = is_typical(&found).into();
        found
    });
    let marked = concepts(&["--json", "--top-k", "1", "--typical-of", "psoriasis"]);
    assert_eq!(marked, Value::Array(shown.collect()));
    assert_eq!(marked.as_array().unwrap().len(), 4, "{marked}");

    let text = String::from_utf8(annotate(&["--top-k", "1", "--typical-of", "Psoriasis"]).stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.ends_with("  typical")).count(), 3, "{text}");
    let output = annotate(&["--typical-of", "alopecia areata", "--json"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && log.contains("there is no list of typical findings"), "{log}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("\"typical\""));
    for (label, expected) in [("psorasis", "did you mean psoriasis?"), ("", "such as psoriasis, or a label of pad")]
    {
        let output = annotate(&["--typical-of", label]);
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && log.contains(expected), "{log}");
    }
}
