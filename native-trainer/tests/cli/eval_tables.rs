//! `dermake eval` on tables and class lists as people's programs save them.

use crate::eval_data::{Data, log, value};
use dermake_evaluation::results::{Details, Results};
use std::fs;

/// The list of benchmarks with another first one.
fn benchmarks(task: &str) -> String {
    format!(
        "\u{feff}[[benchmark]]\r\nkey = \"colors\"\r\ntitle = \"Colors\"\r\n{task}\r\ntables = [\"Colors/TEST.csv\"]\r\n\
         source = \"this test\"\r\nhow = \"run this test\"\r\n"
    )
}

fn data_with(task: &str) -> Data {
    let data = Data::new();
    fs::write(data.folder.path().join("benchmarks.toml"), benchmarks(task)).unwrap();
    data
}

fn scored(data: &Data) -> Results {
    data.scored(&["--only", "Colors"])
}

#[test]
fn a_class_list_is_read_whatever_wrote_it() {
    let data = data_with("task = { kind = \"classification\", classes = \"Classes.JSON\" }");
    let list = data.colors().join("classes.json");
    for content in [
        "\u{feff}[\r\n  \"red\",\r\n  \"green\",\r\n  \"blue\",\r\n  \"yellow\"\r\n]\r\n",
        "\u{feff}red\r\ngreen\r\nblue\r\nyellow\r\n",
        "0\tred\r1\tgreen\r2\tblue\r3\tyellow\r",
    ] {
        fs::write(&list, content).unwrap();
        assert_eq!(value(&scored(&data).benchmarks[0], "top1_accuracy"), Some(0.9), "{content:?}");
    }
    for (content, expected) in [
        ("[\n\"red\",\n\"green\",", "line 3 column"),
        ("red\ngreen\nblue\nyellow\nRed\n", "\"Red\" more than once"),
        ("", "found 0"),
    ] {
        fs::write(&list, content).unwrap();
        let output = data.eval(&["--only", "colors"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(log(&output).contains(expected) && log(&output).contains("classes.json"), "{}", log(&output));
    }
    fs::write(&list, "label\nred\ngreen\nblue\nyellow\n").unwrap();
    let output = data.eval(&["--only", "colors"]);
    assert!(log(&output).contains("the first label is \"label\""), "{}", log(&output));
    assert!(data.results().benchmarks[0].notes[0].contains("1 of 5 classes have no image: yellow"));
}

#[test]
fn images_are_found_whose_names_differ_in_case_form_or_separators() {
    let data = data_with(
        "image_column = \"Photo\"\r\ntask = { kind = \"classification\", classes = [\"red\", \"green\", \"blue\", \"yellow\"] }",
    );
    let images = data.colors().join("images");
    fs::rename(images.join("0.png"), images.join("Caf\u{e9}.PNG")).unwrap();
    let table = "\u{feff}ID;photo ;LABEL;Skin_Tone\r\n1;images\\cafe\u{301}.png;RED;12\r\n2;.\\Images\\1.PNG;red;56\r\n\
                 3;images/3;green;12\r\n4; images/7.png ;2;34\r\n;;;\r\n";
    fs::write(data.colors().join("test.csv"), table).unwrap();
    let result = scored(&data).benchmarks.remove(0);
    assert_eq!((result.n_scored, result.n_rows, value(&result, "top1_accuracy")), (4, 4, Some(1.0)));
    let tones = &result.breakdowns[0];
    let groups: Vec<(&str, usize)> = tones.groups.iter().map(|group| (group.name.as_str(), group.n)).collect();
    assert_eq!((tones.column.as_str(), groups), ("fitzpatrick", vec![("1–2", 2), ("3–4", 1), ("5–6", 1)]));
    assert!(result.notes[0].contains("1 of 4 classes have no image: yellow"), "{:?}", result.notes);

    fs::write(images.join("1.PnG"), "another").unwrap();
    let output = data.eval(&["--only", "colors"]);
    assert!(log(&output).contains("row 2") && log(&output).contains("1.PnG, 1.png"), "{}", log(&output));
    fs::write(
        data.folder.path().join("benchmarks.toml"),
        benchmarks("task = { kind = \"classification\", classes = [\"red\", \"green\", \"blue\"] }"),
    )
    .unwrap();
    let output = data.eval(&["--only", "colors"]);
    assert!(log(&output).contains("image_column names another in benchmarks.toml"), "{}", log(&output));
}

#[test]
fn what_is_not_scored_is_named_where_the_figures_are() {
    let data = Data::new();
    fs::remove_file(data.picture(3)).unwrap();
    let output = data.eval(&["--only", "colors", "--max-unreadable", "0.2"]);
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let read = |name: &str| fs::read_to_string(data.folder.path().join("report").join(name)).unwrap();
    for text in [&log(&output), &printed, &read("results.md"), &read("report.html")] {
        assert!(text.contains("9 of 10 rows scored"), "{text}");
        assert!(text.contains("row 4") && text.contains("3.png") && text.contains("no such file"), "{text}");
    }
    let result = &data.results().benchmarks[0];
    assert_eq!((result.n_scored, result.n_rows, result.unreadable[0].row), (9, 10, 4));
}

#[test]
fn skin_tone_without_figures_is_named() {
    let data = Data::new();
    let table =
        "filename,label,skin_type,age\nimages/0.png,0,dry,20\nimages/3.png,1,oily,50\nimages/7.png,2,?,50\n";
    fs::write(data.colors().join("test.csv"), table).unwrap();
    let output = data.eval(&["--only", "colors"]);
    let result = &data.results().benchmarks[0];
    let columns: Vec<&str> = result.breakdowns.iter().map(|breakdown| breakdown.column.as_str()).collect();
    assert_eq!(columns, ["age"], "no group \"unknown\" alone");
    assert!(result.notes[1].contains("skin_type: no figures by group; expected 1 to 6"), "{:?}", result.notes);
    assert!(String::from_utf8_lossy(&output.stdout).contains("skin_type: no figures by group"));
}

#[test]
fn the_area_under_a_published_curve_is_the_published_auroc() {
    let data = Data::new();
    let result = data.scored(&["--only", "colors"]).benchmarks.remove(0);
    let Details::Classification(details) = &result.details else { panic!("{:?}", result.details) };
    for class in &details.classes {
        let area: f64 = class.roc.windows(2).map(|p| (p[1][0] - p[0][0]) * (p[0][1] + p[1][1]) / 2.0).sum();
        assert!((area - class.auroc.unwrap()).abs() < 1e-9, "{}: {area}, {:?}", class.name, class.auroc);
    }
}

#[test]
fn no_table_replaces_one_that_is_read_or_another_one() {
    let data = Data::new();
    let table = data.colors().join("test.csv");
    let read = [table.clone(), data.folder.path().join("away.csv")];
    fs::write(&read[1], "image\nred.png\n").unwrap();
    let path = |at: usize| read[at].to_str().unwrap();
    let new = data.folder.path().join("new.csv");
    let new = new.to_str().unwrap();
    for (arguments, expected) in [
        (vec!["--predictions", path(0)], "--predictions names a file that is read"),
        (vec!["--embeddings", path(1), "--exclude", path(1)], "--embeddings names a file that is read"),
        (vec!["--embeddings", new, "--predictions", new], "--embeddings and --predictions name one file"),
    ] {
        let before = read.each_ref().map(|path| fs::read(path).unwrap());
        let output = data.eval(&[&["--only", "colors"], &arguments[..]].concat());
        assert!(output.status.code() == Some(2) && log(&output).contains(expected), "{}", log(&output));
        assert_eq!(read.each_ref().map(|path| fs::read(path).unwrap()), before);
    }
}
