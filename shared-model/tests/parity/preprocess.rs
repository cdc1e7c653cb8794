//! Decoding, resizing, cropping and normalizing, each against what Pillow and torchvision made of the same file.

use crate::fixtures;
use candle_core::{Device, Tensor};
use serde_json::Value;
use shared_model::Error;
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{
    DecodedImage, Reading, ResizePlan, RgbImage8, decode, pixel_values, preprocess, resize_and_crop,
};

/// Levels by which two images differ.
#[derive(Debug)]
struct Difference {
    max: u8,
    mean: f64,
    /// Share of the bytes that differ at all.
    share: f64,
}

/// One source file and what the reference says of it.
struct Case {
    name: String,
    expected: Value,
    bytes: Vec<u8>,
}

impl Case {
    fn is_readable(&self) -> bool {
        self.expected.get("error").is_none()
    }

    /// JPEG, or whatever comes with its decoded pixels, because decoders of lossy formats may round differently.
    fn is_lossy(&self) -> bool {
        self.expected.get("decoded").is_some() || self.bytes.starts_with(&[0xff, 0xd8])
    }

    fn u64(&self, key: &str) -> u64 {
        self.expected[key].as_u64().unwrap_or_else(|| panic!("{}: no {key}", self.name))
    }

    fn image(&self) -> DecodedImage {
        decode(&self.bytes, Reading::Reference).unwrap_or_else(|err| panic!("{}: {err}", self.name))
    }

    fn crop(&self) -> RgbImage8 {
        resize_and_crop(&self.image(), &config()).unwrap_or_else(|err| panic!("{}: {err}", self.name))
    }

    fn expected_crop(&self) -> RgbImage8 {
        let bytes = fixtures::read(&format!("preprocess/crops/{}.png", self.name));
        let crop = image::load_from_memory(&bytes).expect("crops are PNG files").to_rgb8();
        RgbImage8::new(crop.width(), crop.height(), crop.into_raw()).expect("three bytes a pixel")
    }
}

fn cases() -> Vec<Case> {
    let table = fixtures::json("preprocess/preprocess.json");
    let images = table["images"].as_object().expect("a table of images");
    let case = |(name, expected): (&String, &Value)| Case {
        name: name.clone(),
        expected: expected.clone(),
        bytes: fixtures::read(&format!("preprocess/images/{name}")),
    };
    images.iter().map(case).collect()
}

fn readable_cases() -> impl Iterator<Item = Case> {
    cases().into_iter().filter(Case::is_readable)
}

fn config() -> PreprocessConfig {
    let table = fixtures::json("preprocess/preprocess.json");
    let triple = |key: &str| [0, 1, 2].map(|i| table[key][i].as_f64().expect("three numbers") as f32);
    PreprocessConfig { mean: triple("mean"), std: triple("std"), ..PreprocessConfig::openai(224) }
}

fn difference(ours: &RgbImage8, expected: &RgbImage8) -> Difference {
    assert_eq!((ours.width(), ours.height()), (expected.width(), expected.height()), "sizes differ");
    let levels: Vec<u8> = ours.as_bytes().iter().zip(expected.as_bytes()).map(|(&a, &b)| a.abs_diff(b)).collect();
    let count = levels.len() as f64;
    Difference {
        max: levels.iter().copied().max().unwrap_or(0),
        mean: levels.iter().map(|&level| f64::from(level)).sum::<f64>() / count,
        share: levels.iter().filter(|&&level| level > 0).count() as f64 / count,
    }
}

fn assert_same_pixels(name: &str, ours: &RgbImage8, expected: &RgbImage8) {
    let found = difference(ours, expected);
    println!("{name}: {found:?}");
    assert!(found.max <= 1 && found.share <= 0.01, "{name}: {found:?}");
}

