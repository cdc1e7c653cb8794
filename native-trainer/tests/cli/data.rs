//! `dermake data check`.

use crate::dermake;
use crate::sample;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

const HEADER: &str = "filename,truncated_caption,ontology_caption,visual_concept_caption,subcaption_1,subcaption_2,\
                      sub_caption_mask,knowledge_masks,ontology_label,agent_generated";

/// A table of these rows beside one good image, a damaged one and a text that is none.
fn table(folder: &Path, rows: &[&str]) -> PathBuf {
    let good = fs::read(sample(1)).unwrap();
    fs::write(folder.join("good.jpg"), &good).unwrap();
    fs::write(folder.join("cut.jpg"), &good[..good.len() / 2]).unwrap();
    fs::write(folder.join("text.png"), "This is no image.").unwrap();
    let path = folder.join("train.csv");
    fs::write(&path, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    path
}

fn check(table: &Path, more: &[&str]) -> Output {
    dermake().args(["data", "check", "--subcaptions", "2"]).arg(table).args(more).output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|err| panic!("{err}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_table_is_usable_as_spreadsheets_save_it_and_whatever_the_case_of_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let row = "good.jpg,a mole,nevus,,a mole,,\"[1, 0]\",\"[1, 1, 0]\",1,yes";
    fs::copy(sample(2), folder.path().join("other.jpg")).unwrap();
    let other = row.replace("good", "other").replace("mole", "wart").replace("yes", "no");
    let path = table(folder.path(), &[row, &other]);
    let written =
        fs::read_to_string(&path).unwrap().replace("filename", " Image_Path").replace("good.jpg", ".\\GOOD.JPEG");
    let semicolons = written.replace(',', ";").replace("[1; 0]", "[1, 0]").replace("[1; 1; 0]", "[1, 1, 0]");
    for text in [written.clone(), format!("\u{feff}{semicolons};;;;;;;;;\n").replace('\n', "\r\n")] {
        fs::write(&path, &text).unwrap();
        let output = check(&path, &["--json"]);
        assert_eq!(output.status.code(), Some(0), "{text}: {}", report(&output));
    }
    fs::write(folder.path().join("Good.JPG"), "another").unwrap();
    let output = check(&path, &["--json"]);
    assert_eq!(report(&output)["problems"][0]["kind"], "image_ambiguous", "{}", report(&output));
    let row = written.lines().nth(1).unwrap();
    fs::write(&path, format!("{}{row}\n", written.replace(",yes", ",\"yes"))).unwrap();
    let output = check(&path, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let message = report(&output)["problems"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("opens a cell in line 2 is closed in the middle of a text in line 3"), "{message}");
    fs::write(&path, "image,caption\na.jpg,\"a mole\nb.jpg,a wart\n").unwrap();
    let output = check(&path, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let error = report(&output)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("quotation mark of row 1 (line 2) is never closed"), "{error}");
}

#[test]
fn every_kind_of_problem_is_named_with_its_row_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(
        folder.path(),
        &[
            "good.jpg,a mole,nevus,,a mole,,\"[1, 0]\",\"[1, 1, 0]\",1,yes",
            "gone.jpg,\"a mole\non two lines\",nevus,,a mole,,\"[1, 0]\",\"[1, 1, 0]\",1,yes",
            "text.png,a mole,nevus,,a mole,,\"[1, 0]\",\"[1, 1, 0]\",1,yes",
            "cut.jpg,a mole,nevus,,a mole,,\"[1, 0]\",\"[1, 1, 0]\",1,yes",
            "good.jpg,a mole,nevus,,a mole,,\"[1, 0, 0]\",\"[1, 1, 0]\",1,yes",
            "good.jpg,a mole,nevus,,a mole,,\"[1, 0]\",exit(),1,yes",
            "good.jpg,a mole,nevus,,a mole,,\"[1, 1]\",\"[1, 1, 1]\",1,yes",
            "good.jpg,one two three four five six seven,nevus,,a mole,,\"[1, 0]\",\"[1, 1, 0]\",1,yes",
            ",a mole,nevus,,a mole,,\"[1, 0]\",\"[1, 1, 0]\",1,yes",
            "good.jpg,a mole,nevus,,a mole,,\"[1, 0]\",\"[1, 1, 0]\",1,yes,more",
        ],
    );
    let output = check(&table, &["--json", "--model-context", "8"]);
    assert_eq!(output.status.code(), Some(1));
    let report = report(&output);
    assert_eq!(report["is_usable"], false);
    let problems = report["problems"].as_array().unwrap();
    let found: Vec<(u64, u64, &str, &str)> = problems
        .iter()
        .map(|problem| {
            let text = |key: &str| problem[key].as_str().unwrap_or("");
            (problem["row"].as_u64().unwrap(), problem["line"].as_u64().unwrap(), text("column"), text("kind"))
        })
        .collect();
    assert_eq!(
        found,
        [
            (2, 3, "filename", "image_missing"),
            (3, 5, "filename", "image_unreadable"),
            (4, 6, "filename", "image_unreadable"),
            (5, 7, "sub_caption_mask", "mask_length"),
            (6, 8, "knowledge_masks", "mask_unreadable"),
            (7, 9, "visual_concept_caption", "empty_caption"),
            (7, 9, "subcaption_2", "empty_caption"),
            (8, 10, "truncated_caption", "caption_cut"),
            (9, 11, "filename", "no_image_name"),
            (10, 12, "", "too_many_fields"),
        ]
    );
    let warnings = problems.iter().filter(|problem| problem["is_warning"] == true).count();
    assert_eq!(warnings, 1);
    let statistics = &report["statistics"];
    assert_eq!((&statistics["n_rows"], &statistics["n_usable_rows"]), (&10.into(), &2.into()));
    // An empty cell is no caption.
    assert_eq!((&statistics["n_captions"], &statistics["distinct_share"]), (&30.into(), &(4.0 / 30.0).into()));
    let captions = statistics["captions"].as_array().unwrap();
    assert_eq!(captions.len(), 4);
    assert_eq!((&captions[0]["max_tokens"], &captions[0]["n_cut"]), (&7.into(), &1.into()));
    assert_eq!((&captions[2]["empty_share"], &captions[2]["mean_tokens"]), (&1.0.into(), &Value::Null));
    assert_eq!((&captions[3]["n_cells"], &captions[3]["n_valid"]), (&20.into(), &10.into()));
    assert_eq!((&captions[3]["mean_tokens"], &captions[3]["distinct_share"]), (&2.0.into(), &0.1.into()));

    let text = String::from_utf8(check(&table, &["--model-context", "8"]).stdout).unwrap();
    for line in [
        "row 2 (line 3), column filename: the image does not exist: ",
        "row 6 (line 8), column knowledge_masks: no mask: expected a list of 0 and 1 such as [1, 0], found \"exit()\"",
        "warning: row 8 (line 10), column truncated_caption: the caption has 7 tokens, of which the first 6 are used",
        "10 rows, 2 usable",
        "unusable: 9 problems, 1 warnings",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_sound_table_passes_and_cut_captions_are_only_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let row = "good.jpg,a mole,nevus,\"scale, crust\",a mole,,\"[1, 0]\",\"[1, 1, 1]\",1,no";
    fs::copy(sample(2), folder.path().join("other.jpg")).unwrap();
    let path = table(folder.path(), &[row, &row.replace("good", "other").replace("mole", "wart")]);
    let output = check(&path, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("usable: no problems, 0 warnings") && !text.contains("unusable"), "{text}");
    assert_eq!(check(&path, &["--model-context", "3"]).status.code(), Some(0));

    let other = row.replace("good", "other").replace("mole", "wart");
    let twice = check(&table(folder.path(), &[row, row, &other]), &[]);
    assert_eq!(twice.status.code(), Some(0), "{}", String::from_utf8_lossy(&twice.stderr));
    let text = String::from_utf8(twice.stdout).unwrap();
    assert!(text.contains("warning: row 2 (line 3): the row repeats that of line 2"), "{text}");
    assert!(text.contains("usable: no problems, 1 warnings"), "{text}");

    let path = table(folder.path(), &[row, &row.replace("good", "other").replace("mole", "wart")]);
    // Elsewhere the images are looked for where --root says.
    let other = tempfile::tempdir().unwrap();
    let moved = other.path().join("moved.csv");
    fs::rename(&path, &moved).unwrap();
    assert_eq!(check(&moved, &[]).status.code(), Some(1));
    assert_eq!(check(&moved, &["--root", folder.path().to_str().unwrap()]).status.code(), Some(0));
    let gone = check(&moved, &["--root", "gone"]);
    let log = String::from_utf8_lossy(&gone.stderr);
    assert!(gone.status.code() == Some(2) && log.contains("--root is no folder: gone"), "{log}");
}

#[test]
fn rows_that_a_missing_quotation_mark_swallows_are_no_sound_table() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        fs::create_dir_all(&images).unwrap();
        fs::copy(sample(1), images.join(name)).unwrap();
    }
    fs::create_dir(images.join("d.jpg")).unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, "image,caption\na.jpg,\"a mole\nb.jpg,\"a wart\"\nc.jpg,a scar\n").unwrap();
    let output = check(&path, &["--json"]);
    let found = report(&output);
    assert_eq!((output.status.code(), found["statistics"]["n_rows"].as_u64()), (Some(1), Some(2)), "{found}");
    let message = found["problems"][0]["message"].as_str().unwrap();
    assert!(message.contains("opens a cell in line 2 is closed in the middle of a text in line 3"), "{message}");

    // A folder is no image; a name of two lines stays on one; names that all folders know say nothing of the others.
    let absolute = images.join("a.jpg");
    let rows = format!("{},a mole\nb.jpg,a wart\nc.jpg,a scar\nd.jpg,x\n\"e\nf.jpg\",y\n", absolute.display());
    fs::write(&path, format!("image,caption\n{rows}")).unwrap();
    let text = String::from_utf8(check(&path, &[]).stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("row 4 (line 5), column image: unreadable image: this is a folder"), "{text}");
    assert!(
        lines[1].starts_with("row 5 (line 6)") && lines[1].ends_with("e\\nf.jpg") && lines[2].is_empty(),
        "{text}"
    );
}

