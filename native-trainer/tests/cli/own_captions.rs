//! Captions of one's own, in the forms that people have them: checked, and trained on.

use crate::own_data::text;
use crate::{dermake, json_lines, sample};
use std::fs;
use std::path::Path;

#[test]
fn captions_beside_photos_are_checked_and_trained_on() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    fs::create_dir(&data).unwrap();
    for row in 0..36 {
        fs::copy(sample(1 + row % 3), data.join(format!("{row:02}.jpg"))).unwrap();
        fs::write(data.join(format!("{row:02}.txt")), format!("case {row} of condition {}", row % 3)).unwrap();
    }
    let output = dermake().args(["data", "check"]).arg(&data).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let report = text(&output.stdout);
    assert!(
        report.contains("objective clip: can learn from it") && report.contains("36 rows, 36 usable"),
        "{report}"
    );
    assert!(report.contains("masked in every row, as the table has no ontology_caption"), "{report}");

    let recipe = root.path().join("recipe.toml");
    let built_in = include_str!("../../recipes/clip-small.toml");
    fs::write(
        &recipe,
        built_in.replace("epochs = 10", "epochs = 2").replace("warmup_steps = 5", "warmup_steps = 1"),
    )
    .unwrap();
    let out = root.path().join("run");
    let train =
        || dermake().arg("train").arg(&recipe).arg("--data").arg(&data).arg("--out").arg(&out).output().unwrap();
    let output = train();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let losses: Vec<f64> = json_lines(&fs::read(out.join("metrics.jsonl")).unwrap())
        .iter()
        .filter_map(|line| line["loss"].as_f64())
        .collect();
    assert_eq!(losses.len(), 2, "36 rows are one batch of 32, twice");
    assert!(text(&train().stderr).contains("this run is finished"));
    fs::write(data.join("00.txt"), "another caption").unwrap();
    assert!(text(&train().stderr).contains("training table"), "the data are part of a run");
}

#[test]
fn rows_of_the_test_are_not_trained_on() {
    let root = tempfile::tempdir().unwrap();
    let (tables, folders, csv) = (root.path().join("tables"), root.path().join("folders"), root.path().join("one"));
    let (mut lines, mut rows) = ([String::new(), String::new()], "image,caption,split\n".to_owned());
    for (at, part) in ["train", "test"].into_iter().enumerate() {
        fs::create_dir_all(folders.join(part)).unwrap();
        for row in 0..4 {
            let (name, caption) = (format!("{row}.jpg"), format!("{part} case {row}"));
            fs::copy(sample(1 + row % 3), folders.join(part).join(&name)).unwrap();
            fs::write(folders.join(part).join(format!("{row}.txt")), &caption).unwrap();
            let image = folders.join(part).join(&name);
            lines[at] += &format!("{}\n", serde_json::json!({ "image": image, "caption": caption }));
            rows += &format!("{},{caption},{part}\n", image.display());
        }
    }
    for (folder, name, content) in
        [(&tables, "train.jsonl", &lines[0]), (&tables, "test.jsonl", &lines[1]), (&csv, "captions.csv", &rows)]
    {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), content).unwrap();
    }
    let csv = csv.join("captions.csv");
    for data in [&tables, &folders, &csv] {
        let output = dermake().args(["data", "check"]).arg(data).output().unwrap();
        let report = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{report}");
        assert!(report.contains("8 rows, 4 usable, 4 images"), "{report}");
        assert!(report.contains("not trained on and not checked, by the column split: 4 rows of test"), "{report}");
    }
    let train = |data: &Path, more: &[&str]| {
        let mut command = dermake();
        command.args(["train", "clip-small", "--set", "run.batch_size=2", "--set", "run.epochs=1"]);
        command.args(["--set", "schedule.warmup_steps=1"]).args(more).arg("--data").arg(data);
        let output = command.arg("--out").arg(root.path().join("run")).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    // The other rows of the same table are for the validation loss, if the recipe says so.
    let log = train(
        csv.parent().unwrap(),
        &["--set", "data.train=captions.csv", "--set", "data.validation=captions.csv"],
    );
    assert!(log.contains("rows        4 to train on, 0 bad; 4 rows of test are left out"), "{log}");
    assert!(log.contains("steps       2, each with 2 samples; 2 an epoch"), "{log}");
}
