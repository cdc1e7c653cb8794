//! The small CLIP of `model_tiny/`: every intermediate of both towers, with both activations.

use crate::fixtures;
use candle_core::{DType, Tensor};
use shared_model::config::{Activation, ClipConfig};
use shared_model::weights::{Placement, Weights};
use shared_model::{Clip, weighted_patch_sum};
use std::collections::HashMap;
use wasm_bindgen_test::wasm_bindgen_test;

/// Normalized outputs and the weighted sum; raw ones and intermediates.
const UNIT: f32 = 2e-5;
const RAW: f32 = 1e-4;

struct TinyFixture {
    config: serde_json::Value,
    io: HashMap<String, Tensor>,
}

impl TinyFixture {
    fn read() -> Self {
        Self {
            config: fixtures::json("model_tiny/info.json")["config"].clone(),
            io: fixtures::tensors("model_tiny/io.safetensors"),
        }
    }

    fn get(&self, name: &str) -> &Tensor {
        self.io.get(name).unwrap_or_else(|| panic!("model_tiny/io has no {name}"))
    }

    fn config(&self, activation: Activation) -> ClipConfig {
        let c = &self.config;
        let json = serde_json::json!({
            "embed_dim": c["embed_dim"],
            "quick_gelu": activation == Activation::QuickGelu,
            "vision_cfg": {"image_size": c["image_size"], "patch_size": c["patch"], "width": c["v_width"],
                "layers": c["v_layers"], "head_width": c["v_head_width"], "mlp_ratio": c["mlp_ratio"]},
            "text_cfg": {"context_length": c["ctx"], "vocab_size": c["vocab"], "width": c["t_width"],
                "heads": c["t_heads"], "layers": c["t_layers"], "mlp_ratio": c["mlp_ratio"]},
        });
        ClipConfig::from_open_clip_json(json.to_string().as_bytes()).unwrap()
    }

    fn model(&self, activation: Activation) -> Clip {
        let weights = Weights::from_safetensors(fixtures::read("model_tiny/weights.safetensors").into()).unwrap();
        Clip::load(weights, &self.config(activation), &Placement::default()).unwrap()
    }

    /// Token rows of `texts[..]` `[.., L]`, sample-major.
    fn rows(texts: &Tensor) -> Vec<Vec<u32>> {
        let length = texts.dims()[texts.rank() - 1];
        texts.to_dtype(DType::U32).unwrap().reshape(((), length)).unwrap().to_vec2().unwrap()
    }
}

