//! `dermake eval` on pictures of one color each, and a model that knows colors.

use crate::color_model::{COLORS, model, picture};
use crate::dermake;
use crate::eval_data::{Data, PICTURES, log, value};
#[cfg(unix)]
use crate::limited::{self, Limited};
use dermake_evaluation::results::Details;
use dermake_sources::Dataset;
use std::fmt::Write;
use std::fs;

#[test]
fn colors_are_named_and_the_one_wrong_label_is_found() {
    let data = Data::new();
    let results = data.scored(&["--only", "colors"]);
    let result = &results.benchmarks[0];
    assert_eq!((result.n_scored, result.n_rows, result.unreadable.len()), (10, 10, 0));
    assert_eq!(value(result, "top1_accuracy"), Some(0.9));
    assert_eq!(value(result, "top3_accuracy"), Some(1.0));
    // Recalls 1, 2/3, 1 and 1.
    assert!((value(result, "balanced_accuracy").unwrap() - 11.0 / 12.0).abs() < 1e-12);
    let interval = result.metrics[0].interval.unwrap();
    assert!(interval[0] < 0.9 && interval[1] == 1.0, "{interval:?}");

    let Details::Classification(details) = &result.details else { panic!("{:?}", result.details) };
    assert_eq!(details.confusion, [[3, 0, 0, 0], [0, 2, 1, 0], [0, 0, 2, 0], [0, 0, 0, 2]]);
    assert_eq!(details.classes[2].precision, Some(2.0 / 3.0));
    assert_eq!(details.mistakes.len(), 1);
    let mistake = &details.mistakes[0];
    assert_eq!((mistake.row, mistake.label.as_str(), mistake.prediction.as_str()), (9, "green", "blue"));
    assert!(mistake.file.ends_with("images/8.png") && mistake.probability > 0.99);

    let [tones, ages] = &result.breakdowns[..] else { panic!("{:?}", result.breakdowns) };
    let groups: Vec<_> = tones.groups.iter().map(|group| (group.name.as_str(), group.n, group.value)).collect();
    assert_eq!(groups, [("1", 5, Some(1.0)), ("6", 5, Some(0.8))]);
    assert!((tones.gap.unwrap() - 0.2).abs() < 1e-12);
    let names: Vec<_> = ages.groups.iter().map(|group| (group.name.as_str(), group.n)).collect();
    assert_eq!(names, [("00–19", 2), ("20–39", 2), ("40–59", 2), ("60–79", 2), ("80+", 1), ("unknown", 1)]);
}

