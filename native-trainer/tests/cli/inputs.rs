//! What may be named as a photo, and the exit codes that tell how it went.

use crate::color_model::{COLORS, model, picture};
use crate::dermake;
use crate::json_lines;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// `red.png`, `more/blue.JPG` (a PNG for all that), `more/green` and files that are no photos.
fn photos() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("more")).unwrap();
    for (name, color) in [("red.png", "red"), ("more/blue.JPG", "blue"), ("more/green", "green")] {
        fs::write(folder.path().join(name), picture(color)).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "no photo").unwrap();
    fs::write(folder.path().join("more/.hidden.png"), picture("black")).unwrap();
    folder
}

/// Runs in the folder; `piped` goes to standard input.
fn run(folder: &Path, command: &str, arguments: &[&str], piped: &[u8]) -> Output {
    let mut dermake = dermake();
    dermake.current_dir(folder).arg(command).args(arguments).arg("--model").arg(model());
    dermake.env("XDG_CACHE_HOME", folder.join(".cache")).write_stdin(piped).output().unwrap()
}

fn classify(folder: &Path, images: &[&str], piped: &[u8]) -> Output {
    let options = ["--json", "--top-k", "1", "--labels", "red, green, blue, black"];
    run(folder, "classify", &[images, &options].concat(), piped)
}

/// Each image with its likeliest label.
fn answers(output: &Output) -> Vec<(String, String)> {
    let of = |answer: &serde_json::Value| {
        let label = &answer["predictions"][0]["label"];
        (answer["image"].as_str().unwrap().to_string(), label.as_str().unwrap().to_string())
    };
    json_lines(&output.stdout).iter().map(of).collect()
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(image, label)| (image.to_string(), label.to_string())).collect()
}

#[test]
fn folders_lists_and_standard_input_are_photos_too() {
    let folder = photos();
    let all = [("./more/blue.JPG", "blue"), ("./more/green", "green"), ("./red.png", "red")];
    let output = classify(folder.path(), &["."], b"");
    assert_eq!((output.status.code(), answers(&output)), (Some(0), pairs(&all)), "{}", log(&output));
    assert!(log(&output).contains("1 file is no photo and skipped: notes.txt"), "{}", log(&output));

    let output = classify(folder.path(), &["-"], &picture("blue"));
    assert_eq!((output.status.code(), answers(&output)), (Some(0), pairs(&[("-", "blue")])), "{}", log(&output));

    fs::write(folder.path().join("list.txt"), "\u{feff}red.png\r\n\r\nmore/green\r\n").unwrap();
    let expected = pairs(&[("red.png", "red"), ("more/green", "green")]);
    for (list, piped) in [("@list.txt", &b""[..]), ("@-", b"red.png\nmore/green")] {
        let output = classify(folder.path(), &[list], piped);
        assert_eq!((output.status.code(), answers(&output)), (Some(0), expected.clone()), "{}", log(&output));
    }

    fs::write(folder.path().join("@odd.png"), picture("black")).unwrap();
    fs::write(folder.path().join("-odd.png"), picture("black")).unwrap();
    let output = classify(folder.path(), &["@odd.png", "./-odd.png"], b"");
    let expected = pairs(&[("@odd.png", "black"), ("./-odd.png", "black")]);
    assert_eq!((output.status.code(), answers(&output)), (Some(0), expected), "{}", log(&output));
}

#[test]
fn annotate_and_search_take_them_as_well() {
    let folder = photos();
    let output =
        run(folder.path(), "annotate", &["more", "-", "--concepts", "red,blue", "--json"], &picture("red"));
    assert_eq!(output.status.code(), Some(0), "{}", log(&output));
    let images: Vec<_> = json_lines(&output.stdout).iter().map(|line| line["image"].clone()).collect();
    assert_eq!(images, ["more/blue.JPG", "more/green", "-"]);

    let output = run(folder.path(), "embed", &["."], b"");
    assert_eq!(output.status.code(), Some(0), "{}", log(&output));
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(report, "3 photos new or changed, 0 known, 0 gone, 0 unreadable\n");
    let output = run(folder.path(), "search", &["--index", ".", "--like", "-", "--top-k", "1"], &picture("green"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("more/green"), "{}", log(&output));
    let output = run(folder.path(), "search", &["--index", ".", "--like", "more"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(log(&output).contains("folder, expected one photo: more"), "{}", log(&output));
}

#[test]
fn the_exit_code_tells_whether_all_some_or_none_were_answered() {
    let folder = photos();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::write(folder.path().join("torn.png"), &picture("red")[..40]).unwrap();
    for command in ["classify", "annotate"] {
        for (images, code, problem) in [
            (vec!["red.png"], 0, ""),
            (vec!["red.png", "missing.png"], 1, "there is no such file: missing.png"),
            (vec!["missing.png"], 2, "there is no such file: missing.png"),
            (vec!["torn.png", "notes.txt"], 2, "notes.txt"),
            (vec!["empty"], 2, "there is no photo in this folder: empty"),
            (vec!["*.gif"], 2, "none that fits this pattern: *.gif"),
            (vec!["@missing.txt"], 2, "there is no such file: missing.txt"),
            (vec!["red.png", "@missing.txt"], 1, "cannot read the list of photos"),
            (vec!["-"], 2, "-"),
        ] {
            let output = run(folder.path(), command, &images, b"");
            let log = log(&output);
            assert_eq!(output.status.code(), Some(code), "{command} {images:?}: {log}");
            assert!(log.contains(problem) && !log.contains("panicked"), "{command} {images:?}: {log}");
        }
    }
    let output = run(folder.path(), "embed", &["empty"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(log(&output).contains("there is no photo in the folder empty"), "{}", log(&output));
    fs::write(folder.path().join("empty/torn.png"), "torn").unwrap();
    let output = run(folder.path(), "embed", &["empty"], b"");
    assert_eq!(output.status.code(), Some(2), "nothing was embedded: {}", log(&output));
}

#[test]
fn an_index_says_which_row_is_of_which_photo() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _) in COLORS.iter().take(3) {
        fs::write(folder.path().join(format!("{name}.png")), picture(name)).unwrap();
    }
    run(folder.path(), "embed", &["."], b"");
    fs::copy(folder.path().join("blue.png"), folder.path().join("a copy, of \"blue\".png")).unwrap();
    let output = run(folder.path(), "embed", &["."], b"");
    assert!(log(&output).contains("files.csv"), "{}", log(&output));
    let index = folder.path().join(".dermake");
    let features = fs::read(index.join("features.f32")).unwrap();
    assert_eq!(features.len(), 3 * 3 * 4, "a copy has the row of its original");
    let mut table = csv::Reader::from_path(index.join("files.csv")).unwrap();
    assert_eq!(table.headers().unwrap(), &["row", "file"][..]);
    let rows: Vec<(usize, String)> = table.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    let row_of = |name: &str| rows.iter().find(|(_, file)| file == name).unwrap().0;
    assert_eq!(row_of("blue.png"), row_of("a copy, of \"blue\".png"));
    // A photo's feature is its mean color, as a unit vector from -1 to 1.
    let value = |row: usize, at: usize| {
        let start = (row * 3 + at) * 4;
        f32::from_le_bytes(features[start..start + 4].try_into().unwrap())
    };
    assert!(value(row_of("red.png"), 0) > 0.0 && value(row_of("red.png"), 2) < 0.0);
    assert!(value(row_of("blue.png"), 0) < 0.0 && value(row_of("blue.png"), 2) > 0.0);
}
