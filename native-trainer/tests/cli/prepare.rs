//! `dermake prepare`: captions to a table that training reads.

use crate::{dermake, json_lines, sample};
use std::fs;
use std::path::Path;
use std::process::Output;

pub(super) fn prepare(folder: &Path, table: &str, more: &[&str]) -> Output {
    let path = folder.join("captions.csv");
    fs::write(&path, table).unwrap();
    dermake().arg("prepare").arg(path).arg("--out").arg(folder.join("train.csv")).args(more).output().unwrap()
}

pub(super) const CAPTIONS: &str = "filename,caption\n\
    a.jpg,\"Chronic atopic dermatitis in the antecubital fossa. Lichenified plaques, no vesicles.\"\n\
    b.jpg,?melanoma on the back\n\
    c.jpg,\"<b>Figure 2.</b> Red papules (Fig. 2A).\"\n";

#[test]
fn captions_become_a_table_that_training_reads() {
    let folder = tempfile::tempdir().unwrap();
    let output = prepare(folder.path(), CAPTIONS, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(summary.contains("3 rows, 3 in the table") && summary.contains("with a condition: 1"), "{summary}");

    let mut table = csv::Reader::from_path(folder.path().join("train.csv")).unwrap();
    let header = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| &rows[row][header.iter().position(|column| column == name).unwrap()];
    let ontology = "This is a skin photo diagnosed as inflammatory, non-infectious, dermatitis, atopic dermatitis.";
    assert_eq!(cell(0, "ontology_caption"), ontology);
    assert_eq!(cell(0, "visual_concept_caption"), "This skin photo shows lichenification, plaque.");
    assert_eq!(cell(0, "subcaption_2"), "Lichenified plaques, no vesicles");
    assert_eq!((cell(0, "sub_captions"), cell(0, "knowledge_masks")), ("2", "[1, 1, 1]"));
    assert_eq!(cell(0, "sub_caption_mask"), "[1, 1, 0, 0, 0, 0, 0, 0]");
    assert_eq!((cell(1, "ontology_caption"), cell(1, "knowledge_masks")), ("", "[1, 0, 0]"));
    assert_eq!((cell(2, "caption"), cell(2, "knowledge_masks")), ("Red papules.", "[1, 0, 1]"));

    let extracted = json_lines(&fs::read(folder.path().join("extracted.jsonl")).unwrap());
    assert_eq!(extracted.len(), 3);
    assert_eq!((&extracted[0]["row"], &extracted[0]["condition"]), (&1.into(), &"atopic dermatitis".into()));
    assert_eq!((&extracted[0]["negated"][0], &extracted[0]["by"]), (&"vesicle".into(), &"lexicon".into()));
    assert_eq!(
        (&extracted[1]["condition"], &extracted[1]["uncertain"][0]),
        (&serde_json::Value::Null, &"melanoma".into())
    );

    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        fs::copy(sample(1), folder.path().join(name)).unwrap();
    }
    let check = dermake().args(["data", "check"]).arg(folder.path().join("train.csv")).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
}

/// The first rows of the example that comes with the program, beside pictures of these names.
fn example(folder: &Path, n_rows: usize) -> String {
    let mut table = csv::Reader::from_path("crates/prepare/example/captions.csv").unwrap();
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(table.headers().unwrap()).unwrap();
    for (row, record) in table.records().map(Result::unwrap).take(n_rows).enumerate() {
        fs::copy(sample(1 + row % 3), folder.join(&record[0])).unwrap();
        rows.write_record(&record).unwrap();
    }
    String::from_utf8(rows.into_inner().unwrap()).unwrap()
}

