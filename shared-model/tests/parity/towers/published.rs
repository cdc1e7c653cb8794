//! The published models, of which only the tensors' names and shapes are here.

use crate::fixtures;
use serde_json::{Value, json};
use shared_model::config::{ClipConfig, ConfigFiles};
use shared_model::weights::{KeyMap, StoredTensor, Weights};
use std::collections::BTreeMap;
use wasm_bindgen_test::wasm_bindgen_test;

/// A config with the sizes of the tensors, for a list of names that has none beside it.
fn config_json(shapes: &BTreeMap<String, Vec<usize>>) -> Value {
    let side = |name: &str, axis: usize| shapes[name][axis];
    let layers = |prefix: &str| {
        let numbers =
            shapes.keys().filter_map(|name| name.strip_prefix(prefix)?.split('.').next()?.parse::<usize>().ok());
        numbers.max().unwrap() + 1
    };
    let is_siglip = shapes.contains_key("logit_bias");
    if shapes.contains_key("vision_model.embeddings.patch_embedding.weight") {
        let tower = |tower: &str| {
            let width = side(&format!("{tower}.encoder.layers.0.mlp.fc1.weight"), 1);
            json!({
                "hidden_size": width,
                "num_attention_heads": if width == 1152 { 16 } else { width / 64 },
                "intermediate_size": side(&format!("{tower}.encoder.layers.0.mlp.fc1.weight"), 0),
                "num_hidden_layers": layers(&format!("{tower}.encoder.layers.")),
            })
        };
        let (mut vision, mut text) = (tower("vision_model"), tower("text_model"));
        let patch_size = side("vision_model.embeddings.patch_embedding.weight", 3);
        let n_patches = side("vision_model.embeddings.position_embedding.weight", 0) - usize::from(!is_siglip);
        vision["patch_size"] = patch_size.into();
        vision["image_size"] = (n_patches.isqrt() * patch_size).into();
        text["vocab_size"] = side("text_model.embeddings.token_embedding.weight", 0).into();
        text["max_position_embeddings"] = side("text_model.embeddings.position_embedding.weight", 0).into();
        let embed_dim = if is_siglip { 0 } else { side("visual_projection.weight", 0) };
        return json!({"model_type": if is_siglip { "siglip" } else { "clip" }, "projection_dim": embed_dim,
            "vision_config": vision, "text_config": text});
    }
    let text = match shapes.get("token_embedding.weight") {
        Some(table) => json!({"context_length": side("positional_embedding", 0), "vocab_size": table[0],
            "width": table[1], "heads": table[1] / 64, "layers": layers("transformer.resblocks."),
            "no_causal_mask": true, "proj_bias": true, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}}),
        None => json!({"hf_model_name": "x/y", "hf_proj_type": "mlp", "context_length": 256,
            "hf_pooler_type": "cls_last_hidden_state_pooler"}),
    };
    let vision = match is_siglip {
        true => json!({"timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map", "timm_proj": "none"}),
        false => json!({"timm_model_name": "vit_base_patch16_224", "timm_pool": "", "timm_proj": "linear"}),
    };
    let panderm = json!({"layers": 12, "width": 768, "head_width": 64, "patch_size": 16, "image_size": 224});
    let is_panderm = shapes.contains_key("visual.patch_embed.proj.weight");
    let embed_dim = shapes.get("proj.2.weight").or(shapes.get("text_projection.weight")).unwrap()[0];
    json!({"embed_dim": embed_dim, "init_logit_bias": if is_siglip { json!(-10) } else { Value::Null },
        "vision_cfg": if is_panderm { panderm } else { vision }, "text_cfg": text})
}

#[wasm_bindgen_test(unsupported = test)]
fn the_published_models_have_exactly_the_tensors_that_their_configs_lead_to() {
    let lists = fixtures::files_below("towers/full_size");
    assert!(!lists.is_empty());
    for list in lists {
        let json = fixtures::json(&list);
        let names: BTreeMap<String, Vec<usize>> = serde_json::from_value(json["names"].clone()).unwrap();
        // As a checkpoint's reader gives them: open_clip's prefix of a text tower is taken away, a list of one is a scalar.
        let names: BTreeMap<String, Vec<usize>> = names
            .into_iter()
            .map(|(name, shape)| (name.strip_prefix("text.").unwrap_or(&name).to_string(), shape))
            .map(|(name, shape)| if name.starts_with("logit_") { (name, vec![]) } else { (name, shape) })
            .collect();
        let empty = |(name, shape): (&String, &Vec<usize>)| {
            (name.clone(), StoredTensor::new(safetensors::Dtype::F32, shape, Default::default()))
        };
        let weights = Weights::from_stored(names.iter().map(empty));
        let config = config_json(&names).to_string();
        let files = ConfigFiles { config: config.as_bytes(), text: None, preprocessor: None };
        let config = ClipConfig::from_files(&files, weights.shapes()).unwrap_or_else(|err| panic!("{list}: {err}"));
        let ours = KeyMap::of(&weights).file_parameters(&config);
        let ours: BTreeMap<_, _> = ours.into_iter().map(|parameter| (parameter.name, parameter.shape)).collect();
        assert_eq!(ours, names, "{list}");
        let n_values: usize = ours.values().map(|shape| shape.iter().product::<usize>()).sum();
        assert_eq!(json["parameters"], n_values, "{list}");
        assert!(KeyMap::of(&weights).apply(weights, &config).is_ok(), "{list}");
    }
}
