//! `--labels` and `--concepts` as people write them.

use crate::dermake;
use crate::json_lines;
use crate::labels_of;
use crate::sample;
use std::fs;
use std::path::Path;
use std::process::Output;

fn classify(labels: &str) -> Output {
    dermake().args(["classify", "--json", "--top-k", "1000", "--labels", labels]).arg(sample(1)).output().unwrap()
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The labels that were answered for, in the order of the alphabet, and the log.
fn answered(labels: &str) -> (String, String) {
    let output = classify(labels);
    assert!(output.status.success(), "{labels:?}: {}", log(&output));
    let answer = json_lines(&output.stdout).remove(0);
    let mut labels = labels_of(&answer);
    labels.sort_unstable();
    (labels.join("|"), log(&output))
}

fn refused(labels: &str) -> String {
    let output = classify(labels);
    assert_eq!(output.status.code(), Some(2), "{labels:?}: {}", log(&output));
    assert!(output.stdout.is_empty(), "{labels:?}");
    log(&output)
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_text_that_the_model_does_not_read_to_its_end_is_warned_of() {
    let long = "mole ".repeat(90);
    let labels = format!("{long}on an arm,{long}on a leg,wart");
    for (command, option) in [("classify", "--labels"), ("annotate", "--concepts")] {
        let warnings = |texts: &str| {
            let output = dermake().arg(command).arg(sample(1)).args(["--json", option, texts]).output().unwrap();
            assert!(output.status.success(), "{}", log(&output));
            let log = log(&output);
            let lines = log.lines().filter(|line| line.contains("tokens that the model reads"));
            lines.map(String::from).collect::<Vec<_>>()
        };
        assert!(warnings("mole,wart").is_empty(), "{command}");
        let found = warnings(&labels);
        assert!(found.len() == 1 && found[0].contains("mole mole"), "{command}: {found:?}");
    }
}

#[test]
fn a_label_file_is_read_as_editors_and_spreadsheets_save_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("pretty.json", "\u{feff}[\r\n  \"acne, red\",\r\n  \"nevus\"\r\n]\r\n"),
        ("crlf.txt", "\u{feff}acne, red\r\nnevus\r\n"),
        ("cr.txt", "acne, red\rnevus"),
        ("numbered.txt", "1. acne, red\n2. nevus\n"),
        ("excel.csv", "\u{feff}\"acne, red\"\r\nnevus\r\n"),
        ("no ending", "- acne, red\n- nevus\n"),
    ] {
        assert_eq!(answered(&write(folder.path(), name, content)).0, "acne, red|nevus", "{name}");
    }
}

#[test]
fn a_benchmark_is_not_the_only_answer() {
    for name in ["ham", "ham10000", "derm7pt"] {
        let log = refused(name);
        assert!(log.contains("names a benchmark") && log.contains("pad, f17k, snu, sd128"), "{name}: {log}");
    }
    assert!(refused("fitzpatrick17k").contains("did you mean f17k?"));
}

#[test]
fn a_file_that_is_no_label_list_is_refused_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let utf16: Vec<u8> = "\u{feff}acne\r\nnevus\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, content, expected) in [
        ("utf16.txt", &utf16[..], "UTF-16"),
        ("latin1.txt", b"acne\nB\xE4renklau\n", "line 2"),
        ("cut.json", b"[\"acne\",\n\"nevus\"", "line 2 column"),
        ("comma.json", b"[\n\"acne\",\n]", "line 3 column 1"),
        ("object.json", b"{\"labels\": [\"acne\"]}", "a JSON list of names"),
        ("book.xlsx", b"PK\x03\x04\x14\x00", "Excel workbook"),
        ("table.csv", b"filename,label\na.png,acne\nb.png,nevus\n", "one label a line"),
        ("codes.csv", b"disease_name;icd10\nacne;L70\nnevus;D22\n", "one label a line"),
        ("sets.txt", b"acne\npad\n", "the set \"pad\" in a list"),
        ("empty.txt", b"\xEF\xBB\xBF\r\n", "found 0"),
    ] {
        let log = refused(&write(folder.path(), name, content));
        assert!(log.contains(expected) && log.contains(name), "{name}: {log}");
    }
    assert!(refused(folder.path().to_str().unwrap()).contains("this is a folder"));
    let million = "label\n".repeat(1_000_000);
    assert!(refused(&write(folder.path(), "million.txt", million)).contains("1 to 10000 names, found 1000000"));
}