#[test]
fn the_manuals_way_from_captions_to_a_model_can_be_gone() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let captions = example(folder, 12);
    let output = prepare(folder, &captions, &["--validation-share", "0.3"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let check = dermake().args(["data", "check"]).arg(folder.join("train.csv")).output().unwrap();
    let report = String::from_utf8(check.stdout).unwrap();
    assert!(report.contains("objective omake: can learn from it"), "{report}");

    let few = ["--set", "run.batch_size=2", "--set", "run.epochs=1", "--set", "schedule.warmup_steps=1"];
    let train = |recipe: &str, more: &[&str], data: &Path| {
        let mut command = dermake();
        command.args(["train", recipe]).args(few).args(more).arg("--data").arg(data);
        let output = command.arg("--out").arg(folder.join(format!("run-{recipe}"))).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, log) = train("make-small", &["--set", "data.validation=val.csv"], folder);
    assert_eq!(code, Some(0), "{log}");
    let lines = json_lines(&fs::read(folder.join("run-make-small/metrics.jsonl")).unwrap());
    let has = |key: &str| lines.iter().any(|line| line[key].as_f64().is_some_and(|value| value > 0.0));
    assert!(has("mkcl") && has("slra") && has("validation_loss"), "{lines:?}");

    // Captions alone have no diagnoses: the check promises no more than training keeps.
    let alone = folder.join("captions.csv");
    let check = dermake().args(["data", "check"]).arg(&alone).output().unwrap();
    let report = String::from_utf8(check.stdout).unwrap();
    let why = "no row has a known diagnosis";
    assert!(report.contains(&format!("objective omake: can learn nothing: {why}")), "{report}");
    let (code, log) = train("clip-small", &["--set", "objective.variant=omake"], &alone);
    assert!(code == Some(2) && log.contains(why), "{log}");
}

#[test]
fn what_a_folder_lacks_is_said_before_a_model_is_looked_for() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let captions = example(folder, 12);
    let train = || {
        let mut command = dermake();
        command.args(["train", "pretrain-vit-b-16", "--data"]).arg(folder).arg("--out").arg(folder.join("run"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    prepare(folder, &captions, &[]);
    let log = train();
    assert!(log.contains("val.csv") && log.contains("data.validation") && !log.contains("model.from"), "{log}");
    prepare(folder, &captions, &["--validation-share", "0.3"]);
    let log = train();
    assert!(log.contains("fewer than a batch of 2048; set a smaller one with --set run.batch_size="), "{log}");
    assert!(!log.contains("data check") && !log.contains("model.from"), "nothing is wrong with the rows: {log}");
    // A training table alone is no benchmark of drawn pictures; the folder has several tables of one's own.
    let output = dermake().args(["eval", "--data"]).arg(folder).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && log.contains("name one of them (captions.csv"), "{log}");
    assert!(!log.contains("Drawn pictures"), "{log}");
}

#[test]
fn rows_without_image_or_caption_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let output = prepare(folder.path(), &format!("{CAPTIONS}d.jpg,\n,a mole\ne.jpg,  .\n"), &[]);
    assert_eq!(output.status.code(), Some(1));
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(summary.contains("6 rows, 3 in the table") && summary.contains("left out, no caption: 2"), "{summary}");
    let extracted = json_lines(&fs::read(folder.path().join("extracted.jsonl")).unwrap());
    assert_eq!(
        (&extracted[3]["left_out"], &extracted[4]["left_out"]),
        (&"no_caption".into(), &"no_image_name".into())
    );
    let counts: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("prepare.json")).unwrap()).unwrap();
    assert_eq!((&counts["n_rows"], &counts["mask_order"]), (&6.into(), &"caption-ontology-visual".into()));
}

