//! Scores of the reference, faces that are turned, and pictures without a face.

use super::*;
use crate::decode;
use shared_model::preprocess::Reading;

/// A face in 64 x 64 pixels; data/README.md says whose.
const FACE: &[u8] = include_bytes!("../../data/face.png");

fn photo(bytes: &[u8]) -> DecodedImage {
    decode(bytes, Reading::Photo).unwrap()
}

#[test]
fn scores_are_those_of_the_reference() {
    let detector = FaceDetector::default();
    let face = photo(FACE).to_rgb();
    // python yunet_reference.py of data/
    let upper = face.as_bytes()[..3 * 64 * 40].to_vec();
    let upper = RgbImage8::new(64, 40, upper).unwrap();
    for (image, expected) in [(&face, 0.911_732), (&upper, 0.846_884), (&turned(&face).unwrap(), 0.421_254)] {
        let score = detector.score(image);
        assert!((score - expected).abs() < 1e-4, "{score}, expected {expected}");
    }
}

#[test]
fn a_face_is_found_at_any_turn() {
    let detector = FaceDetector::default();
    let mut view = photo(FACE).to_rgb();
    for _ in 0..4 {
        let (width, height) = (view.width(), view.height());
        let mode = shared_model::preprocess::PixelMode::Rgb;
        let image = DecodedImage::from_samples(width, height, mode, view.as_bytes().to_vec()).unwrap();
        assert!(detector.has_face(&image).unwrap());
        view = turned(&view).unwrap();
    }
}

#[test]
fn drawn_lesions_and_any_size_have_no_face() {
    let detector = FaceDetector::default();
    for (name, sample) in shared_model::demo::SAMPLES {
        assert!(!detector.has_face(&photo(sample)).unwrap(), "{name}");
    }
    for (width, height) in [(1, 1), (1, 900), (33, 31)] {
        let gray = vec![120; width * height];
        let mode = shared_model::preprocess::PixelMode::Gray;
        let image = DecodedImage::from_samples(width as u32, height as u32, mode, gray).unwrap();
        assert!(!detector.has_face(&image).unwrap());
    }
}
