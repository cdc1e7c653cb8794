//! Preprocessing of every family of models, against what its own library made of the same files.

use crate::fixtures;
use candle_core::{Device, Tensor};
use serde_json::{Value, json};
use shared_model::config::{ClipConfig, PreprocessConfig, RgbConversion};
use shared_model::preprocess::{Reading, RgbImage8, decode, pixel_values, preprocess, resize_and_crop};

const FOLDER: &str = "towers/preprocess";

/// Of values that were computed from the same bytes.
const TOLERANCE: f32 = 1e-6;

/// One library's way to prepare images.
struct Family {
    name: String,
    expected: Value,
}

impl Family {
    /// The config that the fixture states, for a square of `side` pixels.
    fn config(&self, side: usize) -> PreprocessConfig {
        let mut config = self.expected["config"].clone();
        if config.get("image_mean").is_none() {
            return open_clip_config(config, side);
        }
        let square = json!({"height": side, "width": side});
        if config["size"].get("shortest_edge").is_some() {
            config["size"]["shortest_edge"] = side.into();
            config["crop_size"] = square;
        } else {
            config["size"] = square;
        }
        let unnamed = match self.name.contains("siglip") {
            true => PreprocessConfig::transformers_siglip(side),
            false => PreprocessConfig::transformers_clip(side),
        };
        let config = PreprocessConfig::from_preprocessor_json(config.to_string().as_bytes(), &unnamed).unwrap();
        match self.name.contains("plain_rgb") {
            true => PreprocessConfig { rgb_conversion: RgbConversion::DropAlpha, ..config },
            false => config,
        }
    }

    /// Whether the pictures were resampled by torchvision's own code, and not by Pillow.
    fn is_other_backend(&self) -> bool {
        self.name.contains("torchvision")
    }
}

fn families() -> Vec<Family> {
    let table = fixtures::json(&format!("{FOLDER}/preprocess.json"));
    let families = table["families"].as_object().expect("a table of families");
    families.iter().map(|(name, expected)| Family { name: name.clone(), expected: expected.clone() }).collect()
}

fn open_clip_config(preprocess_cfg: Value, side: usize) -> PreprocessConfig {
    let mut config = ClipConfig::named("ViT-B-32").unwrap().to_open_clip_json();
    config["model_cfg"]["vision_cfg"]["image_size"] = side.into();
    config["model_cfg"]["vision_cfg"]["patch_size"] = 1.into();
    config["preprocess_cfg"] = preprocess_cfg;
    ClipConfig::from_open_clip_json(config.to_string().as_bytes()).unwrap().preprocess
}

fn image(file: &str) -> Vec<u8> {
    fixtures::read(&format!("{FOLDER}/images/{file}"))
}

fn square(file: &str, config: &PreprocessConfig) -> RgbImage8 {
    resize_and_crop(&decode(&image(file), Reading::Reference).unwrap(), config).unwrap()
}

/// Calls `check` with every family, file, side and expectation.
fn for_each_case(check: impl Fn(&Family, &str, usize, &Value)) {
    for family in families() {
        for (key, expected) in family.expected["images"].as_object().unwrap() {
            let (file, side) = key.split_once('@').expect("a file and a side");
            check(&family, file, side.parse().unwrap(), expected);
        }
    }
}

fn assert_levels(name: &str, ours: &[u8], expected: &[u8], is_other_backend: bool) {
    assert_eq!(ours.len(), expected.len(), "{name}");
    let max = ours.iter().zip(expected).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
    // Other code rounds in another order: where Pillow begins with the columns, a fifth of the bytes is one level off.
    assert!(max <= u8::from(is_other_backend), "{name}: {max} levels");
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn squares_are_those_of_each_library() {
    let pixels = fixtures::tensors(&format!("{FOLDER}/pixels.safetensors"));
    for_each_case(|family, file, side, expected| {
        let name = format!("{}/{file}@{side}", family.name);
        let ours = square(file, &family.config(side));
        let bytes = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<u8>().unwrap();
        if let Some(whole) = pixels.get(&format!("{name}.u8")) {
            assert_levels(&name, ours.as_bytes(), &bytes(whole), family.is_other_backend());
        }
        if !family.is_other_backend() {
            let sum: u64 = ours.as_bytes().iter().map(|&level| u64::from(level)).sum();
            assert_eq!(sum, expected["u8_sum"].as_u64().unwrap(), "{name}");
        }
    });
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn values_are_those_of_each_library() {
    let pixels = fixtures::tensors(&format!("{FOLDER}/pixels.safetensors"));
    for (key, expected) in pixels.iter().filter_map(|(key, value)| Some((key.strip_suffix(".final")?, value))) {
        let (family, case) = key.split_once('/').unwrap();
        let family = families().into_iter().find(|known| known.name == family).unwrap();
        let (file, side) = case.split_once('@').unwrap();
        let config = family.config(side.parse().unwrap());
        let whole = pixels[&format!("{key}.u8")].flatten_all().unwrap().to_vec1::<u8>().unwrap();
        let side = config.image_size;
        let theirs = RgbImage8::new(side as u32, side as u32, whole).unwrap();
        let from_theirs = Tensor::from_vec(pixel_values(&theirs, &config), (3, side, side), &Device::Cpu).unwrap();
        fixtures::assert_close(key, &from_theirs, expected, TOLERANCE);
        let ours = preprocess(&image(file), &config, Reading::Reference).unwrap();
        let level = 1.0 / 255.0 / config.std.iter().copied().fold(f32::INFINITY, f32::min);
        let levels = if family.is_other_backend() { level } else { 0.0 };
        fixtures::assert_close(key, &ours, expected, TOLERANCE + levels);
    }
}

/// The pictures that each model's towers were given, by the config beside its weights.
#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn models_are_given_the_pictures_of_their_configs() {
    let mut n_pictures = 0;
    for folder in fixtures::model_folders() {
        let case = fixtures::json(&format!("{folder}/case.json"));
        let is_transformers = fixtures::names(&folder).iter().any(|name| name == "preprocessor_config.json");
        let config = model_config(&folder, is_transformers);
        let expected = &fixtures::tensors(&format!("{folder}/io.safetensors"))["images"];
        for (row, file) in case["images"].as_array().unwrap().iter().enumerate() {
            let Some(file) = file.as_str().filter(|file| file.contains('.')) else { continue };
            let ours = preprocess(&image(file), &config, Reading::Reference).unwrap();
            fixtures::assert_close(&format!("{folder}: {file}"), &ours, &expected.get(row).unwrap(), TOLERANCE);
            n_pictures += 1;
        }
    }
    assert!(n_pictures > 20, "{n_pictures} pictures");
}

fn model_config(folder: &str, is_transformers: bool) -> PreprocessConfig {
    if is_transformers {
        let json = fixtures::read(&format!("{folder}/preprocessor_config.json"));
        return PreprocessConfig::from_preprocessor_json(&json, &PreprocessConfig::transformers_clip(224)).unwrap();
    }
    let config = fixtures::json(&format!("{folder}/open_clip_config.json"));
    let side = config.pointer("/model_cfg/vision_cfg/image_size").and_then(Value::as_u64).unwrap();
    open_clip_config(config["preprocess_cfg"].clone(), side as usize)
}