#[test]
fn a_table_in_the_working_folder_is_copied_with_its_images() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("in");
    fs::create_dir(&folder).unwrap();
    for image in [folder.join("A.jpg"), root.path().join("x.jpg")] {
        fs::copy(sample(1), image).unwrap();
    }
    fs::write(folder.join("t.csv"), "image,caption\n../x.jpg,a mole\na.jpg,a wart\n").unwrap();
    let mut shrink = dermake();
    shrink.current_dir(&folder).args(["data", "shrink", "t.csv", "--out", "small"]);
    let output = shrink.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("does not lead into the folder of the images, ., and"), "{log}");
    assert!(folder.join("small/A.jpg").is_file() && folder.join("small/t.csv").is_file(), "{log}");
}

#[test]
fn a_file_that_is_no_such_table_is_unusable_and_no_file_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let picture = dermake().args(["data", "check"]).arg(sample(1)).output().unwrap();
    let log = String::from_utf8_lossy(&picture.stderr);
    assert_eq!(picture.status.code(), Some(2), "{log}");
    assert!(log.contains("this is a picture, expected text"), "{log}");
    let path = folder.path().join("labels.csv");
    fs::write(&path, "image,label\na.png,3\n").unwrap();
    let output = check(&path, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let error = report(&output)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("truncated_caption") && error.contains("it has image, label"), "{error}");

    assert_eq!(check(&table(folder.path(), &[]), &[]).status.code(), Some(1), "a table without rows");
    for arguments in [vec!["gone.csv"], vec!["gone.csv", "--model-context", "1"]] {
        let output = dermake().args(["data", "check"]).args(arguments).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{log}");
        assert!(log.starts_with("error: ") && !log.contains("panicked"), "{log}");
    }
}

