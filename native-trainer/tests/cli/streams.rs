//! Where results go: pipes that nobody reads, disks that are full, names that a terminal would obey.

use crate::color_model::{model, picture};
use crate::dermake;
use crate::limited::{self, Limited};
use crate::sample;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A command line whose results are printed, each with what it writes besides.
fn commands(folder: &Path) -> Vec<(Vec<String>, Option<&'static str>)> {
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let photo = sample(1).to_string_lossy().into_owned();
    let color = model().to_string_lossy().into_owned();
    let dense = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared-model/tests/fixtures/open_clip_eval");
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    vec![
        (words(&["--help"]), None),
        (words(&["--version"]), None),
        (words(&["train", "--help"]), None),
        (words(&["classify", &photo, &photo]), None),
        (words(&["classify", &photo, &photo, "--json"]), None),
        (words(&["annotate", &photo, &photo, "--concepts", "scale", "--json"]), None),
        (words(&["embed", &at("photos"), "--model", &color]), Some("photos/.dermake/files.csv")),
        (words(&["search", "--index", &at("photos"), "--model", &color, "red"]), None),
        (words(&["quantize", "--model", dense, "--out", &at("int8")]), Some("int8/manifest.json")),
        (words(&["synth", "--images", "20", "--image-size", "64", "--out", &at("drawn")]), Some("drawn/train.csv")),
        (words(&["data", "check", &at("drawn/train.csv")]), None),
        (words(&["data", "check", &at("drawn/train.csv"), "--json"]), None),
        (
            words(&["eval", "--data", &at("drawn-data"), "--out", &at("report"), "--no-cache"]),
            Some("report/results.json"),
        ),
    ]
}

/// A folder of two photos, and a drawn set for an evaluation.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("photos")).unwrap();
    for color in ["red", "blue"] {
        fs::write(folder.path().join(format!("photos/{color}.png")), picture(color)).unwrap();
    }
    let drawn = folder.path().join("drawn-data/synth");
    dermake().args(["synth", "--images", "20", "--image-size", "64", "--out"]).arg(drawn).assert().success();
    folder
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_reads_ends_a_command_without_a_word_and_its_files_are_there() {
    let folder = folder();
    for (arguments, file) in commands(folder.path()) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = limited::dermake();
        let output = Limited::start(command.args(&arguments).stdout(writer).stderr(Stdio::piped())).output();
        let log = log(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {log}");
        assert!(!log.contains("panicked") && !log.contains("error"), "{arguments:?}: {log}");
        assert!(file.is_none_or(|file| folder.path().join(file).is_file()), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_stdout_is_said_and_the_files_are_there() {
    let folder = folder();
    for (arguments, file) in commands(folder.path()) {
        if arguments[0] == "synth" {
            dermake().args(&arguments).assert().success(); // prints nothing
            continue;
        }
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = limited::dermake();
        let output = Limited::start(command.args(&arguments).stdout(full).stderr(Stdio::piped())).output();
        let log = log(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {log}");
        assert!(
            log.contains("cannot write the results to stdout") && !log.contains("panicked"),
            "{arguments:?}: {log}"
        );
        assert!(file.is_none_or(|file| folder.path().join(file).is_file()), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_or_closed_stderr_changes_no_result() {
    let folder = folder();
    for (arguments, file) in commands(folder.path()) {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = limited::dermake();
        let output = Limited::start(command.args(&arguments).stdout(Stdio::null()).stderr(full)).output();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(file.is_none_or(|file| folder.path().join(file).is_file()), "{arguments:?}");
    }
    let mut command = limited::without_settings(Command::new("sh"));
    command.args(["-c", "\"$0\" \"$@\" 2>&- >&-", env!("CARGO_BIN_EXE_dermake"), "classify", "no such.jpg"]);
    assert_eq!(Limited::start(&mut command).wait().unwrap().code(), Some(2));
}

#[cfg(unix)]
#[test]
fn names_are_escaped_where_people_read_and_exact_where_programs_do() {
    use std::os::unix::ffi::OsStringExt;
    let folder = tempfile::tempdir().unwrap();
    let name = |bytes: &[u8]| folder.path().join(std::ffi::OsString::from_vec(bytes.to_vec()));
    let names =
        [name(b"\x1b[31mred\n.png"), name(b"\xff.png"), name(b"\xfe.png"), name("Haut\u{308}.png".as_bytes())];
    for path in &names {
        fs::write(path, picture("red")).unwrap();
    }
    let missing = name(b"\x1b]0;title\x07\n.png");
    let run = |options: &[&str]| {
        let mut command = dermake();
        command.arg("classify").args(&names).arg(&missing).args(options).args(["--labels", "red, blue", "--model"]);
        let output = command.arg(model()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", log(&output));
        output
    };
    let output = run(&[]);
    let (text, log) = (String::from_utf8_lossy(&output.stdout), log(&output));
    for text in [&*text, &log] {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
    }
    assert_eq!(text.lines().count(), 4 * 3, "{text}");
    for shown in ["\\u{1b}[31mred\\n.png", "\\xff.png", "\\xfe.png", "Haut\u{308}.png"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(log.contains("\\u{1b}]0;title\\u{7}\\n.png"), "{log}");

    let answers = crate::json_lines(&run(&["--json"]).stdout);
    let images: Vec<&str> = answers.iter().map(|answer| answer["image"].as_str().unwrap()).collect();
    assert!(images[0].ends_with("/\u{1b}[31mred\n.png"), "{images:?}");
    assert!(images[1].ends_with("/\\xff.png") && images[2].ends_with("/\\xfe.png"), "{images:?}");
}
