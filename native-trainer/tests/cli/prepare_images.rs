//! `dermake prepare --images`: equal images, copies, and images of an evaluation.

use super::prepare::prepare;
use crate::{json_lines, sample};
use std::fs;

#[test]
fn equal_images_become_one_row_and_copies_stay_out_of_an_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let (images, evaluation) = (folder.path().join("images"), folder.path().join("evaluation"));
    for name in [&images, &evaluation] {
        fs::create_dir(name).unwrap();
    }
    for (from, to) in [(1, "a.jpg"), (1, "again.jpg"), (2, "b.jpg"), (3, "c.jpg")] {
        fs::copy(sample(from), images.join(to)).unwrap();
    }
    // The same picture, smaller and in another format.
    let smaller = image::open(sample(3)).unwrap().thumbnail(150, 150);
    smaller.save(evaluation.join("held-out.png")).unwrap();
    fs::write(evaluation.join("labels.csv"), "filename,label\n").unwrap();
    let captions = "filename,caption,patient\na.jpg,A nevus,1\nb.jpg,Psoriasis,2\nagain.jpg,A brown macule,3\n\
                    c.jpg,Eczema,4\ngone.jpg,Acne,2\n";
    let more = ["--images", images.to_str().unwrap(), "--evaluation", evaluation.to_str().unwrap()];
    let output = prepare(folder.path(), captions, &[&more[..], &["--group-column", "patient"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let extracted = json_lines(&fs::read(folder.path().join("extracted.jsonl")).unwrap());
    let left_out: Vec<_> = extracted.iter().map(|line| line["left_out"].as_str().unwrap_or_default()).collect();
    assert_eq!(left_out, ["", "", "joined_with_earlier_row", "in_evaluation", ""]);
    assert_eq!((&extracted[0]["condition"], &extracted[0]["concepts"][1]), (&"nevus".into(), &"macule".into()));
    assert_eq!((&extracted[4]["cluster"], &extracted[1]["cluster"]), (&2.into(), &2.into()));
    let counts: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("prepare.json")).unwrap()).unwrap();
    let images = &counts["images"];
    assert_eq!((&images["n_joined"], &images["n_missing"], &images["n_images"]), (&1.into(), &1.into(), &4.into()));
}