fn assert_similar_pixels(name: &str, ours: &RgbImage8, expected: &RgbImage8) {
    let found = difference(ours, expected);
    println!("{name}: {found:?}");
    assert!(found.max <= 12 && found.mean <= 1.0, "{name}: {found:?}");
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn files_open_in_the_mode_and_size_of_the_reference() {
    for case in readable_cases() {
        let image = case.image();
        let size = (u64::from(image.width()), u64::from(image.height()));
        assert_eq!(image.mode().name(), case.expected["mode"], "{}", case.name);
        assert_eq!(size, (case.u64("width"), case.u64("height")), "{}", case.name);
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn files_that_the_reference_cannot_read_are_errors_of_the_same_kind() {
    for case in cases().iter().filter(|case| !case.is_readable()) {
        let error = decode(&case.bytes, Reading::Reference).expect_err(&case.name);
        let is_unknown = case.expected["error"].as_str().unwrap().starts_with("UnidentifiedImageError");
        match error {
            Error::ImageFormat(_) => assert!(is_unknown, "{}: {error}", case.name),
            Error::ImageDecode { .. } => assert!(!is_unknown, "{}: {error}", case.name),
            _ => panic!("{}: {error}", case.name),
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn sizes_and_crop_offsets_are_those_of_torchvision() {
    for case in readable_cases() {
        let image = case.image();
        let plan = ResizePlan::new(image.width(), image.height(), &config()).unwrap();
        let after_resize = &case.expected["after_resize"];
        assert_eq!(after_resize[0], plan.scaled_width, "{}", case.name);
        assert_eq!(after_resize[1], plan.scaled_height, "{}", case.name);
        assert_eq!((plan.crop_left, plan.crop_top), (case.u64("crop_left"), case.u64("crop_top")), "{}", case.name);
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn crops_of_lossless_files_are_equal() {
    for case in readable_cases().filter(|case| !case.is_lossy()) {
        assert_same_pixels(&case.name, &case.crop(), &case.expected_crop());
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn crops_of_lossy_files_differ_by_their_decoder_only() {
    for case in readable_cases().filter(Case::is_lossy) {
        assert_similar_pixels(&case.name, &case.crop(), &case.expected_crop());
        let Some(decoded) = case.expected.get("decoded").and_then(Value::as_str) else { continue };
        let bytes = fixtures::read(&format!("preprocess/decoded/{decoded}"));
        let image = decode(&bytes, Reading::Reference).unwrap();
        assert_same_pixels(decoded, &resize_and_crop(&image, &config()).unwrap(), &case.expected_crop());
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn normalized_values_are_equal() {
    for case in readable_cases() {
        let crop = case.expected_crop();
        let side = crop.width() as usize;
        let values = pixel_values(&crop, &config());
        let count = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
        for (key, ours) in [("final_mean", mean), ("final_std", variance.sqrt())] {
            let expected = case.expected[key].as_f64().unwrap();
            assert!((ours - expected).abs() < 1e-5, "{}: {key} {ours}, expected {expected}", case.name);
        }
        let probe = &case.expected["final_probe"];
        for (index, expected) in
            probe["index_chw"].as_array().unwrap().iter().zip(probe["value"].as_array().unwrap())
        {
            let [c, y, x] = [0, 1, 2].map(|axis| index[axis].as_u64().unwrap() as usize);
            let (ours, expected) = (values[(c * side + y) * side + x], expected.as_f64().unwrap() as f32);
            assert!((ours - expected).abs() <= 1e-6, "{}: {ours} at {index}, expected {expected}", case.name);
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn the_whole_transform_is_equal() {
    let config = config();
    // One level of the channel that is stretched most.
    let level = 1.0 / 255.0 / config.std.iter().copied().fold(f32::INFINITY, f32::min);
    for (name, expected) in fixtures::tensors("preprocess/final_f32.safetensors") {
        let case = cases().into_iter().find(|case| case.name == name).expect("a file of that name");
        let side = case.expected_crop().width() as usize;
        let from_crop =
            Tensor::from_vec(pixel_values(&case.expected_crop(), &config), (3, side, side), &Device::Cpu);
        fixtures::assert_close(&format!("{name}: normalize"), &from_crop.unwrap(), &expected, 1e-6);
        let ours = preprocess(&case.bytes, &config, Reading::Reference).unwrap();
        assert_eq!(ours.dims(), [3, side, side]);
        let levels = if case.is_lossy() { 12.0 } else { 1.0 };
        fixtures::assert_close(&name, &ours, &expected, levels * level + 1e-6);
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn exif_orientation_turns_the_stored_pixels() {
    for case in readable_cases() {
        let Some(exif) = case.expected.get("exif_orientation").and_then(Value::as_u64) else { continue };
        let stored = case.image().to_rgb();
        let turned = decode(&case.bytes, Reading::Photo).unwrap().to_rgb();
        let stored = image::RgbImage::from_raw(stored.width(), stored.height(), stored.into_bytes()).unwrap();
        let mut expected = image::DynamicImage::ImageRgb8(stored);
        expected.apply_orientation(image::metadata::Orientation::from_exif(exif as u8).unwrap());
        assert_eq!((turned.width(), turned.height()), (expected.width(), expected.height()), "{}", case.name);
        assert_eq!(turned.as_bytes(), expected.as_bytes(), "{}", case.name);
    }
}
