//! The model families of `towers/`: every case through the reference's own files, at the tolerances of its README.

mod published;

use crate::fixtures;
use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use shared_model::config::{ClipConfig, ConfigFiles, NamedFiles, Visibility};
use shared_model::quantize::{WeightFormat, quantize};
use shared_model::weights::{FileTensors, KeyMap, Placement, StoredTensor, Weights};
use shared_model::{Clip, TextTower, VisionTower};
use std::collections::{BTreeMap, HashMap};
use wasm_bindgen_test::wasm_bindgen_test;

const UNIT: f32 = 5e-6;
const RAW: f32 = 3e-5;
const LOGITS: f32 = 1e-4;
const PROBABILITIES: f32 = 5e-6;

/// One model of one family: its folder, what is known of it, and what the reference computed.
struct Case {
    folder: String,
    json: Value,
    io: HashMap<String, Tensor>,
}

impl Case {
    fn all() -> Vec<Self> {
        let paths = fixtures::files_below("towers");
        let folders = paths.iter().filter_map(|path| path.strip_suffix("/case.json"));
        let is_model =
            |folder: &&str| paths.iter().any(|path| path.rsplit_once('/').unwrap().0 == *folder && is_config(path));
        let read = |folder: &str| Self {
            folder: folder.into(),
            json: fixtures::json(&format!("{folder}/case.json")),
            io: fixtures::tensors(&format!("{folder}/io.safetensors")),
        };
        folders.filter(is_model).map(read).collect()
    }

    fn get(&self, name: &str) -> &Tensor {
        self.io.get(name).unwrap_or_else(|| panic!("{}/io has no {name}", self.folder))
    }

    fn input_ids(&self) -> Vec<Vec<u32>> {
        self.get("input_ids").to_dtype(DType::U32).unwrap().to_vec2().unwrap()
    }

    /// Folders of the same model: its own, and others with its weights in another form.
    fn folders(&self) -> Vec<String> {
        let others = self.json["same_weights"].as_array().into_iter().flatten();
        let parent = self.folder.rsplit_once('/').unwrap().0;
        let others = others.map(|other| format!("{parent}/{}", other.as_str().unwrap().trim_start_matches("../")));
        std::iter::once(self.folder.clone()).chain(others).collect()
    }

    /// The heads that the reference was given: the widths of these small models are no multiples of 64.
    fn heads(&self, tower: &str) -> usize {
        let sizes = &self.json["structure"][tower];
        sizes["heads"].as_u64().or(sizes["num_attention_heads"].as_u64()).unwrap() as usize
    }

    fn config(&self, folder: &str, weights: &Weights) -> ClipConfig {
        let mut config = read_config(folder, weights).unwrap();
        config.vision.heads = self.heads("vision");
        config.text.heads = self.heads("text");
        config
    }

    fn model(&self, folder: &str) -> Clip {
        let weights = read_weights(folder);
        let config = self.config(folder, &weights);
        Clip::load(weights, &config, &Placement::default()).unwrap_or_else(|err| panic!("{folder}: {err}"))
    }

    fn assert_close(&self, name: &str, ours: &Tensor, tolerance: f32) {
        fixtures::assert_close(&format!("{} {name}", self.folder), ours, self.get(name), tolerance);
    }
}

fn is_config(path: &str) -> bool {
    ["open_clip_config.json", "config.json"].contains(&path.rsplit('/').next().unwrap())
}

fn files_of(folder: &str) -> Vec<String> {
    let below = fixtures::files_below(folder);
    below.into_iter().filter(|path| path.rsplit_once('/').unwrap().0 == folder).collect()
}

/// Reads the tensors of a model's folder.
pub fn read_weights(folder: &str) -> Weights {
    let is_weights = |path: &String| path.ends_with(".bin") || path.ends_with(".safetensors");
    let files = files_of(folder).into_iter().filter(|path| is_weights(path) && !path.ends_with("/io.safetensors"));
    Weights::from_files(files.map(|path| FileTensors::read(fixtures::read(&path).into()).unwrap()))
}

