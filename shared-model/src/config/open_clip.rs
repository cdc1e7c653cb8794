//! `open_clip_config.json` (or one of open_clip's bare model configs) to [`ClipConfig`] and back.

use super::section::{Inert, Section, config_error};
use super::{Activation, ClipConfig, Interpolation, PreprocessConfig, ResizeMode, TextConfig, VisionConfig};
use crate::foreign::json_text;
use crate::{Error, Result};
use serde_json::{Value, json};

impl ClipConfig {
    /// Parses `open_clip_config.json` (`model_cfg` and `preprocess_cfg`) or a bare `model_cfg`.
    ///
    /// Absent fields take open_clip's defaults.
    ///
    /// # Errors
    /// [`Error::ConfigJson`] for bad JSON; [`Error::Config`] naming the first field that cannot be honoured.
    pub fn from_open_clip_json(json: &[u8]) -> Result<Self> {
        let json = json_text(json, "the JSON of a model config")?;
        let root: Value = serde_json::from_str(json).map_err(Error::ConfigJson)?;
        let root = Section::new("", &root)?;
        let model = match root.get("model_cfg") {
            Some(value) => Section::new("model_cfg", value)?,
            None => root.clone(),
        };
        let vision = vision_config(&model.section("vision_cfg")?)?;
        let text = text_config(&model.section("text_cfg")?)?;
        let quick_gelu = model.boolean("quick_gelu", false)?;
        let embed_dim = model.required_size("embed_dim")?;
        model.refuse_others(&MODEL_FIELDS)?;
        let preprocess = match root.get("preprocess_cfg") {
            Some(value) => preprocess_config(&Section::new("preprocess_cfg", value)?, vision.image_size)?,
            None => PreprocessConfig::openai(vision.image_size),
        };
        let activation = if quick_gelu { Activation::QuickGelu } else { Activation::Gelu };
        Ok(Self { embed_dim, activation, vision, text, preprocess })
    }

    /// The `open_clip_config.json` that [`Self::from_open_clip_json`] reads back as `self`.
    pub fn to_open_clip_json(&self) -> Value {
        let ClipConfig { embed_dim, activation, vision, text, preprocess } = self;
        json!({
            "model_cfg": {
                "embed_dim": embed_dim,
                "quick_gelu": *activation == Activation::QuickGelu,
                "vision_cfg": {
                    "image_size": vision.image_size,
                    "layers": vision.layers,
                    "width": vision.width,
                    "head_width": vision.width / vision.heads,
                    "patch_size": vision.patch_size,
                    "mlp_ratio": vision.mlp_width as f64 / vision.width as f64,
                },
                "text_cfg": {
                    "context_length": text.context_length,
                    "vocab_size": text.vocab_size,
                    "width": text.width,
                    "heads": text.heads,
                    "layers": text.layers,
                    "mlp_ratio": text.mlp_width as f64 / text.width as f64,
                },
            },
            "preprocess_cfg": {
                "size": preprocess.image_size,
                "mode": "RGB",
                "mean": preprocess.mean,
                "std": preprocess.std,
                "interpolation": preprocess.interpolation,
                "resize_mode": preprocess.resize_mode,
            },
        })
    }

    /// The names that [`Self::named`] knows.
    pub const ARCHITECTURES: [&str; 4] = ["ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336"];

    /// One of open_clip's ViT-CLIP architectures by name; a `-quickgelu` suffix selects QuickGELU.
    ///
    /// # Errors
    /// [`Error::Config`] listing the names known here.
    pub fn named(architecture: &str) -> Result<Self> {
        // OpenAI writes ViT-B/16 and ViT-L/14@336px.
        let name = architecture.trim().to_ascii_lowercase().replace(['/', '@'], "-").replace("336px", "336");
        let base = name.strip_suffix("-quickgelu");
        let (patch_size, image_size, layers, width, embed_dim, text_width) = match base.unwrap_or(&name) {
            "vit-b-32" => (32, 224, 12, 768, 512, 512),
            "vit-b-16" => (16, 224, 12, 768, 512, 512),
            "vit-l-14" => (14, 224, 24, 1024, 768, 768),
            "vit-l-14-336" => (14, 336, 24, 1024, 768, 768),
            _ => {
                let expected = "ViT-B-32, ViT-B-16, ViT-L-14 or ViT-L-14-336, with or without -quickgelu";
                return Err(config_error("architecture", architecture, expected));
            }
        };
        Ok(Self {
            embed_dim,
            activation: if base.is_some() { Activation::QuickGelu } else { Activation::Gelu },
            vision: VisionConfig { image_size, patch_size, width, layers, heads: width / 64, mlp_width: 4 * width },
            text: TextConfig {
                context_length: 77,
                vocab_size: 49408,
                width: text_width,
                layers: 12,
                heads: text_width / 64,
                mlp_width: 4 * text_width,
            },
            preprocess: PreprocessConfig::openai(image_size),
        })
    }
}

