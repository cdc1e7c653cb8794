//! `dermake map`, with pictures of two colors and a model that knows colors.

use crate::color_model::{COLORS, model};
use crate::dermake;
use crate::json_lines;
use crate::sample;
use serde_json::Value;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Output;

/// A picture of 8 x 8 pixels with a square of another color, at a quarter counted row by row.
fn picture(ground: &str, square: &str, quarter: u32) -> Vec<u8> {
    let color = |name: &str| image::Rgb(COLORS.iter().find(|(known, _)| *known == name).unwrap().1);
    let is_square = |x: u32, y: u32| (x / 4, y / 4) == (quarter % 2, quarter / 2);
    let image = image::RgbImage::from_fn(8, 8, |x, y| if is_square(x, y) { color(square) } else { color(ground) });
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

fn map(photo: &Path, arguments: &[&str]) -> Output {
    let labels = ["--labels", "red, green, blue", "--template", "{}"];
    dermake().arg("map").arg(photo).args(labels).args(arguments).arg("--model").arg(model()).output().unwrap()
}

fn answer(photo: &Path, arguments: &[&str]) -> Value {
    let output = map(photo, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    json_lines(&output.stdout).remove(0)
}

#[test]
fn the_maximum_is_where_the_color_is() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.png");
    let places = ["top left", "top right", "bottom left", "bottom right"];
    for (quarter, place) in places.into_iter().enumerate() {
        fs::write(&photo, picture("blue", "red", quarter as u32)).unwrap();
        let answer = answer(&photo, &["--text", "red"]);
        assert_eq!((&answer["rows"], &answer["columns"], &answer["text"]), (&2.into(), &2.into(), &"red".into()));
        let values: Vec<f64> = answer["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert!(values.iter().enumerate().all(|(at, value)| (*value > 0.0) == (at == quarter)), "{values:?}");
        let maximum = &answer["maximum"];
        assert_eq!((&maximum["row"], &maximum["column"]), (&(quarter / 2).into(), &(quarter % 2).into()));
        assert_eq!(maximum["place"], place);
    }
}

#[test]
fn without_a_text_the_first_label_is_looked_for_and_words_need_not_be_labels() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.png");
    fs::write(&photo, picture("blue", "yellow", 3)).unwrap();
    assert_eq!(answer(&photo, &[])["text"], "blue");
    let words = answer(&photo, &["--text", " yellow "]);
    assert_eq!((&words["text"], &words["maximum"]["place"]), (&"yellow".into(), &"bottom right".into()));
    // A picture of one color has no place that differs.
    fs::write(&photo, picture("red", "red", 0)).unwrap();
    let flat = answer(&photo, &["--text", "red"]);
    let largest = flat["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap().abs()).fold(0.0, f64::max);
    assert!(largest < 1e-6, "{flat}");
}

#[test]
fn the_picture_shows_the_square_and_marks_it() {
    let folder = tempfile::tempdir().unwrap();
    let (photo, out) = (folder.path().join("photo.png"), folder.path().join("map.png"));
    fs::write(&photo, picture("blue", "red", 1)).unwrap();
    let output = map(&photo, &["--text", "red", "--out", out.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("most like \"red\" at the top right (row 1 of 2, column 2 of 2)"), "{text}");
    assert!(text.contains("not a reason") && text.contains("map.png"), "{text}");
    let drawn = image::open(&out).unwrap().into_rgb8();
    assert_eq!(drawn.dimensions(), (2 * 448 + 16, 448));
    assert_eq!((drawn.get_pixel(100, 100).0, drawn.get_pixel(330, 100).0), ([0, 0, 255], [255, 0, 0]));
    assert_eq!(drawn.get_pixel(448 + 16 + 330, 100).0, [255, 0, 0]);
    assert!(drawn.get_pixel(448 + 16 + 100, 100).0[2] < 100);
}

#[test]
fn what_cannot_be_mapped_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (photo, out) = (folder.path().join("photo.png"), folder.path().join("map.png"));
    fs::write(&photo, picture("blue", "red", 1)).unwrap();
    let refused = |photo: &Path, arguments: &[&str], expected: &str| {
        let output = map(photo, arguments);
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{arguments:?}: {log}");
        assert!(log.contains(expected), "{arguments:?}: {log}");
    };
    refused(&photo, &["--text", "?!"], "--text has no letter");
    refused(&photo, &["--out", folder.path().join("map.jpg").to_str().unwrap()], "ends in .png");
    refused(folder.path(), &["--out", out.to_str().unwrap()], "expected one photo");
    refused(&folder.path().join("gone.png"), &["--out", out.to_str().unwrap()], "there is no such file");
    fs::write(folder.path().join("notes.png"), "This is no photo.").unwrap();
    refused(&folder.path().join("notes.png"), &["--out", out.to_str().unwrap()], "notes.png");
    fs::create_dir(folder.path().join("folder.png")).unwrap();
    refused(&photo, &["--out", folder.path().join("folder.png").to_str().unwrap()], "this is a folder");
    let gone = folder.path().join("gone/map.png");
    refused(&photo, &["--out", gone.to_str().unwrap()], "there is no folder");
    // Before the model is looked for, which may be a long download.
    let mut command = dermake();
    let output =
        command.args(["map", "--model", "no-such-model", "--out"]).arg(&gone).arg(&photo).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no folder"), "{output:?}");
    refused(&photo, &["--out", folder.path().join("./photo.png").to_str().unwrap()], "would be overwritten");
    assert_eq!(fs::read(&photo).unwrap(), picture("blue", "red", 1));
    assert!(!out.exists());
}

#[test]
fn the_model_inside_the_program_makes_maps_of_samples() {
    let output = dermake().args(["map", "--text", "melanoma", "--json"]).arg(sample(2)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer = json_lines(&output.stdout).remove(0);
    assert_eq!((&answer["rows"], &answer["columns"], &answer["model"]), (&6.into(), &6.into(), &"demo".into()));
    assert_eq!(answer["values"].as_array().unwrap().len(), 36);
    // The sample is a dark lesion in the middle.
    let maximum = [&answer["maximum"]["row"], &answer["maximum"]["column"]].map(|at| at.as_u64().unwrap());
    assert!(maximum.iter().all(|at| (1..=4).contains(at)), "{maximum:?}");
}
