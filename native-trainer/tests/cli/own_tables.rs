//! Tables of one's own whose labels, images or templates are elsewhere than usual.

use super::own_data::{classes, results, run, text};
use std::fs;

#[test]
fn a_table_of_isic_is_read_as_one_label_a_row() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path());
    let (table, out) = (root.path().join("acne/isic.csv"), root.path().join("report"));
    let rows = "a,1.0,0.0,0,0,0,0,0,0\nb,0,1,0,0,0,0,0,0\n";
    let write = |more: &str| {
        fs::write(&table, format!("image,MEL,NV,BCC,AKIEC,BKL,DF,VASC,UNK\n{rows}{more}")).unwrap();
    };
    write("");
    let output = run(&["eval", "--no-cache"], &[("--data", &table), ("--out", &out)]);
    let log = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    for expected in [
        "the labels are columns: MEL, NV, BCC, AKIEC, BKL, DF, VASC; UNK is 0 in every row and left out",
        "short names are read as labels: MEL is melanoma, NV is nevus",
    ] {
        assert!(log.contains(expected), "{log}");
    }
    let found = results(&out);
    let benchmark = &found["benchmarks"][0];
    let classes = benchmark["details"]["classes"].as_array().unwrap();
    let counts: Vec<(&str, u64)> =
        classes.iter().map(|class| (class["name"].as_str().unwrap(), class["n"].as_u64().unwrap())).collect();
    assert_eq!(
        (&counts[..3], counts.len()),
        (&[("melanoma", 1), ("nevus", 1), ("basal cell carcinoma", 0)][..], 7)
    );

    write("c,1,1,0,0,0,0,0,0\n");
    let output = run(&["eval", "--no-cache"], &[("--data", &table)]);
    let log = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert!(log.contains("in row 3: 2 columns of classes are 1 (MEL, NV), expected one"), "{log}");
    write("c,0,0,0,0,0,1,0,0\n");
    let output = run(&["eval", "--no-cache", "--labels", "pad"], &[("--data", &table)]);
    let log = text(&output.stderr);
    assert!(
        log.contains("row 3 has label \"DF\" (1 rows in all), expected an integer below 6 or a name of"),
        "{log}"
    );
}

#[test]
fn the_images_of_a_table_may_be_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("photos"));
    let table = root.path().join("tables/t.csv");
    fs::create_dir(root.path().join("tables")).unwrap();
    fs::write(&table, "image,label\nacne/a,acne\nNevus/c,nevus\n").unwrap();
    let output = run(&["eval", "--no-cache"], &[("--data", &table)]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let output = run(&["eval", "--no-cache"], &[("--data", &table), ("--images", &root.path().join("photos"))]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn templates_of_ones_own_are_used_and_recorded() {
    let root = tempfile::tempdir().unwrap();
    let (data, out) = (root.path().join("photos"), root.path().join("report"));
    classes(&data);
    let evaluated = |options: &[&str]| {
        let arguments = [&["eval", "--no-cache"], options].concat();
        let output = run(&arguments, &[("--data", &data), ("--out", &out)]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let predictions = fs::read_dir(out.join("predictions/own")).unwrap().next().unwrap().unwrap().path();
        (results(&out), fs::read_to_string(predictions).unwrap())
    };
    let (usual, usual_answers) = evaluated(&[]);
    let (own, own_answers) = evaluated(&["--template", "a photo of {}", "--template", "{} on skin"]);
    assert_eq!(usual["templates"].as_array().unwrap().len(), 8);
    assert_eq!(own["templates"], serde_json::json!(["a photo of {}", "{} on skin"]));
    assert_ne!(usual_answers, own_answers);
    assert!(!usual["benchmarks"][0]["notes"].to_string().contains("templates"));
    let notes = own["benchmarks"][0]["notes"].to_string();
    assert!(notes.contains("templates: ") && notes.contains("{} on skin"), "{notes}");
    let output = run(&["eval", "--no-cache", "--template", "a photo"], &[("--data", &data)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a sentence with one {} for the label"), "{}", text(&output.stderr));
}