fn any(_: &Value) -> bool {
    true
}

fn zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

const MODEL_FIELDS: [Inert; 10] = [
    ("embed_dim", any),
    ("quick_gelu", any),
    ("vision_cfg", any),
    ("text_cfg", any),
    ("custom_text", any), // only prefixes the text tower's keys with `text.`, which the loader accepts
    ("init_logit_scale", any), // the checkpoint has the value
    ("cast_dtype", any),
    ("output_dict", any),
    ("sigma", any), // a training threshold of MAKE
    ("preprocess_cfg", any),
];

const VISION_FIELDS: [Inert; 20] = [
    ("image_size", any),
    ("layers", any),
    ("width", any),
    ("head_width", any),
    ("patch_size", any),
    ("mlp_ratio", any),
    ("sigma", any),
    ("patch_dropout", any), // training only
    ("timm_drop", any),
    ("timm_drop_path", any),
    ("timm_proj", any), // the `timm_*` fields mean something only beside `timm_model_name`, which is refused
    ("timm_pool", any),
    ("timm_proj_bias", any),
    ("timm_model_pretrained", any),
    ("attn_pooler_queries", any), // only beside `attentional_pool`, which is refused
    ("attn_pooler_heads", any),
    ("output_tokens", any),
    ("pos_embed_type", |value| value == "learnable"),
    ("pool_type", |value| value == "tok"),
    ("input_patchnorm", zero),
];

const TEXT_FIELDS: [Inert; 15] = [
    ("context_length", any),
    ("vocab_size", any),
    ("width", any),
    ("heads", any),
    ("layers", any),
    ("mlp_ratio", any),
    ("pad_id", zero),
    ("eos_id", any), // used with pool_type "eos" only
    ("output_tokens", any),
    ("pool_type", |value| value == "argmax"),
    ("proj_type", |value| value == "linear"),
    ("hf_model_pretrained", any), // the `hf_*` fields mean something only beside `hf_model_name`, which is refused
    ("hf_proj_type", any),
    ("hf_pooler_type", any),
    ("hf_tokenizer_name", Value::is_null),
];

fn vision_config(vision: &Section) -> Result<VisionConfig> {
    let width = vision.size("width", 768)?;
    let head_width = vision.size("head_width", 64)?;
    let config = VisionConfig {
        image_size: vision.square("image_size", 224)?,
        patch_size: vision.square("patch_size", 16)?,
        width,
        layers: vision.layers()?,
        heads: vision.divide("head_width", width, head_width)?,
        mlp_width: vision.scaled("mlp_ratio", 4.0, width)?,
    };
    if config.patch_size > config.image_size {
        return Err(vision.error("patch_size", config.patch_size, "at most image_size"));
    }
    vision.refuse_others(&VISION_FIELDS)?;
    Ok(config)
}

fn text_config(text: &Section) -> Result<TextConfig> {
    let width = text.size("width", 512)?;
    let heads = text.size("heads", 8)?;
    text.divide("heads", width, heads)?;
    let config = TextConfig {
        context_length: text.size("context_length", 77)?,
        vocab_size: text.size("vocab_size", 49408)?,
        width,
        layers: text.layers()?,
        heads,
        mlp_width: text.scaled("mlp_ratio", 4.0, width)?,
    };
    text.refuse_others(&TEXT_FIELDS)?;
    Ok(config)
}

