//! `config.json` of transformers' `CLIPModel` and `SiglipModel`.

use super::bert::activation;
use super::section::{Section, config_error};
use super::{
    Activation, Blocks, ClipConfig, PreprocessConfig, Projection, TORCH_NORM_EPS, TextConfig, TextPooling,
    TokenizerConfig, Visibility, VisionConfig, VisionPooling,
};
use crate::Result;
use serde_json::Value;

/// Epsilon of SigLIP's layer norms.
const SIGLIP_NORM_EPS: f32 = 1e-6;

/// Reads the config of a model of this `model_type`.
pub(super) fn config(model_type: &str, root: &Section) -> Result<ClipConfig> {
    let (vision, text) = (tower(root, "vision_config")?, tower(root, "text_config")?);
    let (vision, text) = (Section::new("vision_config", &vision)?, Section::new("text_config", &text)?);
    if vision.size("num_channels", 3)? != 3 {
        return Err(vision.error("num_channels", vision.size("num_channels", 3)?, "3"));
    }
    let config = match model_type {
        "clip" => {
            let vision = clip_vision(&vision)?;
            ClipConfig {
                embed_dim: root.size("projection_dim", 512)?,
                preprocess: PreprocessConfig::transformers_clip(vision.image_size),
                vision,
                text: clip_text(&text)?,
                has_logit_bias: false,
                tokenizer: TokenizerConfig::transformers(),
            }
        }
        "siglip" => {
            let vision = siglip_vision(&vision)?;
            ClipConfig {
                embed_dim: vision.width,
                preprocess: PreprocessConfig::transformers_siglip(vision.image_size),
                text: siglip_text(&text, vision.width)?,
                vision,
                has_logit_bias: true,
                tokenizer: TokenizerConfig::transformers(),
            }
        }
        other => return Err(config_error("model_type", other, "clip or siglip")),
    };
    config.checked()
}

/// The fields of a tower. Old configs repeat some of them in `*_config_dict`, which then count.
fn tower(root: &Section, name: &str) -> Result<Value> {
    let mut fields = serde_json::Map::new();
    for name in [name.to_string(), format!("{name}_dict")] {
        if let Some(value) = root.get(&name) {
            let found = value.as_object().ok_or_else(|| root.error(&name, value, "an object"))?;
            let found = found.iter().filter(|(_, value)| !value.is_null());
            fields.extend(found.map(|(field, value)| (field.clone(), value.clone())));
        }
    }
    Ok(Value::Object(fields))
}

/// Sizes that transformers takes where the config has none.
struct Defaults {
    width: usize,
    heads: usize,
    mlp_width: usize,
    activation: Activation,
}

fn blocks(section: &Section, defaults: &Defaults) -> Result<Blocks> {
    Ok(Blocks {
        width: section.size("hidden_size", defaults.width)?,
        layers: section.size("num_hidden_layers", 12)?,
        heads: section.size("num_attention_heads", defaults.heads)?,
        mlp_width: section.size("intermediate_size", defaults.mlp_width)?,
        activation: activation(section, "hidden_act", defaults.activation)?,
    })
}

fn norm_eps(section: &Section, default: f32) -> Result<f32> {
    Ok(section.typed("layer_norm_eps", "a number")?.unwrap_or(default))
}

fn clip_vision(section: &Section) -> Result<VisionConfig> {
    let defaults = Defaults { width: 768, heads: 12, mlp_width: 3072, activation: Activation::QuickGelu };
    let (image_size, patch_size) = (section.size("image_size", 224)?, section.size("patch_size", 32)?);
    Ok(VisionConfig {
        norm_eps: norm_eps(section, TORCH_NORM_EPS)?,
        ..VisionConfig::plain(image_size, patch_size, blocks(section, &defaults)?)
    })
}

