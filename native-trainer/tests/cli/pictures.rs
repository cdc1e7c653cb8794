//! Pictures as phones, scanners, microscopes and broken copies leave them.

use crate::dermake;
use crate::json_lines;
use crate::probabilities_of;
use crate::sample;
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma};
use serde_json::Value;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Pictures in other color spaces than sRGB, and what they are in sRGB.
fn profiled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared-model/tests/pictures/profiles").join(name)
}

fn answers(arguments: &[&str], photos: &[&Path]) -> Vec<Value> {
    let output = dermake().args(arguments).args(photos).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    json_lines(&output.stdout)
}

fn classified(photos: &[&Path]) -> Vec<Vec<f64>> {
    let answers = answers(&["classify", "--json", "--labels", "pad", "--top-k", "6"], photos);
    answers.iter().map(probabilities_of).collect()
}

fn largest_difference(found: &[f64], expected: &[f64]) -> f64 {
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn gray_sample() -> GrayImage {
    image::open(sample(1)).unwrap().into_luma8()
}

fn in_16_bits(gray: &GrayImage) -> DynamicImage {
    let samples = gray.as_raw().iter().map(|&level| u16::from(level) * 257).collect();
    DynamicImage::ImageLuma16(ImageBuffer::<Luma<u16>, _>::from_raw(gray.width(), gray.height(), samples).unwrap())
}

#[test]
fn a_gray_photo_of_16_bits_is_answered_as_the_same_in_8() {
    let folder = tempfile::tempdir().unwrap();
    let (shallow, deep) = (folder.path().join("8.png"), folder.path().join("16.png"));
    gray_sample().save(&shallow).unwrap();
    in_16_bits(&gray_sample()).save(&deep).unwrap();
    let found = classified(&[&deep, &shallow]);
    assert_eq!(found[0], found[1]);
    // The reference's clipping is still to be had, under both names.
    for switch in ["--as-reference", "--ignore-exif"] {
        let clipped =
            answers(&["classify", "--json", "--labels", "pad", "--top-k", "6", switch], &[&deep, &shallow]);
        assert_ne!(clipped[0]["predictions"], clipped[1]["predictions"]);
        assert_eq!(probabilities_of(&clipped[1]), found[1]);
    }
    let concepts = answers(&["annotate", "--json", "--concepts", "bulla,scale"], &[&deep, &shallow]);
    assert_eq!(concepts[0]["concepts"], concepts[1]["concepts"]);
}

#[test]
fn a_photo_with_a_color_profile_is_answered_as_the_same_in_srgb() {
    for name in ["display_p3.png", "adobe_rgb.png", "display_p3.tif", "prophoto.png", "linear_chunk.png"] {
        let (photo, in_srgb) = (profiled(name), profiled(&format!("{name}.expected.png")));
        let found = classified(&[&photo, &in_srgb]);
        let difference = largest_difference(&found[0], &found[1]);
        assert!(difference < 0.02, "{name}: {difference}");
    }
}

#[test]
fn a_whole_photo_is_read_without_its_end_marker_and_with_what_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let jpeg = fs::read(sample(1)).unwrap();
    let pixels = jpeg.strip_suffix(&[0xff, 0xd9]).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let video = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42";
    let whole = [
        write("whole", &jpeg),
        write("no end", pixels),
        write("trailer", &[&jpeg[..], video].concat()),
        write("no end, trailer", &[pixels, video].concat()),
        write("no end, zeros", &[pixels, &[0; 5000]].concat()),
    ];
    let found = classified(&whole.each_ref().map(PathBuf::as_path));
    assert_eq!(found.len(), whole.len());
    assert!(found.iter().all(|answer| *answer == found[0]));

    let half = &pixels[..pixels.len() / 2];
    for (name, bytes) in [("cut", half.to_vec()), ("cut, zeros", [half, &[0; 5000]].concat())] {
        let output = dermake().arg("classify").arg(write(name, &bytes)).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && log.contains("incomplete"), "{name}: {log}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn what_is_no_picture_gets_a_sentence_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let dicom = [&[0; 128][..], b"DICM\x02\0\0\0UL"].concat();
    for (bytes, expected) in [
        (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "Most Compatible"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF is not read"),
        (&dicom, "DICOM is not read"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video"),
        (b"", "the file is empty"),
        (&[0; 4096], "zeros"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"%PDF-1.7", "PDF"),
        (b"just words", "expected JPEG, PNG, WebP, GIF, BMP or TIFF"),
    ] {
        let path = folder.path().join("photo.jpg");
        fs::write(&path, bytes).unwrap();
        for arguments in [&["classify"][..], &["annotate", "--concepts", "bulla,scale"]] {
            let output = dermake().args(arguments).arg(&path).output().unwrap();
            let log = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && log.contains(expected), "{expected}: {log}");
            assert!(log.contains("photo.jpg") && !log.contains("panicked"), "{log}");
        }
    }
}

#[test]
fn names_and_endings_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["photo", "photo.heic", "photo.txt", "photo.jfif", "foto ä.JPG"];
    let paths = names.map(|name| folder.path().join(name));
    for path in &paths {
        fs::copy(sample(1), path).unwrap();
    }
    let found = classified(&paths.each_ref().map(PathBuf::as_path));
    assert_eq!(found.len(), names.len());
    assert!(found.iter().all(|answer| *answer == found[0]));
}

#[test]
fn a_photo_of_108_megapixels_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("108.png");
    let mut file = Cursor::new(Vec::new());
    GrayImage::from_pixel(12_000, 9_000, Luma([140])).write_to(&mut file, ImageFormat::Png).unwrap();
    fs::write(&path, file.into_inner()).unwrap();
    assert_eq!(classified(&[&path]).len(), 1);
}