fn preprocess_config(section: &Section, image_size: usize) -> Result<PreprocessConfig> {
    let defaults = PreprocessConfig::openai(image_size);
    let config = PreprocessConfig {
        image_size: section.square("size", image_size)?,
        mean: section.typed("mean", "three numbers")?.unwrap_or(defaults.mean),
        std: section.typed("std", "three numbers")?.unwrap_or(defaults.std),
        interpolation: section
            .typed("interpolation", "\"bicubic\" or \"bilinear\"")?
            .unwrap_or(Interpolation::Bicubic),
        resize_mode: section.typed("resize_mode", "\"shortest\" or \"squash\"")?.unwrap_or(ResizeMode::Shortest),
    };
    if config.image_size != image_size {
        return Err(section.error("size", config.image_size, &format!("the tower's image_size, {image_size}")));
    }
    if config.std.iter().any(|s| !(s.is_finite() && *s > 0.0)) || config.mean.iter().any(|m| !m.is_finite()) {
        return Err(section.error("std", json!(config.std), "positive numbers"));
    }
    // `fill_color` matters for resize_mode "longest" only.
    section.refuse_others(&[
        ("size", any),
        ("mean", any),
        ("std", any),
        ("interpolation", any),
        ("resize_mode", any),
        ("fill_color", any),
        ("mode", |value| value == "RGB"),
    ])?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_architectures_survive_the_round_trip() {
        for name in ["ViT-B-32", "ViT-B-16", "ViT-B-16-quickgelu", "ViT-L-14", "ViT-L-14-336"] {
            let config = ClipConfig::named(name).unwrap();
            let json = config.to_open_clip_json().to_string();
            assert_eq!(ClipConfig::from_open_clip_json(json.as_bytes()).unwrap(), config, "{name}");
        }
        for (other, name) in [
            ("ViT-B/16", "ViT-B-16"),
            ("vit-b-32-QuickGELU", "ViT-B-32-quickgelu"),
            ("ViT-L/14@336px", "ViT-L-14-336"),
        ] {
            assert_eq!(ClipConfig::named(other).unwrap(), ClipConfig::named(name).unwrap());
        }
    }

    #[test]
    fn a_bare_model_config_is_read() {
        let json = br#"{"embed_dim": 512, "vision_cfg": {"image_size": 224, "layers": 12, "width": 768,
            "patch_size": 16, "sigma": 0.3}, "text_cfg": {"context_length": 77, "vocab_size": 49408,
            "width": 512, "heads": 8, "layers": 12}}"#;
        assert_eq!(ClipConfig::from_open_clip_json(json).unwrap(), ClipConfig::named("ViT-B-16").unwrap());
    }

    #[test]
    fn what_cannot_be_honoured_is_named() {
        let cases = [
            ("/model_cfg/vision_cfg/timm_model_name", json!("vit_base"), "model_cfg.vision_cfg.timm_model_name"),
            ("/model_cfg/vision_cfg/attentional_pool", json!(true), "model_cfg.vision_cfg.attentional_pool"),
            ("/model_cfg/vision_cfg/layers", json!([3, 4, 6, 3]), "model_cfg.vision_cfg.layers"),
            ("/model_cfg/vision_cfg/layers", json!(1001), "model_cfg.vision_cfg.layers"),
            ("/model_cfg/vision_cfg/patch_size", json!(500), "model_cfg.vision_cfg.patch_size"),
            ("/model_cfg/vision_cfg/head_width", json!(7), "model_cfg.vision_cfg.head_width"),
            ("/model_cfg/text_cfg/hf_model_name", json!("bert"), "model_cfg.text_cfg.hf_model_name"),
            ("/model_cfg/text_cfg/heads", json!(0), "model_cfg.text_cfg.heads"),
            ("/model_cfg/multimodal_cfg", json!({}), "model_cfg.multimodal_cfg"),
            ("/preprocess_cfg/resize_mode", json!("longest"), "preprocess_cfg.resize_mode"),
            ("/preprocess_cfg/size", json!(336), "preprocess_cfg.size"),
            ("/preprocess_cfg/std", json!([0.0, 1.0, 1.0]), "preprocess_cfg.std"),
        ];
        for (pointer, value, expected_field) in cases {
            let mut config = ClipConfig::named("ViT-B-16").unwrap().to_open_clip_json();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(parent).unwrap()[field] = value;
            match ClipConfig::from_open_clip_json(config.to_string().as_bytes()) {
                Err(Error::Config { field, .. }) => assert_eq!(field, expected_field),
                other => panic!("{pointer}: {other:?}"),
            }
        }
        assert!(matches!(ClipConfig::from_open_clip_json(b"{"), Err(Error::ConfigJson(_))));
        assert!(matches!(ClipConfig::from_open_clip_json(b"[]"), Err(Error::Config { .. })));
        for (file, expected) in [
            (&b"<html><title>Log in</title>"[..], "a web page"),
            (b"version https://git-lfs.github.com/spec/v1\nsize 9\n", "a Git LFS pointer"),
            (b"", "an empty file"),
        ] {
            let error = ClipConfig::from_open_clip_json(file).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("model config"), "{error}");
        }
    }
}