#[test]
fn it_says_which_objectives_can_learn_from_a_table() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(sample(2), folder.path().join("other.jpg")).unwrap();
    let rows = |masks: &str| {
        ["good.jpg,a mole", "other.jpg,a wart"].map(|start| format!("{start},nevus,,spot {start:.4},,{masks},1,no"))
    };
    let checked = |rows: &[String]| {
        let path = table(folder.path(), &rows.iter().map(String::as_str).collect::<Vec<_>>());
        let output = check(&path, &["--json"]);
        let report = report(&output);
        let objectives = report["objectives"].as_array().unwrap().iter();
        let can_learn: Vec<_> = objectives.map(|objective| objective["can_learn"].as_bool().unwrap()).collect();
        (output.status.code().unwrap(), can_learn, report["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(checked(&rows("\"[1, 0]\",\"[1, 1, 0]\"")), (0, vec![true; 5], String::new()));
    assert_eq!(
        checked(&rows("\"[1, 0]\",\"[0, 1, 0]\"")),
        (0, vec![true, true, true, false, false], String::new())
    );
    // Without a diagnosis there is nothing for O-MAKE's targets to follow.
    assert_eq!(checked(&rows("\"[1, 0]\",\"[1, 0, 0]\"")), (0, vec![true, true, false, true, true], String::new()));
    let (code, can_learn, error) = checked(&rows("\"[0, 0]\",\"[0, 0, 0]\""));
    assert_eq!((code, can_learn), (1, vec![false; 5]));
    assert!(error.contains("no objective can learn") && error.contains("knowledge_masks"), "{error}");
    // Nothing can be contrasted with one row, or with its copy: no training can start.
    let one = rows("\"[1, 0]\",\"[1, 1, 0]\"")[..1].to_vec();
    let (code, can_learn, error) = checked(&one);
    assert_eq!((code, can_learn), (1, vec![false; 5]));
    let why =
        "no objective can learn from the table: the table has a single usable row, and training needs at least two";
    assert_eq!(error, why);
    let path = table(folder.path(), &[&one[0]]);
    assert_eq!(report(&check(&path, &["--json"]))["is_usable"], false);
    let text = String::from_utf8(check(&path, &[]).stdout).unwrap();
    assert!(text.ends_with(&format!("\nunusable: {why}\n")), "{text}");
    let (code, _, error) = checked(&[one.clone(), one].concat());
    assert!(code == 1 && error.contains("has the same captions"), "{error}");

    let path = table(folder.path(), &rows("\"[1, 0]\",\"[0, 1, 0]\"").each_ref().map(String::as_str));
    let text = String::from_utf8(check(&path, &[]).stdout).unwrap();
    assert!(text.contains("objective paper: can learn from it"), "{text}");
    assert!(text.contains("objective clip: can learn nothing: no truncated_caption counts"), "{text}");
}