#[test]
fn a_dry_run_asks_nothing_and_prints_requests_tokens_and_the_cost() {
    let folder = tempfile::tempdir().unwrap();
    let captions = format!("{CAPTIONS}d.jpg,?melanoma on the back\ne.jpg,\n");
    let dry_run = |more: &[&str]| {
        let ask = ["--endpoint", "http://127.0.0.1:9/v1", "--model", "none", "--dry-run"];
        prepare(folder.path(), &captions, &[&ask[..], more].concat())
    };
    let estimate = String::from_utf8(dry_run(&[]).stdout).unwrap();
    let numbers: Vec<u64> = estimate.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [n_requests, n_tokens_in, n_tokens_out] = numbers[..] else { panic!("{estimate}") };
    assert_eq!((n_requests, n_tokens_out), (3, 3 * 700), "equal captions are asked once, empty ones never");
    let output = dry_run(&["--price-in", "1000000", "--price-out", "2000000"]);
    let priced = String::from_utf8(output.stdout).unwrap();
    let expected = format!("{estimate}at most {}.00 at these prices", n_tokens_in + 2 * n_tokens_out);
    assert!(output.status.success() && priced.starts_with(&expected), "{priced}");
    let alone = dry_run(&["--price-in", "1"]);
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--price-out"), "{alone:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written");
}

#[test]
fn an_ontology_adds_conditions_and_paths_and_the_masks_may_follow_the_guide() {
    let folder = tempfile::tempdir().unwrap();
    let ontology = folder.path().join("ontology.json");
    fs::write(&ontology, r#"{"root": ["tumor"], "tumor": ["nevus", "zyxoma"], "zyxoma": []}"#).unwrap();
    let ontology = ontology.to_str().unwrap().to_owned();
    let captions = "image,text\na.jpg,Zyxoma of the arm\nb.jpg,A nevus\n";
    let output = prepare(folder.path(), captions, &["--ontology", &ontology, "--mask-order", "guide"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let table = fs::read_to_string(folder.path().join("train.csv")).unwrap();
    assert!(
        table.contains("diagnosed as tumor, zyxoma.") && table.contains("diagnosed as tumor, nevus."),
        "{table}"
    );
    assert!(table.contains("[1, 0, 1]"), "{table}");
}

#[test]
fn what_cannot_be_prepared_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (table, expected) in [
        ("filename,note\na.jpg,x\n", "--caption-column"),
        ("filename,caption\n", "no rows"),
        ("filename,caption\na.jpg,\n", "no row has an image and a caption"),
        ("filename,caption\na.jpg,\"b\nc,d\n", "never closed"),
    ] {
        let output = prepare(folder.path(), table, &[]);
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{table}: {log}");
        assert!(log.contains(expected), "{table}: {log}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{table}");
    }
    let path = folder.path().join("captions.csv");
    for (out, expected) in
        [(&path, "names the table that is read"), (&folder.path().to_path_buf(), "this is a folder")]
    {
        let output = dermake().arg("prepare").arg(&path).arg("--out").arg(out).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains(expected), "{output:?}");
    }
    #[cfg(unix)]
    {
        // Whoever names a device or a pipe gets no file in its place.
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let output = dermake().arg("prepare").arg(&path).arg("--out").arg(&socket).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("a device or a pipe"), "{output:?}");
        assert!(!socket.metadata().unwrap().is_file());
    }
    let own = folder.path().join("report.html");
    fs::write(&own, "mine").unwrap();
    let output = prepare(folder.path(), CAPTIONS, &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("would be overwritten"), "{output:?}");
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
    fs::remove_file(own).unwrap();
    let output = prepare(folder.path(), CAPTIONS, &["--ontology", path.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read the ontology"), "{output:?}");
}

#[test]
fn rows_stay_in_the_part_that_they_name() {
    let folder = tempfile::tempdir().unwrap();
    let part = |row: usize| if row.is_multiple_of(2) { "train" } else { "test" };
    let rows: String = (0..80).map(|row| format!("{row}.jpg,A nevus,{}\n", part(row))).collect();
    prepare(folder.path(), &format!("filename,caption,split\n{rows}"), &["--validation-share", "0.5"]);
    let parts = |file: &str| -> Vec<(usize, String)> {
        let mut table = csv::Reader::from_path(folder.path().join(file)).unwrap();
        assert_eq!(&table.headers().unwrap()[16], "split");
        let named = |row: csv::StringRecord| (row[0].trim_end_matches(".jpg").parse().unwrap(), row[16].to_owned());
        table.records().map(|row| named(row.unwrap())).collect()
    };
    let (training, validation) = (parts("train.csv"), parts("val.csv"));
    assert!(training.iter().chain(&validation).all(|(row, written)| written == part(*row)));
    assert!((5..35).contains(&validation.len()) && validation.iter().all(|(_, part)| part == "train"));
    assert_eq!(training.len() + validation.len(), 80);
}

#[test]
fn the_validation_part_is_the_same_each_time_and_keeps_patients_together() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..200).map(|row| format!("{row}.jpg,A nevus,{}\n", row / 4)).collect();
    let captions = format!("filename,caption,patient\n{rows}");
    let names = |file: &str| -> Vec<usize> {
        let mut table = csv::Reader::from_path(folder.path().join(file)).unwrap();
        table.records().map(|row| row.unwrap()[0].trim_end_matches(".jpg").parse().unwrap()).collect()
    };
    let more = ["--validation-share", "0.2", "--group-column", "patient"];
    prepare(folder.path(), &captions, &more);
    let (training, validation) = (names("train.csv"), names("val.csv"));
    assert_eq!(training.len() + validation.len(), 200);
    assert!((20..60).contains(&validation.len()), "{}", validation.len());
    assert!(validation.iter().all(|row| training.iter().all(|other| other / 4 != row / 4)));
    prepare(folder.path(), &captions, &more);
    assert_eq!(names("val.csv"), validation);
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("rows of val.csv") && !page.contains("<script"), "{page}");
    assert!(fs::read_to_string(folder.path().join("sample.csv")).unwrap().lines().count() == 201);
}