/// Reads the config of a model's folder; sizes that it does not say come from the tensors.
pub fn read_config(folder: &str, weights: &Weights) -> shared_model::Result<ClipConfig> {
    let config = files_of(folder).into_iter().find(|path| is_config(path)).unwrap();
    let config = fixtures::read(&config);
    let text = NamedFiles::of(&config).unwrap().text_model;
    let text = text.map(|name| fixtures::read(&format!("{folder}/{name}/config.json")));
    let files = ConfigFiles { config: &config, text: text.as_deref(), preprocessor: None };
    ClipConfig::from_files(&files, weights.shapes())
}

#[wasm_bindgen_test(unsupported = test)]
fn features_logits_and_probabilities_are_the_references() {
    let cases = Case::all();
    assert!(cases.len() >= 10, "{} cases", cases.len());
    for case in &cases {
        for folder in case.folders() {
            let model = case.model(&folder);
            let image_features = model.vision.image_features(case.get("images")).unwrap();
            case.assert_close("image_features", &image_features, UNIT);
            let raw = model.encode_image(case.get("images")).unwrap().raw_image_features;
            case.assert_close("image_features_raw", &raw, RAW);
            if case.io.contains_key("linear_probe_features") {
                let pooled = model.vision.pooled_features(case.get("images")).unwrap();
                case.assert_close("linear_probe_features", &pooled, RAW);
            }
            let ids = case.input_ids();
            case.assert_close("text_features_raw", &model.text.raw_text_features(&ids).unwrap(), RAW);
            let text_features = model.encode_text(&ids).unwrap();
            case.assert_close("text_features", &text_features, UNIT);
            let (logits, probabilities) = model.probabilities(&image_features, &text_features).unwrap();
            case.assert_close("logits_per_image", &logits, LOGITS);
            case.assert_close("probabilities", &probabilities, PROBABILITIES);
            let scale = case.json["logit_scale"].as_f64().unwrap() as f32;
            assert!((model.logit_scale() - scale).abs() < 1e-4, "{folder}: {}", model.logit_scale());
            assert_eq!(model.logit_bias().is_some(), case.json["logit_bias"].is_number(), "{folder}");
        }
    }
}