#[test]
fn copies_in_another_form_become_one_row_if_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    let photo = image::open(sample(3)).unwrap();
    photo.thumbnail(150, 150).save(images.join("small.png")).unwrap();
    fs::copy(sample(3), images.join("whole.jpg")).unwrap();
    photo.rotate90().save(images.join("turned.png")).unwrap();
    fs::copy(sample(1), images.join("other.jpg")).unwrap();
    fs::copy(sample(1), images.join("again.jpg")).unwrap();
    let captions = "filename,caption,split\nsmall.png,Eczema,train\nother.jpg,A nevus,train\n\
                    whole.jpg,A scaly plaque,train\nagain.jpg,Eczema,train\nturned.png,eczema of the arm,test\n";
    let images = ["--images", images.to_str().unwrap()];
    let of_rows = |more: &[&str]| {
        let output = prepare(folder.path(), captions, &[&images[..], more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = json_lines(&fs::read(folder.path().join("extracted.jsonl")).unwrap());
        let counts: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path().join("prepare.json")).unwrap()).unwrap();
        (lines, counts["images"].clone())
    };
    let left_out = |lines: &[serde_json::Value]| -> Vec<String> {
        lines.iter().map(|line| line["left_out"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let (lines, counts) = of_rows(&[]);
    assert_eq!(left_out(&lines), ["", "", "", "joined_with_earlier_row", ""]);
    assert_eq!((&counts["n_near"], &counts["n_joined_copies"]), (&3.into(), &0.into()));
    assert_eq!(lines[2]["cluster"], 1);
    let (lines, counts) = of_rows(&["--join-copies"]);
    // The copy that is of another part stays there.
    assert_eq!(left_out(&lines), ["", "", "copy_of_earlier_row", "joined_with_earlier_row", ""]);
    assert_eq!((&counts["n_near"], &counts["n_joined_copies"]), (&3.into(), &1.into()));
    assert_eq!(
        (&lines[0]["condition"], &lines[0]["concepts"]),
        (&"eczema".into(), &serde_json::json!(["scale", "plaque"]))
    );
}

/// Writes E, F, H, L and T into a photo, as rectangles with strokes of four pixels.
fn write_letters(photo: &mut image::RgbImage) {
    let (white, bar) = (image::Rgb([255; 3]), 4);
    let mut fill = |x: u32, y: u32, width: u32, height: u32| {
        (y..y + height).for_each(|y| (x..x + width).for_each(|x| photo.put_pixel(x, y, white)));
    };
    for (at, letter) in "LEFTHELLO".bytes().enumerate() {
        let x = 10 + 26 * at as u32;
        fill(x + if letter == b'T' { 8 } else { 0 }, 10, bar, 28);
        let rows: &[u32] = match letter {
            b'E' => &[0, 12, 24],
            b'F' => &[0, 12],
            b'T' => &[0],
            b'H' => &[12],
            _ => &[24],
        };
        rows.iter().for_each(|row| fill(x, 10 + row, 20, bar));
        if letter == b'H' {
            fill(x + 16, 10, bar, 28);
        }
    }
}

#[test]
fn faces_and_text_are_flagged_if_that_is_asked_for_and_nothing_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    fs::copy("crates/pictures/data/face.png", images.join("face.png")).unwrap();
    fs::copy(sample(1), images.join("plain.jpg")).unwrap();
    let mut lettered =
        image::open(sample(2)).unwrap().resize(400, 400, image::imageops::FilterType::Triangle).to_rgb8();
    write_letters(&mut lettered);
    lettered.save(images.join("lettered.jpg")).unwrap();
    fs::write(images.join("broken.jpg"), b"\xFF\xD8\xFF\xE0 no photo").unwrap();
    let captions = "filename,caption\nface.png,Acne of the cheeks\nplain.jpg,A nevus\nlettered.jpg,Placa con escamas en la piel\n\
                    broken.jpg,Eczema\ngone.jpg,Acne\n";
    let run = |more: &[&str]| {
        let images = ["--images", images.to_str().unwrap()];
        let output = prepare(folder.path(), captions, &[&images[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let lines = json_lines(read("extracted.jsonl").as_bytes());
        let flags: Vec<String> = lines.iter().map(|line| line["flags"].to_string()).collect();
        let counts: serde_json::Value = serde_json::from_str(&read("prepare.json")).unwrap();
        (flags, counts, read("report.html"), read("train.csv"), String::from_utf8(output.stdout).unwrap())
    };
    let (flags, counts, report, table, _) = run(&[]);
    assert_eq!(flags, ["null", "null", "[\"not_english\"]", "null", "null"]);
    assert_eq!(counts["images"]["n_searched"], 0);
    assert!(report.contains("were not searched for") && report.contains("<li value=\"3\">lettered.jpg</li>"));

    let (flags, counts, report, again, summary) = run(&["--flag-faces-and-text"]);
    assert_eq!(flags, ["[\"face\"]", "null", "[\"not_english\",\"text_in_image\"]", "null", "null"]);
    assert_eq!((&counts["images"]["n_searched"], &counts["images"]["n_unreadable"]), (&3.into(), &1.into()));
    assert_eq!((&counts["flags"]["face"], &counts["flags"]["text_in_image"]), (&1.into(), &1.into()));
    assert!(
        report.contains("<li value=\"1\">face.png</li>") && !report.contains("were not searched for"),
        "{report}"
    );
    assert!(summary.contains("to look at, text in the image: 1"), "{summary}");
    assert_eq!(again, table, "the table is the same");
}
