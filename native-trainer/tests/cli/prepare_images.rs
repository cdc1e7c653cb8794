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