#[test]
fn a_second_evaluation_opens_no_image() {
    let data = Data::new();
    let first = data.scored(&["--only", "colors"]);
    // The three pictures of a color are one file to the cache, once it is known.
    assert!(first.effort.images_encoded >= 4 && first.effort.images_encoded + first.effort.images_at_hand == 10);
    for index in 0..PICTURES.len() {
        // The same size and time, but no picture any more.
        let path = data.picture(index);
        let metadata = fs::metadata(&path).unwrap();
        fs::write(&path, vec![0; metadata.len() as usize]).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(metadata.modified().unwrap()).unwrap();
    }
    let second = data.scored(&["--only", "colors"]);
    assert_eq!((second.effort.images_encoded, second.effort.prompts_encoded), (0, 0));
    assert_eq!(second.benchmarks, first.benchmarks);

    // Without the cache the pictures are opened, and found to be none.
    let mut command = dermake();
    command.args(["eval", "--no-cache", "--only", "colors", "--model"]).arg(model());
    let output = command.arg("--data").arg(data.folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", log(&output));
}

#[test]
fn labels_may_be_names_and_unknown_ones_are_errors_with_their_row() {
    let data = Data::new();
    data.write_table(|label, row| if row == 1 { label.to_uppercase() } else { label.into() });
    assert_eq!(value(&data.scored(&["--only", "colors"]).benchmarks[0], "top1_accuracy"), Some(0.9));
    for bad in ["4", "-1", "purple", "1.5", ""] {
        data.write_table(|label, row| if row == 6 { bad.into() } else { label.into() });
        let output = data.eval(&["--only", "colors"]);
        assert_eq!(output.status.code(), Some(2), "{bad}");
        let log = log(&output);
        assert!(log.contains("row 7") && log.contains(&format!("{bad:?}")) && log.contains("test.csv"), "{log}");
    }
}

#[test]
fn unreadable_images_are_listed_and_too_many_are_a_failure() {
    let data = Data::new();
    fs::write(data.picture(3), "no picture").unwrap();
    let output = data.eval(&["--only", "colors"]);
    assert_eq!(output.status.code(), Some(2));
    let log = log(&output);
    assert!(log.contains("1 of 10 images") && log.contains("row 4") && log.contains("3.png"), "{log}");
    assert_eq!(data.results().failed.len(), 1);

    let results = data.scored(&["--only", "colors", "--max-unreadable", "0.1"]);
    let result = &results.benchmarks[0];
    assert_eq!((result.n_scored, result.n_rows), (9, 10));
    assert_eq!((result.unreadable[0].row, result.unreadable[0].problem.contains("picture")), (4, true));
    assert_eq!(value(result, "top1_accuracy"), Some(8.0 / 9.0));

    // Others go on when one fails.
    fs::write(data.colors().join("captions.csv"), "filename,caption_zh_polish_en\nimages/0.png,red\n").unwrap();
    let output = data.eval(&["--only", "colors,color_captions"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((data.results().benchmarks.len(), data.results().failed.len()), (1, 1));
}

#[test]
fn the_released_protocol_scores_the_first_2048_rows() {
    let data = Data::new();
    let mut table = String::from("image_path,label\n");
    for row in 0..2100 {
        let index = row % PICTURES.len();
        let label = if row < 2048 { PICTURES[index].0 } else { "green" };
        writeln!(table, "images/{index}.png,{label}").unwrap();
    }
    fs::write(data.colors().join("test.csv"), table).unwrap();
    let results = data.scored(&["--only", "colors", "--protocol", "released"]);
    let result = &results.benchmarks[0];
    assert_eq!((result.n_scored, result.n_rows, value(result, "top1_accuracy")), (2048, 2100, Some(1.0)));
    assert!(result.notes[0].contains("2048"), "{:?}", result.notes);
    let results = data.scored(&["--only", "colors"]);
    assert_eq!(results.benchmarks[0].n_scored, 2100);
    assert!(value(&results.benchmarks[0], "top1_accuracy").unwrap() < 1.0);
}

#[test]
fn concepts_are_matched_by_name_and_their_scores_tell_the_pictures_apart() {
    let data = Data::new();
    // The ninth picture is blue but not said to be; "stripes" has no terms; nothing is black.
    let mut table = String::from("ImageID,Blue,stripes,Black,Yellow\n");
    for (index, (color, name)) in PICTURES.iter().enumerate() {
        let (blue, yellow) = (u8::from(*name == "blue"), u8::from(*color == "yellow"));
        writeln!(table, "{index},{blue},0,0,{yellow}").unwrap();
    }
    fs::write(data.colors().join("meta.csv"), &table).unwrap();
    let results = data.scored(&["--only", "color_concepts"]);
    let result = &results.benchmarks[0];
    let Details::Concepts(details) = &result.details else { panic!("{:?}", result.details) };
    let found: Vec<_> =
        details.concepts.iter().map(|concept| (concept.name.as_str(), concept.n_positive, concept.auroc)).collect();
    // Of the 16 pairs of a blue picture and another, two are with the ninth: ties, which count half.
    assert_eq!(found, [("blue", 2, Some(15.0 / 16.0)), ("black", 0, None), ("yellow", 2, Some(1.0))]);
    assert_eq!(value(result, "mean_auroc"), None, "undefined for black");
    assert_eq!(value(result, "mean_auroc_present"), Some((15.0 / 16.0 + 1.0) / 2.0));
    assert_eq!(value(result, "n_passed"), Some(2.0));
    assert!(result.notes[0].contains("stripes"), "{:?}", result.notes);

    fs::write(data.colors().join("meta.csv"), table.replace("9,1,0", "9,2,0")).unwrap();
    let output = data.eval(&["--only", "color_concepts"]);
    assert!(log(&output).contains("row 10") && log(&output).contains("blue"), "{}", log(&output));
}

#[test]
fn concept_scores_are_written_with_labels_and_are_those_of_annotate() {
    let data = Data::new();
    let mut table = String::from("ImageID,Blue,Yellow\n");
    for (index, (color, name)) in PICTURES.iter().enumerate() {
        writeln!(table, "{index},{},{}", u8::from(*name == "blue"), u8::from(*color == "yellow")).unwrap();
    }
    fs::write(data.colors().join("meta.csv"), &table).unwrap();
    let [scores, matrix, others] =
        ["scores.parquet", "scores.npy", "annotated.csv"].map(|name| data.folder.path().join(name));
    for path in [&scores, &matrix] {
        data.scored(&["--only", "color_concepts", "--concept-scores", path.to_str().unwrap()]);
    }
    let photos = (0..PICTURES.len()).map(|index| data.picture(index));
    let mut annotate = dermake();
    annotate.args(["annotate", "--concepts", "blue, yellow", "--model"]).arg(model()).arg("--out").arg(&others);
    annotate.args(photos).assert().success();

    let (scores, others) = (Dataset::read(&scores).unwrap(), Dataset::read(&others).unwrap());
    let columns = ["benchmark", "row", "file", "label_blue", "label_yellow", "score_blue", "score_yellow"];
    assert_eq!((scores.columns(), scores.len()), (&columns.map(String::from)[..], PICTURES.len()));
    let bytes = fs::read(&matrix).unwrap();
    let values: Vec<f32> =
        bytes[bytes.len() - 160..].chunks_exact(4).map(|v| f32::from_le_bytes(v.try_into().unwrap())).collect();
    for (row, (_, name)) in PICTURES.iter().enumerate() {
        assert!(scores.cell(row, 2).ends_with(&format!("images/{row}.png")), "{}", scores.cell(row, 2));
        assert_eq!(scores.cell(row, 3), u8::from(*name == "blue").to_string());
        for (column, of_annotate) in [(5, 1), (6, 2)] {
            let score: f64 = scores.cell(row, column).parse().unwrap();
            let expected: f64 = others.cell(row, of_annotate).parse().unwrap();
            assert!((score - expected).abs() < 1e-5, "{row}: {score} and {expected}");
            assert!((f64::from(values[row * 4 + column - 3]) - score).abs() < 1e-6, "{row}: {score}");
        }
    }
    let rows = fs::read_to_string(matrix.with_extension("rows.csv")).unwrap();
    assert!(rows.starts_with("benchmark,row,file\ncolor_concepts,1,") && rows.lines().count() == 11, "{rows}");

    let path = data.folder.path().join("none.csv");
    let output = data.eval(&["--only", "colors", "--concept-scores", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", log(&output));
    assert!(log(&output).contains("needs a benchmark with concepts") && !path.exists(), "{}", log(&output));
}

#[test]
fn captions_are_found_again() {
    let data = Data::new();
    let mut table = String::from("filename,caption_zh_polish_en\n");
    for (index, (word, _)) in COLORS.iter().enumerate() {
        fs::write(data.picture(index), picture(word)).unwrap();
        // The captions of the first two are exchanged.
        let caption = COLORS[[1, 0, 2, 3, 4, 5, 6, 7][index]].0;
        writeln!(table, "images/{index}.png,\"all of it is {caption}, and nothing else\"").unwrap();
    }
    writeln!(table, "images/0.png,").unwrap();
    fs::write(data.colors().join("captions.csv"), table).unwrap();
    let results = data.scored(&["--only", "color_captions"]);
    let result = &results.benchmarks[0];
    assert_eq!((result.n_scored, result.n_rows), (8, 9));
    assert!(result.notes[0].contains("1 rows without a caption"), "{:?}", result.notes);
    assert_eq!(value(result, "recall_at_10_image_to_text"), Some(1.0));
    assert_eq!(value(result, "median_rank_text_to_image"), Some(1.0));
    // Red and green differ in two of three channels: before the partner stand its own color and those one channel off.
    let mean = value(result, "mean_rank_image_to_text").unwrap();
    assert!(mean > 1.5 && mean < 2.5, "{mean}");

    let released = data.scored(&["--only", "color_captions", "--protocol", "released"]);
    assert_eq!(released.benchmarks[0].n_scored, 9, "a missing caption is the text \"nan\"");
}

#[test]
fn a_linear_probe_learns_labels_that_no_text_names() {
    let data = Data::new();
    let mut table = String::from("image_path,diag,split,label\n");
    for repeat in 0..6 {
        for (index, (color, _)) in PICTURES.iter().enumerate() {
            let split = ["train", "train", "train", "val", "test", "test"][repeat];
            let label = if ["red", "yellow"].contains(color) { "warm" } else { "cold" };
            writeln!(table, "images/{index}.png,{color},{split},{label}").unwrap();
        }
    }
    fs::write(data.colors().join("probe.csv"), &table).unwrap();
    let result = data.scored(&["--only", "color_probe"]).benchmarks.remove(0);
    assert_eq!((result.n_scored, value(&result, "top1_accuracy_100")), (20, Some(1.0)));
    let Details::LinearProbe(details) = &result.details else { panic!("{:?}", result.details) };
    let shares: Vec<_> = details.shares.iter().map(|share| (share.share, share.n_train)).collect();
    assert_eq!(shares, [(0.01, 2), (0.1, 2), (1.0, 30)]);
}

#[test]
fn what_is_not_there_is_named_with_where_it_comes_from() {
    let data = Data::new();
    fs::remove_file(data.colors().join("test.csv")).unwrap();
    let output = data.eval(&[]);
    assert_eq!(output.status.code(), Some(2));
    let log = log(&output);
    assert!(log.contains("PAD/MAKE_PAD.csv") && log.contains("https://") && log.contains("dermake synth"), "{log}");
    for arguments in [
        &["--only", "nonsense"][..],
        &["--max-unreadable", "x"],
        &["--max-unreadable", "nan"],
        &["--max-unreadable", "5"],
        &["--protocol", "mine"],
    ] {
        assert_eq!(data.eval(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let nowhere = dermake().args(["eval", "--data", "/nonexistent"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn an_interrupted_evaluation_keeps_what_it_has() {
    crate::signals::take();
    let data = Data::new();
    let mut table = String::from("filename,label\n");
    for row in 0..500_000 {
        writeln!(table, "images/{}.png,0", row % PICTURES.len()).unwrap();
    }
    fs::write(data.colors().join("test.csv"), table).unwrap();
    let cache = data.folder.path().join("cache");
    let mut command = limited::dermake();
    command
        .args(["eval", "--only", "colors", "--model"])
        .arg(model())
        .arg("--data")
        .arg(data.folder.path())
        .arg("--cache")
        .arg(&cache)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped());
    let mut child = Limited::start(&mut command);
    let has_features = || {
        let stores = fs::read_dir(&cache).into_iter().flatten().filter_map(Result::ok);
        let sizes = stores.filter_map(|store| fs::metadata(store.path().join("features.f32")).ok());
        sizes.map(|metadata| metadata.len()).sum::<u64>() > 0
    };
    while !has_features() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before anything was encoded");
        std::thread::yield_now();
    }
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.output();
    assert_eq!(output.status.code(), Some(130), "{}", log(&output));
    assert!(log(&output).contains("press Ctrl-C again"), "{}", log(&output));

    data.write_table(|label, _| label.into());
    let results = data.scored(&["--only", "colors"]);
    assert!(results.effort.images_at_hand > 0, "{:?}", results.effort);
}
