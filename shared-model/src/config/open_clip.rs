//! `open_clip_config.json` (or one of open_clip's bare model configs) to [`ClipConfig`] and back.

use super::open_clip_fields::{MODEL_FIELDS, TEXT_FIELDS, VISION_FIELDS, any};
use super::section::{Section, parse};
use super::tensors::Tensors;
use super::{
    Activation, Blocks, ClipConfig, PreprocessConfig, Projection, TORCH_NORM_EPS, TextConfig, TextPooling,
    TokenizerConfig, Visibility, VisionConfig, bert, panderm, timm,
};
use crate::Result;
use serde_json::{Value, json};

impl ClipConfig {
    /// Parses `open_clip_config.json` (`model_cfg` and `preprocess_cfg`) or a bare `model_cfg`.
    ///
    /// Absent fields take open_clip's defaults. Both towers must be open_clip's own: what another library builds
    /// is not described here alone ([`Self::from_files`]).
    ///
    /// # Errors
    /// [`crate::Error::ConfigJson`] for bad JSON; [`crate::Error::Config`] naming the first field that cannot be
    /// honored.
    pub fn from_open_clip_json(json: &[u8]) -> Result<Self> {
        Self::from_open_clip(&parse(json)?)
    }

    pub(super) fn from_open_clip(root: &Value) -> Result<Self> {
        config(&Section::new("", root)?, None)
    }

    /// The `open_clip_config.json` that [`Self::from_open_clip_json`] reads back as `self`, a plain model.
    pub fn to_open_clip_json(&self) -> Value {
        let ClipConfig { embed_dim, vision, text, preprocess, .. } = self;
        let mut json = json!({
            "model_cfg": {
                "embed_dim": embed_dim,
                "quick_gelu": vision.activation == Activation::QuickGelu,
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
            "preprocess_cfg": preprocess.to_open_clip(),
        });
        if self.has_logit_bias {
            // What SigLIP begins with; the checkpoint has the learned value.
            json["model_cfg"]["init_logit_bias"] = json!(-10);
        }
        json
    }
}

/// Reads a whole config. `tensors` are the checkpoint's, without which a tower of another library is refused.
pub(super) fn config(root: &Section, tensors: Option<&Tensors>) -> Result<ClipConfig> {
    let model = match root.get("model_cfg") {
        Some(value) => Section::new("model_cfg", value)?,
        None => root.clone(),
    };
    let embed_dim = model.required_size("embed_dim")?;
    let activation = match model.boolean("quick_gelu", false)? {
        true => Activation::QuickGelu,
        false => Activation::Gelu,
    };
    let (vision, text) = (model.section("vision_cfg")?, model.section("text_cfg")?);
    let tokenizer = TokenizerConfig::from_open_clip(&text)?;
    let vision = match tensors {
        Some(tensors) if panderm::is_panderm(tensors) => panderm::vision(tensors)?,
        Some(tensors) if vision.get("timm_model_name").is_some() => timm::vision(&vision, tensors, embed_dim)?,
        _ => vision_config(&vision, activation)?,
    };
    let text = match tensors {
        Some(tensors) if text.get("hf_model_name").is_some() => bert::text(&text, tensors, embed_dim)?,
        _ => text_config(&text, activation)?,
    };
    model.refuse_others(&MODEL_FIELDS)?;
    let preprocess = match root.get("preprocess_cfg") {
        Some(value) => {
            PreprocessConfig::from_open_clip(&Section::new("preprocess_cfg", value)?, vision.image_size)?
        }
        None => PreprocessConfig::openai(vision.image_size),
    };
    let has_logit_bias = model.get("init_logit_bias").is_some();
    ClipConfig { embed_dim, vision, text, has_logit_bias, preprocess, tokenizer }.checked()
}

fn vision_config(vision: &Section, activation: Activation) -> Result<VisionConfig> {
    let width = vision.size("width", 768)?;
    let head_width = vision.size("head_width", 64)?;
    let blocks = Blocks {
        width,
        layers: vision.layers()?,
        heads: vision.divide("head_width", width, head_width)?,
        mlp_width: vision.scaled("mlp_ratio", 4.0, width)?,
        activation,
    };
    let config = VisionConfig::plain(vision.square("image_size", 224)?, vision.square("patch_size", 16)?, blocks);
    if config.patch_size > config.image_size {
        return Err(vision.error("patch_size", config.patch_size, "at most image_size"));
    }
    vision.refuse_others(&VISION_FIELDS)?;
    Ok(config)
}

/// open_clip's own text transformer, in the form of CLIP or of SigLIP.
fn text_config(text: &Section, activation: Activation) -> Result<TextConfig> {
    let width = text.size("width", 512)?;
    let heads = text.size("heads", 8)?;
    text.divide("heads", width, heads)?;
    let blocks = Blocks {
        width,
        layers: text.layers()?,
        heads,
        mlp_width: text.scaled("mlp_ratio", 4.0, width)?,
        activation: text_activation(text, activation)?,
    };
    let pool_type: Option<String> = text.typed("pool_type", "the name of a pooling")?;
    let pooling = match pool_type.as_deref() {
        None | Some("argmax") => TextPooling::LargestId,
        Some("last") => TextPooling::LastToken,
        Some("first") => TextPooling::FirstToken,
        Some(other) => return Err(text.error("pool_type", other, "argmax, last or first")),
    };
    let is_causal = !text.boolean("no_causal_mask", false)?;
    let plain = TextConfig::plain(text.size("context_length", 77)?, text.size("vocab_size", 49408)?, blocks);
    let config = TextConfig {
        norm_eps: keyword(text, "norm_kwargs", "eps")?.unwrap_or(TORCH_NORM_EPS),
        visibility: if is_causal { Visibility::Causal } else { Visibility::All },
        pooling,
        projection: Projection::Linear { bias: text.boolean("proj_bias", false)? },
        ..plain
    };
    text.refuse_others(&TEXT_FIELDS)?;
    Ok(config)
}

/// `act_kwargs` are those of PyTorch's GELU.
fn text_activation(text: &Section, activation: Activation) -> Result<Activation> {
    let approximate: Option<String> = keyword(text, "act_kwargs", "approximate")?;
    match (approximate.as_deref(), activation) {
        (None, activation) => Ok(activation),
        (Some("none"), Activation::Gelu) => Ok(Activation::Gelu),
        (Some("tanh"), Activation::Gelu) => Ok(Activation::TanhGelu),
        (Some(other), _) => Err(text.error("act_kwargs.approximate", other, "none or tanh, without quick_gelu")),
    }
}

/// The one field that an object may have.
fn keyword<T: serde::de::DeserializeOwned>(text: &Section, object: &str, field: &'static str) -> Result<Option<T>> {
    if text.get(object).is_none() {
        return Ok(None);
    }
    let object = text.section(object)?;
    let value = object.typed(field, "a value of PyTorch's")?;
    object.refuse_others(&[(field, any)])?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

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
            ("/preprocess_cfg/resize_mode", json!("stretch"), "preprocess_cfg.resize_mode"),
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
