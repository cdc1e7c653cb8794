//! The written set: equal bytes for equal seeds, and tables that agree with themselves and the files.

use super::condition::Condition;
use super::{Extras, SynthOptions, View, conditions, marked_photos, synth};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

fn write(root: &Path, name: &str, seed: u64, n_threads: usize) -> BTreeMap<String, Vec<u8>> {
    write_with(root, name, seed, n_threads, Extras::default())
}

fn write_with(root: &Path, name: &str, seed: u64, n_threads: usize, extras: Extras) -> BTreeMap<String, Vec<u8>> {
    let out = root.join(name);
    let options = SynthOptions { n_images: 30, seed, out: out.clone(), image_size: 32, extras };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
    pool.install(|| synth(&options)).unwrap();
    let mut files = BTreeMap::new();
    collect(&out, &out, &mut files);
    files
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

fn table(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(files[name].as_slice()).deserialize().map(|row| row.unwrap()).collect()
}

fn ones(mask: &str) -> Vec<bool> {
    let digits = mask.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
    digits.split(", ").map(|digit| digit == "1").collect()
}

#[test]
fn equal_seeds_give_equal_bytes_at_any_thread_count() {
    let root = tempfile::tempdir().unwrap();
    let (one, three) = (write(root.path(), "one", 3, 1), write(root.path(), "three", 3, 3));
    assert!(one == three);
    let other = write(root.path(), "other", 4, 2);
    assert!(one["train.csv"] != other["train.csv"]);
    let pictures: HashSet<&Vec<u8>> =
        one.iter().chain(&other).filter(|(name, _)| name.ends_with(".jpg")).map(|(_, bytes)| bytes).collect();
    let n_pictures = one.keys().filter(|name| name.ends_with(".jpg")).count();
    assert_eq!(n_pictures, 30 + 28 + 140 + 60 + 60);
    assert_eq!(pictures.len(), 2 * n_pictures, "no picture occurs twice, in no split and under no seed");
}

#[test]
fn tables_agree_with_the_files_and_with_themselves() {
    let root = tempfile::tempdir().unwrap();
    let files = write(root.path(), "set", 11, 2);
    let classes: Vec<String> = serde_json::from_slice(&files["classes.json"]).unwrap();
    assert_eq!(classes, Condition::ALL.map(Condition::name));
    for name in ["train.csv", "val.csv"] {
        for row in table(&files, name) {
            assert!(files.contains_key(&row["filename"]));
            assert!(classes.contains(&row["condition"]) && !row["truncated_caption"].is_empty());
            let subcaptions = ones(&row["sub_caption_mask"]);
            assert_eq!(subcaptions.len(), 8);
            for (index, present) in subcaptions.into_iter().enumerate() {
                assert_eq!(present, !row[&format!("subcaption_{}", index + 1)].is_empty());
            }
            let knowledge = ones(&row["knowledge_masks"]);
            let cells = ["truncated_caption", "ontology_caption", "visual_concept_caption"];
            assert_eq!(knowledge, cells.map(|cell| !row[cell].is_empty()));
        }
    }
    let labels: Vec<usize> = table(&files, "zeroshot/test.csv")
        .iter()
        .map(|row| {
            assert!(files.contains_key(&format!("zeroshot/{}", row["filename"])));
            let label = row["label"].parse().unwrap();
            assert_eq!(classes[label], row["condition"]);
            label
        })
        .collect();
    assert!((0..classes.len()).all(|class| labels.iter().filter(|&&label| label == class).count() == 10));
}

#[test]
fn the_benchmarks_have_their_layout() {
    let root = tempfile::tempdir().unwrap();
    let files = write(root.path(), "set", 12, 2);
    let concepts = String::from_utf8(files["concept/concepts.txt"].clone()).unwrap();
    let header = String::from_utf8(files["concept/meta.csv"].clone()).unwrap();
    let columns: Vec<&str> = header.lines().next().unwrap().split(',').collect();
    assert_eq!(columns[0], "ImageID");
    assert_eq!(columns[1..], concepts.lines().collect::<Vec<_>>());
    let rows = table(&files, "concept/meta.csv");
    for row in &rows {
        assert!(files.contains_key(&format!("concept/final_images/{}", row["ImageID"])));
    }
    for concept in &columns[1..] {
        let positives = rows.iter().filter(|row| row[*concept] == "1").count();
        assert!(positives > 0 && positives < rows.len(), "{concept}: {positives} of {}", rows.len());
    }
    let retrieval = table(&files, "retrieval/test.csv");
    let captions: HashSet<&String> = retrieval.iter().map(|row| &row["caption_zh_polish_en"]).collect();
    assert_eq!(captions.len(), retrieval.len());
}

#[test]
fn impossible_sizes_are_errors() {
    let out = tempfile::tempdir().unwrap().path().join("set");
    let extras = Extras::default();
    let options = SynthOptions { n_images: 0, seed: 1, out, image_size: 224, extras };
    assert!(synth(&options).is_err());
    assert!(synth(&SynthOptions { n_images: 1, image_size: 8, ..options.clone() }).is_err());
    assert!(!options.out.exists());
}

#[test]
fn masks_and_other_pictures_change_nothing_of_the_set() {
    let root = tempfile::tempdir().unwrap();
    let usual = write(root.path(), "usual", 3, 2);
    let extras = Extras { n_other: 9, has_masks: true, is_off_center: false };
    let more = write_with(root.path(), "more", 3, 2, extras);
    let is_extra = |name: &String| name.starts_with("other/") || name.starts_with("zeroshot/masks/");
    assert_eq!(more.keys().filter(|name| name.starts_with("other/")).count(), 9);
    assert!(more.iter().all(|(name, bytes)| is_extra(name) || name == "README.md" || usual[name] == *bytes));

    let white = |name: &str| {
        let mask = image::load_from_memory(&more[name]).unwrap().into_luma8();
        mask.pixels().filter(|pixel| pixel.0 == [255]).count() as f64 / f64::from(mask.width() * mask.height())
    };
    let shares: Vec<f64> = (0..140).map(|number| white(&format!("zeroshot/masks/{number:05}.png"))).collect();
    assert!(shares.iter().all(|share| *share > 0.0), "{shares:?}");
    // A rash in a close view may fill the picture.
    assert!(shares.iter().filter(|share| **share < 1.0).count() > 130, "{shares:?}");
    let aside = Extras { has_masks: true, is_off_center: true, ..Extras::default() };
    let aside = write_with(root.path(), "aside", 3, 2, aside);
    assert_ne!(aside["zeroshot/images/00000.jpg"], usual["zeroshot/images/00000.jpg"]);
}

#[test]
fn marked_photos_are_those_of_the_zero_shot_set() {
    let root = tempfile::tempdir().unwrap();
    let extras = Extras { has_masks: true, ..Extras::default() };
    let files = write_with(root.path(), "set", 3, 2, extras);
    let photos = marked_photos(4, 32, 3, View::Usual).unwrap();
    let rows = table(&files, "zeroshot/test.csv");
    for (number, photo) in photos.iter().enumerate() {
        assert_eq!(photo.jpeg, files[&format!("zeroshot/images/{number:05}.jpg")]);
        let mask = image::load_from_memory(&files[&format!("zeroshot/masks/{number:05}.png")]).unwrap();
        assert_eq!(photo.lesions, mask.into_luma8());
        let label: usize = rows[number]["label"].parse().unwrap();
        assert_eq!(conditions()[label], photo.condition);
    }
    assert_ne!(marked_photos(1, 32, 3, View::OffCenter).unwrap()[0].jpeg, photos[0].jpeg);
}
