//! The ViT-B/16 of `vit_b16/`, whose weights and images follow from a formula: 149.6 M parameters without a download.

use crate::fixtures;
use crate::support::checkpoint;
use candle_core::{D, Device, Tensor};
use serde_json::Value;
use shared_model::config::{ClipConfig, Parameter, PreprocessConfig};
use shared_model::weights::Placement;
use shared_model::{Clip, Observer, weighted_patch_sum};
use std::collections::HashMap;
use wasm_bindgen_test::wasm_bindgen_test;

const UNIT: f32 = 2e-5;
const RAW: f32 = 2e-4;
const LOGITS: f32 = 2e-3;
const SOFTMAX: f32 = 5e-4;
const WEIGHTED_SUM: f32 = 1e-4;

fn fnv1a64(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn splitmix64(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// In [-1, 1), exact in f32.
fn unit(seed: u64) -> f32 {
    (splitmix64(seed) >> 40) as f32 * 2f32.powi(-23) - 1.0
}

struct Formula {
    json: Value,
    expected: HashMap<String, Tensor>,
}

impl Formula {
    fn read() -> Self {
        Self {
            json: fixtures::json("vit_b16/vit_b16.json"),
            expected: fixtures::tensors("vit_b16/expected.safetensors"),
        }
    }

    fn tag(&self) -> &str {
        self.json["tag"].as_str().unwrap()
    }

    fn config(&self) -> ClipConfig {
        let is_quick = self.json["quick_gelu"].as_bool().unwrap();
        ClipConfig::named(if is_quick { "ViT-B-16-quickgelu" } else { "ViT-B-16" }).unwrap()
    }

    /// The kind and scale of a parameter, by the fixture's own table of all 302.
    fn kind(&self, name: &str) -> (&str, f32) {
        let entry = &self.json["parameters"][name];
        let kind = entry["kind"].as_str().unwrap_or_else(|| panic!("the fixture has no parameter {name}"));
        (kind, entry["scale"].as_f64().unwrap() as f32)
    }

    fn value(&self, name: &str, seed: u64, index: u64) -> f32 {
        match self.kind(name) {
            ("scaled", scale) => scale * unit(seed.wrapping_add(index)),
            ("one_plus", scale) => 1.0 + scale * unit(seed.wrapping_add(index)),
            ("const", scale) => scale,
            (other, _) => panic!("unknown kind {other}"),
        }
    }

    fn parameter(&self, Parameter { name, shape }: &Parameter) -> (String, Tensor) {
        let seed = fnv1a64(&format!("{}:{name}", self.tag()));
        let entry = &self.json["parameters"][name];
        for (index, value) in entry["index"].as_array().unwrap().iter().zip(entry["value"].as_array().unwrap()) {
            let ours = self.value(name, seed, index.as_u64().unwrap());
            assert_eq!(ours, value.as_f64().unwrap() as f32, "{name}[{index}]");
        }
        let n_values = shape.iter().product::<usize>() as u64;
        let (kind, scale) = self.kind(name);
        let values: Vec<f32> = match kind {
            "scaled" => (0..n_values).map(|index| scale * unit(seed.wrapping_add(index))).collect(),
            _ => (0..n_values).map(|index| self.value(name, seed, index)).collect(),
        };
        (name.clone(), Tensor::from_vec(values, shape.as_slice(), &Device::Cpu).unwrap())
    }

    fn model(&self) -> Clip {
        let config = self.config();
        let parameters = [config.vision_parameters(), config.text_parameters()].concat();
        let weights = checkpoint(parameters.iter().map(|parameter| self.parameter(parameter)));
        Clip::load(weights, &config, &Placement::default()).unwrap()
    }

    /// Returns pictures of u8 in HWC, normalized to `[B, 3, 224, 224]`.
    fn pixel_values(&self) -> Tensor {
        let n_images = self.json["image_parameters"].as_array().unwrap().len();
        let config = PreprocessConfig::openai(224);
        let images: Vec<Tensor> = (0..n_images)
            .map(|index| {
                let pixels = self.image(index);
                let parameters = &self.json["image_parameters"][index];
                assert_eq!(
                    pixels.iter().map(|&v| u64::from(v)).sum::<u64>(),
                    parameters["u8_sum"].as_u64().unwrap()
                );
                let rows = &self.expected["image_u8_checksum_rows"];
                let [_, n_columns, _] = rows.dims() else { panic!() };
                let expected: Vec<u8> = rows.get(index).unwrap().flatten_all().unwrap().to_vec1().unwrap();
                assert_eq!(pixels[(100 * 224 + 50) * 3..][..n_columns * 3], expected);
                let hwc = Tensor::from_vec(pixels, (224, 224, 3), &Device::Cpu).unwrap();
                let unit = (hwc.to_dtype(candle_core::DType::F32).unwrap() / 255.0).unwrap();
                let mean = Tensor::new(&config.mean, &Device::Cpu).unwrap();
                let std = Tensor::new(&config.std, &Device::Cpu).unwrap();
                let normalized = unit.broadcast_sub(&mean).unwrap().broadcast_div(&std).unwrap();
                normalized.permute((2, 0, 1)).unwrap().contiguous().unwrap()
            })
            .collect();
        Tensor::stack(&images, 0).unwrap()
    }

    fn image(&self, index: usize) -> Vec<u8> {
        let h = fnv1a64(&format!("{}:image{index}", self.tag()));
        let parameter = |shift: u32, modulus: u64| (h >> shift) % modulus;
        let (p1, p2) = (20 + parameter(0, 90) as i64, 20 + parameter(8, 90) as i64);
        let (cx, cy) = (60 + parameter(16, 100) as i64, 60 + parameter(24, 100) as i64);
        let r = 25 + parameter(32, 45) as i64;
        let triangle = |t: i64, p: i64| {
            let m = t % (2 * p);
            let m = if m >= p { 2 * p - 1 - m } else { m };
            m * 255 / (p - 1)
        };
        let mut pixels = Vec::with_capacity(224 * 224 * 3);
        for y in 0..224i64 {
            for x in 0..224i64 {
                for c in 0..3i64 {
                    let mut v = (triangle(x + 17 * c, p1) + triangle(y + 29 * c, p2)) / 4 + 90 - 25 * c;
                    if (x - cx).pow(2) + (y - cy).pow(2) <= r * r {
                        v -= 70 + 10 * c;
                    }
                    v += (splitmix64(h.wrapping_add(((y * 224 + x) * 3 + c) as u64)) >> 60) as i64 - 8;
                    pixels.push(v.clamp(0, 255) as u8);
                }
            }
        }
        pixels
    }

    fn input_ids(&self) -> Vec<Vec<u32>> {
        self.expected["input_ids"].to_dtype(candle_core::DType::U32).unwrap().to_vec2().unwrap()
    }

    fn assert_close(&self, name: &str, ours: &Tensor, tolerance: f32) {
        fixtures::assert_close(name, ours, &self.expected[name], tolerance);
    }

    /// Rows and columns of a patch tensor that the fixture keeps.
    fn sampled(&self, patches: &Tensor) -> Tensor {
        let list = |key: &str| -> Vec<u32> {
            self.json[key].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
        };
        let rows = Tensor::new(list("patch_rows"), &Device::Cpu).unwrap();
        let columns = list("patch_columns");
        let kept = patches.index_select(&rows, 1).unwrap();
        kept.narrow(2, columns[0] as usize, (columns[1] - columns[0]) as usize).unwrap().contiguous().unwrap()
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn hash_functions() {
    let formula = Formula::read();
    let check = &formula.json["check_values"];
    let hex = |key: &str| u64::from_str_radix(check[key].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    assert_eq!(fnv1a64(&format!("{}:logit_scale", formula.tag())), hex("fnv1a64_of_tag_colon_logit_scale"));
    assert_eq!(splitmix64(0), hex("splitmix64_of_0"));
    assert_eq!(splitmix64(1), hex("splitmix64_of_1"));
}

#[wasm_bindgen_test(unsupported = test)]
fn every_output_of_the_full_size_model() {
    let formula = Formula::read();
    let model = formula.model();
    let silent: Observer<'_> = &mut |_, _| {};
    let images = model.vision.encode_observed(&formula.pixel_values(), silent).unwrap();
    let image_features = images.image_features().unwrap();
    let patches = images.patch_embeddings().unwrap();
    formula.assert_close("pooled_raw", &images.raw_image_features, RAW);
    formula.assert_close("image_features", &image_features, UNIT);
    formula.assert_close("patch_raw_rows", &formula.sampled(&images.raw_patch_embeddings), RAW);
    formula.assert_close("patch_embeddings_rows", &formula.sampled(&patches), UNIT);
    let norms = images.raw_patch_embeddings.sqr().unwrap().sum(D::Minus1).unwrap().sqrt().unwrap();
    formula.assert_close("patch_norms_raw", &norms, RAW);

    let ids = formula.input_ids();
    let text_features = model.encode_text(&ids).unwrap();
    formula.assert_close("text_raw", &model.text.raw_text_features(&ids).unwrap(), RAW);
    formula.assert_close("text_features", &text_features, UNIT);

    let cosines = image_features.matmul(&text_features.t().unwrap()).unwrap();
    let logits = (&cosines * f64::from(model.logit_scale())).unwrap();
    let zero_shot_logits = (&cosines * 100.0).unwrap();
    formula.assert_close("logits", &logits, LOGITS);
    formula.assert_close("softmax", &candle_nn::ops::softmax_last_dim(&logits).unwrap(), SOFTMAX);
    formula.assert_close("zeroshot_logits", &zero_shot_logits, LOGITS);
    formula.assert_close(
        "zeroshot_softmax",
        &candle_nn::ops::softmax_last_dim(&zero_shot_logits).unwrap(),
        SOFTMAX,
    );

    let n_images = image_features.dim(0).unwrap();
    let own_texts = text_features.narrow(0, 0, n_images).unwrap().unsqueeze(1).unwrap();
    let sigma = formula.json["sigma"].as_f64().unwrap();
    let local = weighted_patch_sum(&patches, &own_texts, sigma).unwrap().squeeze(1).unwrap();
    formula.assert_close("weighted_patch_embeddings_sum_n1", &local, WEIGHTED_SUM);
}