fn clip_text(section: &Section) -> Result<TextConfig> {
    let defaults = Defaults { width: 512, heads: 8, mlp_width: 2048, activation: Activation::QuickGelu };
    let positions = section.size("max_position_embeddings", 77)?;
    let eos_token_id: u32 = section.typed("eos_token_id", "a token id")?.unwrap_or(49407);
    // Configs of before the field meant anything say 2, and their models were trained with the largest id.
    let pooling =
        if eos_token_id == 2 { TextPooling::LargestId } else { TextPooling::FirstOf { id: eos_token_id } };
    Ok(TextConfig {
        norm_eps: norm_eps(section, TORCH_NORM_EPS)?,
        pooling,
        ..TextConfig::plain(positions, section.size("vocab_size", 49408)?, blocks(section, &defaults)?)
    })
}

const SIGLIP_BLOCKS: Defaults =
    Defaults { width: 768, heads: 12, mlp_width: 3072, activation: Activation::TanhGelu };

fn siglip_vision(section: &Section) -> Result<VisionConfig> {
    if !section.boolean("vision_use_head", true)? {
        return Err(section.error("vision_use_head", false, "true: the feature comes from the attention pool"));
    }
    let (image_size, patch_size) = (section.size("image_size", 224)?, section.size("patch_size", 16)?);
    Ok(VisionConfig {
        norm_eps: norm_eps(section, SIGLIP_NORM_EPS)?,
        has_patch_bias: true,
        has_class_token: false,
        has_ln_pre: false,
        pooling: VisionPooling::Attention,
        projection: Projection::None,
        ..VisionConfig::plain(image_size, patch_size, blocks(section, &SIGLIP_BLOCKS)?)
    })
}

fn siglip_text(section: &Section, embed_dim: usize) -> Result<TextConfig> {
    let positions = section.size("max_position_embeddings", 64)?;
    let blocks = blocks(section, &SIGLIP_BLOCKS)?;
    let projection_size = section.size("projection_size", blocks.width)?;
    if projection_size != embed_dim {
        return Err(section.error(
            "projection_size",
            projection_size,
            &format!("the vision tower's width, {embed_dim}"),
        ));
    }
    Ok(TextConfig {
        norm_eps: norm_eps(section, SIGLIP_NORM_EPS)?,
        visibility: Visibility::All,
        pooling: TextPooling::LastToken,
        projection: Projection::Linear { bias: true },
        ..TextConfig::plain(positions, section.size("vocab_size", 32000)?, blocks)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: Value) -> Result<ClipConfig> {
        let model_type = json["model_type"].as_str().unwrap().to_string();
        config(&model_type, &Section::new("", &json).unwrap())
    }

    #[test]
    fn what_is_absent_is_as_in_openai_clip_vit_base_patch32() {
        let config = read(json!({"model_type": "clip"})).unwrap();
        let named = ClipConfig::named("ViT-B-32-quickgelu").unwrap();
        assert_eq!(config.vision, named.vision);
        assert_eq!(config.text, TextConfig { pooling: TextPooling::FirstOf { id: 49407 }, ..named.text });
    }

    #[test]
    fn an_old_config_repeats_its_fields_beside_the_towers() {
        let json = json!({"model_type": "clip", "projection_dim": 768, "text_config": {"hidden_size": 512},
            "text_config_dict": {"hidden_size": 768, "num_attention_heads": 12, "eos_token_id": 2}});
        let text = read(json).unwrap().text;
        assert_eq!((text.width, text.heads, text.pooling), (768, 12, TextPooling::LargestId));
    }

    #[test]
    fn what_cannot_be_honored_is_named() {
        for (json, field) in [
            (json!({"model_type": "blip"}), "model_type"),
            (json!({"model_type": "clip", "vision_config": {"hidden_act": "relu"}}), "vision_config.hidden_act"),
            (json!({"model_type": "clip", "vision_config": {"num_channels": 4}}), "vision_config.num_channels"),
            (json!({"model_type": "clip", "text_config": {"num_attention_heads": 5}}), "text.heads"),
            (
                json!({"model_type": "siglip", "vision_config": {"vision_use_head": false}}),
                "vision_config.vision_use_head",
            ),
            (json!({"model_type": "siglip", "text_config": {"projection_size": 5}}), "text_config.projection_size"),
        ] {
            match read(json) {
                Err(crate::Error::Config { field: found, .. }) => assert_eq!(found, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }
}
