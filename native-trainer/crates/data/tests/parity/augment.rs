//! Augmentation: each operation against Pillow's and torchvision's pixels, crop boxes against their statistics.

use crate::fixtures;
use candle_core::Tensor;
use dermake_data::augment::{Augmentation, ColorOperation, apply, sample_crop};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use shared_model::config::Interpolation;
use shared_model::preprocess::{CropBox, RgbImage8, resample};

fn image(tensor: &Tensor) -> RgbImage8 {
    let (height, width, _) = tensor.dims3().unwrap();
    let bytes = tensor.flatten_all().unwrap().to_vec1().unwrap();
    RgbImage8::new(width as u32, height as u32, bytes).unwrap()
}

fn operation(name: &str, factor: &Value) -> Option<ColorOperation> {
    let factor = || factor.as_f64().unwrap();
    Some(match name {
        "brightness" => ColorOperation::Brightness(factor()),
        "contrast" => ColorOperation::Contrast(factor()),
        "saturation" => ColorOperation::Saturation(factor()),
        "hue" => ColorOperation::Hue(factor()),
        "grayscale" => ColorOperation::Gray,
        _ => return None,
    })
}

/// The color operations of one case in their order; none for a crop.
fn operations(case: &Value) -> Vec<ColorOperation> {
    match case["op"].as_str().unwrap() {
        "chain" => {
            let order = case["order"].as_array().unwrap();
            let step = |name: &Value| {
                let name = name.as_str().unwrap();
                operation(name, &case["factors"][name]).unwrap()
            };
            order.iter().map(step).collect()
        }
        "resized_crop" => Vec::new(),
        name => vec![operation(name, &case["factor"]).unwrap_or_else(|| panic!("an unknown operation: {name}"))],
    }
}

fn levels(ours: &RgbImage8, expected: &RgbImage8) -> Vec<u8> {
    assert_eq!((ours.width(), ours.height()), (expected.width(), expected.height()));
    ours.as_bytes().iter().zip(expected.as_bytes()).map(|(&a, &b)| a.abs_diff(b)).collect()
}

#[test]
fn every_operation_gives_the_pixels_of_the_reference() {
    let tensors = fixtures::tensors("augment/augment.safetensors");
    let description = fixtures::json("augment/augment.json");
    let mut n_inexact = 0;
    for case in description["operations"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let expected = image(&tensors[name]);
        let ours = if case["op"] == "resized_crop" {
            let number = |key: &str| case[key].as_u64().unwrap() as u32;
            let crop = CropBox {
                left: number("left"),
                top: number("top"),
                width: number("width"),
                height: number("height"),
            };
            let (input, side) = (image(&tensors["crop_input"]).into(), number("out_size"));
            resample(&input, crop, side, side, Interpolation::Bicubic).unwrap().to_rgb()
        } else {
            apply(image(&tensors["input"]), &operations(case))
        };
        let levels = levels(&ours, &expected);
        let max = levels.iter().max().unwrap();
        n_inexact += usize::from(*max > 0);
        println!("{name}: at most {max} levels");
        assert!(*max <= 1, "{name}: {max} levels");
    }
    println!("{n_inexact} operations are not exact");
}

#[test]
fn the_defaults_are_the_published_ones() {
    let description = fixtures::json("augment/augment.json");
    let augmentation = Augmentation::default();
    let text = description["random_resized_crop"].as_str().unwrap();
    let [low, high] = augmentation.scale;
    assert!(text.contains(&format!("scale=({low:?}, {high:?})")), "{text}");
    let rounded = augmentation.ratio.map(|ratio| (ratio * 1e4).round() / 1e4);
    assert!(text.contains(&format!("ratio=({:?}, {:?})", rounded[0], rounded[1])), "{text}");
    let text = description["color_jitter"].as_str().unwrap();
    for (name, amount) in ["brightness", "contrast", "saturation"].iter().zip(augmentation.color_jitter) {
        assert!(text.contains(&format!("{name}=({:?}, {:?})", 1.0 - amount, 1.0 + amount)), "{name} in {text}");
    }
    let hue = augmentation.color_jitter[3];
    assert!(text.contains(&format!("hue=({:?}, {hue:?})", -hue)), "{text}");
    assert_eq!(description["color_jitter_probability"], augmentation.color_jitter_prob);
    assert_eq!(description["gray_probability"], augmentation.gray_scale_prob);
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, variance.sqrt())
}

#[test]
fn crop_boxes_are_drawn_as_by_the_reference() {
    let description = fixtures::json("augment/augment.json");
    let Augmentation { scale, ratio, .. } = Augmentation::default();
    for case in description["crop_box_statistics"].as_array().unwrap() {
        let [width, height, draws] = ["width", "height", "draws"].map(|key| case[key].as_u64().unwrap() as u32);
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(width));
        let boxes: Vec<CropBox> =
            (0..4 * draws).map(|_| sample_crop(width, height, scale, ratio, &mut rng)).collect();
        let of_each = |figure: &dyn Fn(&CropBox) -> f64| boxes.iter().map(figure).collect::<Vec<f64>>();
        let area = f64::from(width) * f64::from(height);
        let areas = of_each(&|b| f64::from(b.width) * f64::from(b.height) / area);
        let aspects = of_each(&|b| (f64::from(b.width) / f64::from(b.height)).ln());
        let tops = of_each(&|b| f64::from(b.top));
        let lefts = of_each(&|b| f64::from(b.left));
        let min = areas.iter().copied().fold(f64::INFINITY, f64::min);
        let max = areas.iter().copied().fold(0.0, f64::max);
        // 5 % of the figure; means of shapes and offsets may be near 0, where sampling alone moves them by more: there
        // 5 % of what they range over.
        for (name, ours, spread) in [
            ("area_fraction_mean", moments(&areas).0, 0.0),
            ("area_fraction_std", moments(&areas).1, 0.0),
            ("area_min", min, 0.0),
            ("area_max", max, 0.0),
            ("log_aspect_mean", moments(&aspects).0, moments(&aspects).1),
            ("log_aspect_std", moments(&aspects).1, 0.0),
            ("top_mean", moments(&tops).0, moments(&tops).1),
            ("left_mean", moments(&lefts).0, moments(&lefts).1),
        ] {
            let expected = case[name].as_f64().unwrap();
            let tolerance = 0.05 * expected.abs().max(spread) + 1e-9;
            assert!((ours - expected).abs() <= tolerance, "{width}x{height}: {name} {ours}, expected {expected}");
        }
    }
}