#[test]
fn typed_labels_are_taken_as_they_are_meant() {
    for labels in ["acne;rosacea;psoriasis", "acne | rosacea | psoriasis", "1. acne\n2. rosacea\n3. psoriasis"] {
        assert_eq!(answered(labels).0, "acne|psoriasis|rosacea", "{labels:?}");
    }
    let (labels, log) = answered("Acne,acne,nevus,ACNE");
    assert_eq!(labels, "Acne|nevus");
    assert!(log.contains("listed more than once, counted once: \"acne\", \"ACNE\""), "{log}");
    assert_eq!(answered("F17K").0.split('|').count(), 114);
    assert_eq!(answered("Pad").0.split('|').count(), 6);
    assert!(answered("acne").1.contains("\"acne\" is the only label"));
    assert!(answered("diagnosis, acne, nevus").1.contains("heading of the list"));
    assert!(!answered("acne, nevus").1.contains("labels:"));
    let folder = tempfile::tempdir().unwrap();
    let (labels, log) = answered(&write(folder.path(), "commented.txt", "# my labels\nacne;L70\nnevus;D22\n"));
    assert_eq!(labels, "acne;L70|nevus;D22");
    for expected in ["every line has a semicolon", "lines that begin with # or // are left out: 1"] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
}

#[test]
fn a_set_is_meant_where_a_folder_or_a_file_is_called_like_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pad")).unwrap();
    write(folder.path(), "f17k", b"\xFF");
    for (arguments, n_labels) in [(&["--labels", "pad"][..], 6), (&["--labels", "f17k"], 114), (&[], 6)] {
        let mut command = dermake();
        command.args(["classify", "--json", "--top-k", "1000"]).args(arguments).arg(sample(1));
        let output = command.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", log(&output));
        assert_eq!(labels_of(&json_lines(&output.stdout)[0]).len(), n_labels, "{arguments:?}");
    }
}

#[test]
fn what_is_no_label_is_an_error_with_a_hint() {
    for (labels, expected) in [
        ("missing.csv", "looks like a file"),
        ("labels.txt,more.txt", "looks like a file"),
        ("no/such/list", "there is no label file"),
        ("@list", "there is no such file"),
        ("f17", "did you mean f17k?"),
        ("padd", "did you mean pad?"),
        ("[\"acne\"", "a JSON list of names"),
        ("pad,f17k", "the set \"pad\" in a list"),
        ("", "found 0"),
    ] {
        let log = refused(labels);
        assert!(log.contains(expected), "{labels:?}: {log}");
    }
}

#[test]
fn labels_come_from_standard_input_and_concepts_from_a_file() {
    let mut command = dermake();
    let command = command.args(["classify", "--json", "--labels", "-"]).arg(sample(1));
    let output = command.write_stdin("\u{feff}acne\r\nnevus\r\n").output().unwrap();
    assert_eq!(labels_of(&json_lines(&output.stdout)[0]).len(), 2, "{}", log(&output));

    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "concepts.txt", "\u{feff}Bulla\r\nscale\r\n");
    for concepts in [file.as_str(), "bulla; scale", "Bulla,scale,BULLA"] {
        let output =
            dermake().args(["annotate", "--json", "--concepts", concepts]).arg(sample(1)).output().unwrap();
        let answer = json_lines(&output.stdout).remove(0);
        let mut found: Vec<&str> =
            answer["concepts"].as_array().unwrap().iter().map(|c| c["concept"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, ["bulla", "scale"], "{concepts}: {}", log(&output));
    }
    let headed = write(folder.path(), "headed.txt", "concept\nbulla\nscale\n");
    let output = dermake().args(["annotate", "--concepts", &headed]).arg(sample(1)).output().unwrap();
    assert!(output.status.success() && log(&output).contains("the first label is \"concept\""), "{}", log(&output));
    let table = write(folder.path(), "table.txt", "concept,umls\nbulla,C1\n");
    let output = dermake().args(["annotate", "--concepts", &table]).arg(sample(1)).output().unwrap();
    assert!(!output.status.success() && log(&output).contains("columns concept, umls"), "{}", log(&output));
    let missing = dermake().args(["annotate", "--concepts", "concepts.csv"]).arg(sample(1)).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(log(&missing).contains("looks like a file"), "{}", log(&missing));
}