fn for_both_activations(check: impl Fn(&TinyFixture, &str, &Clip)) {
    let fixture = TinyFixture::read();
    for (prefix, activation) in [("quickgelu", Activation::QuickGelu), ("gelu", Activation::Gelu)] {
        check(&fixture, prefix, &fixture.model(activation));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn vision_tower() {
    for_both_activations(|fixture, prefix, model| {
        let mut seen = HashMap::new();
        let observe = &mut |stage: &str, x: &Tensor| drop(seen.insert(stage.to_string(), x.clone()));
        let out = model.vision.encode_observed(fixture.get("images"), observe).unwrap();
        seen.remove("pooled"); // which the fixture has projected
        for (stage, ours) in &seen {
            let expected = fixture.get(&format!("{prefix}.mid.vision.{stage}"));
            // The reference's convolution gives [B, D, grid, grid]; ours [B, P, D].
            let expected = if stage == "conv1" {
                expected.flatten_from(2).unwrap().transpose(1, 2).unwrap().contiguous().unwrap()
            } else {
                expected.clone()
            };
            fixtures::assert_close(&format!("{prefix} {stage}"), ours, &expected, RAW);
        }
        let n_stages = fixture.io.keys().filter(|key| key.starts_with(&format!("{prefix}.mid.vision."))).count();
        assert_eq!(seen.len(), n_stages, "every recorded stage was compared");
        let expect = |name: &str, ours: &Tensor, tolerance| {
            fixtures::assert_close(name, ours, fixture.get(&format!("{prefix}.{name}")), tolerance);
        };
        expect("pooled_raw", &out.raw_image_features, RAW);
        expect("patch_raw", &out.raw_patch_embeddings, RAW);
        expect("image_features", &out.image_features().unwrap(), UNIT);
        expect("patch_embeddings", &out.patch_embeddings().unwrap(), UNIT);
        expect("image_features", &model.vision.image_features(fixture.get("images")).unwrap(), UNIT);
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn text_tower() {
    for_both_activations(|fixture, prefix, model| {
        let texts = fixture.get("texts");
        let rows = TinyFixture::rows(texts);
        let expect = |name: &str, ours: &Tensor, tolerance| {
            fixtures::assert_close(name, ours, fixture.get(&format!("{prefix}.{name}")), tolerance);
        };
        expect("text_raw", &model.text.raw_text_features(&rows).unwrap(), RAW);
        expect("text_features", &model.encode_text(&rows).unwrap(), UNIT);

        let mut seen = HashMap::new();
        let observe = &mut |stage: &str, x: &Tensor| drop(seen.insert(stage.to_string(), x.clone()));
        let n_observed = fixture.get(&format!("{prefix}.mid.text.ln_final")).dim(0).unwrap();
        model.text.encode_observed(&rows[..n_observed], observe).unwrap();
        seen.remove("pooled");
        for (stage, ours) in &seen {
            expect(&format!("mid.text.{stage}"), ours, RAW);
        }
        let n_stages = fixture.io.keys().filter(|key| key.starts_with(&format!("{prefix}.mid.text."))).count();
        assert_eq!(seen.len(), n_stages, "every recorded stage was compared");
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn logit_scale_and_weighted_patch_sum() {
    for_both_activations(|fixture, prefix, model| {
        let scale: f32 = fixture.get(&format!("{prefix}.logit_scale")).to_scalar().unwrap();
        assert!((model.logit_scale() - scale).abs() < 1e-4, "{} and {scale}", model.logit_scale());

        let patches = model.encode_image(fixture.get("images")).unwrap().patch_embeddings().unwrap();
        let n_images = patches.dim(0).unwrap();
        let texts = fixture.get("texts");
        let first_captions = texts.narrow(1, 0, 1).unwrap();
        for sigma in [0.0, 0.3] {
            // The released forward pass pairs image i with row i of the flat, sample-major texts.
            for (infix, texts) in [("", texts), (".n1", &first_captions)] {
                let rows = TinyFixture::rows(&texts.contiguous().unwrap());
                let text_features = model.encode_text(&rows[..n_images]).unwrap();
                let own_texts = text_features.unsqueeze(1).unwrap();
                let ours = weighted_patch_sum(&patches, &own_texts, sigma).unwrap().squeeze(1).unwrap();
                let name = format!("{prefix}.sigma{sigma:?}{infix}.weighted_patch_embeddings_sum");
                fixtures::assert_close(&name, &ours, fixture.get(&name), UNIT);
            }
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn a_row_of_a_batch_equals_the_row_alone() {
    for_both_activations(|fixture, _, model| {
        let images = fixture.get("images");
        let together = model.vision.image_features(images).unwrap();
        let rows = TinyFixture::rows(fixture.get("texts"));
        let texts_together = model.encode_text(&rows).unwrap();
        for i in 0..images.dim(0).unwrap() {
            let alone = model.vision.image_features(&images.narrow(0, i, 1).unwrap()).unwrap();
            fixtures::assert_close("image alone", &alone, &together.narrow(0, i, 1).unwrap(), 1e-6);
            let alone = model.encode_text(&rows[i..=i]).unwrap();
            fixtures::assert_close("text alone", &alone, &texts_together.narrow(0, i, 1).unwrap(), 1e-6);
        }
    });
}