/// The name that our observer gives to an activation of the reference.
fn stage_of(name: &str) -> String {
    match name {
        "patch_embed" => "conv1".into(),
        "pre_layrnorm" => "ln_pre".into(),
        "norm" | "post_layernorm" => "ln_post".into(),
        "final_layer_norm" => "ln_final".into(),
        "norm.call2" | "attn_pool" | "trunk" => "pooled".into(),
        _ => name.replace("layer", "block"),
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn activations_inside_the_towers_are_the_references() {
    for case in Case::all() {
        let model = case.model(&case.folder);
        let mut seen = HashMap::new();
        let observe = &mut |stage: &str, x: &Tensor| drop(seen.insert(format!("vision.{stage}"), x.clone()));
        model.vision.encode_observed(case.get("images"), observe).unwrap();
        let observe = &mut |stage: &str, x: &Tensor| drop(seen.insert(format!("text.{stage}"), x.clone()));
        let ids = case.input_ids();
        model.text.encode_observed(&ids, observe).unwrap();

        for (name, expected) in &case.io {
            let Some((tower, stage)) = name.strip_prefix("mid.").and_then(|name| name.split_once('.')) else {
                continue;
            };
            if stage == "trunk" && case.json["state_dict"].get("visual.trunk.head.weight").is_some() {
                continue; // the projection is within, so it is image_features_raw
            }
            let stage = match (tower, stage) {
                ("text", "embeddings") => "ln_pre".into(),
                _ => stage_of(stage),
            };
            let ours = seen.get(&format!("{tower}.{stage}")).unwrap_or_else(|| panic!("{}: {name}", case.folder));
            let what = format!("{} {name}", case.folder);
            if tower == "vision" || expected.rank() < 3 {
                fixtures::assert_close(&what, ours, expected, RAW);
                continue;
            }
            // Tokens on which no feature depends differ: the reference masks what is behind the end, or computes padding.
            let padding = match model.config.text.visibility {
                Visibility::AllBut { padding } => Some(padding),
                _ => None,
            };
            let counts = |ids: &[u32], at: usize| at < model.text.n_computed(ids) && Some(ids[at]) != padding;
            let positions = ids.iter().flat_map(|ids| (0..ids.len()).map(move |at| (ids, at)));
            let rows = positions.zip(0u32..).filter(|((ids, at), _)| counts(ids, *at)).map(|(_, row)| row);
            let rows = Tensor::new(rows.collect::<Vec<_>>(), &Device::Cpu).unwrap();
            let expected = expected.flatten_to(1).unwrap().index_select(&rows, 0).unwrap();
            let ours = ours.flatten_to(1).unwrap();
            let ours = if padding.is_some() { ours } else { ours.index_select(&rows, 0).unwrap() };
            fixtures::assert_close(&what, &ours, &expected, RAW);
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_row_of_a_batch_equals_the_row_alone() {
    for case in Case::all() {
        let model = case.model(&case.folder);
        let ids = case.input_ids();
        let together = model.encode_text(&ids).unwrap();
        for (row, ids) in ids.iter().enumerate() {
            let alone = model.encode_text(std::slice::from_ref(ids)).unwrap();
            fixtures::assert_close(&case.folder, &alone, &together.narrow(0, row, 1).unwrap(), 1e-6);
        }
    }
}

/// The smallest cosine between rows of unit features.
fn smallest_cosine(ours: &Tensor, expected: &Tensor) -> f32 {
    let cosines = (ours * expected).unwrap().sum(1).unwrap().to_vec1::<f32>().unwrap();
    cosines.into_iter().fold(1.0, f32::min)
}

#[wasm_bindgen_test(unsupported = test)]
fn quantized_towers_are_near_the_dense_ones_and_their_config_is_kept() {
    for case in Case::all() {
        let weights = read_weights(&case.folder);
        let config = case.config(&case.folder, &weights);
        assert_eq!(ClipConfig::from_json(config.to_json().to_string().as_bytes()).unwrap(), config);
        let weights = KeyMap::of(&weights).apply(weights, &config).unwrap();
        for format in WeightFormat::ALL {
            let tower = |parameters: &[_]| {
                let tower = quantize(&weights, parameters, format).unwrap();
                Weights::from_safetensors(tower.to_safetensors(HashMap::new()).unwrap().into()).unwrap()
            };
            let placement = Placement::default();
            let vision = VisionTower::load(&tower(&config.vision_parameters()), &config, &placement).unwrap();
            let text = TextTower::load(&tower(&config.text_parameters()), &config, &placement).unwrap();
            let image_features = vision.image_features(case.get("images")).unwrap();
            let text_features = text.text_features(&case.input_ids()).unwrap();
            let cosines = [
                smallest_cosine(&image_features, case.get("image_features")),
                smallest_cosine(&text_features, case.get("text_features")),
            ];
            let least = if matches!(format, WeightFormat::Q8_0 | WeightFormat::Int8) { 0.99 } else { 0.8 };
            assert!(cosines.iter().all(|&cosine| cosine > least), "{} {format:?}: {cosines:?}", case.folder);
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn one_tensor_more_or_less_is_an_error_that_names_it() {
    for case in Case::all() {
        let config = read_config(&case.folder, &read_weights(&case.folder)).unwrap();
        let complaint = |change: &dyn Fn(&mut BTreeMap<String, StoredTensor>)| {
            let weights = read_weights(&case.folder);
            let parameters = KeyMap::of(&weights).file_parameters(&config);
            let stored = parameters.iter().map(|p| (p.name.clone(), weights.stored(&p.name).unwrap().clone()));
            let mut stored = stored.collect();
            change(&mut stored);
            match Clip::load(Weights::from_stored(stored), &config, &Placement::default()) {
                Ok(_) => panic!("{}: the change went unnoticed", case.folder),
                Err(error) => error.to_string(),
            }
        };
        let names: Vec<String> = KeyMap::of(&read_weights(&case.folder))
            .file_parameters(&config)
            .into_iter()
            .map(|parameter| parameter.name)
            .filter(|name| name.ends_with(".bias"))
            .collect();
        let (first, last) = (names.first().unwrap(), names.last().unwrap());
        let missing = complaint(&|stored| drop(stored.remove(first)));
        assert!(missing.contains(first.as_str()), "{}: {missing}", case.folder);
        let renamed = complaint(&|stored| {
            let tensor = stored.remove(last).unwrap();
            stored.insert("stranger".into(), tensor);
        });
        assert!(renamed.contains("stranger") && renamed.contains(last.as_str()), "{renamed}");
        let misshapen = complaint(&|stored| stored.get_mut(first).unwrap().shape.push(1));
        assert!(misshapen.contains(&format!("misshapen: {first}")), "{misshapen}");
    }
}
