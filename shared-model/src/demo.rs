//! The demo model, compiled into the crate: a small CLIP model for tests, examples and first steps.
//!
//! It was trained on drawn pictures of skin; its answers to real photos mean nothing.

use crate::config::ClipConfig;
use crate::manifest::Manifest;
use crate::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use crate::weights::{FileTensors, Placement, Weights};
use crate::{Error, Result, ZeroShotModel};
use bytes::Bytes;
use std::collections::BTreeMap;

/// File name and JPEG bytes of three drawn skin pictures: a round brown spot, an irregular dark lesion, a scaly plaque.
pub static SAMPLES: [(&str, &[u8]); 3] = [
    ("sample-1.jpg", include_bytes!("../data/samples/sample-1.jpg")),
    ("sample-2.jpg", include_bytes!("../data/samples/sample-2.jpg")),
    ("sample-3.jpg", include_bytes!("../data/samples/sample-3.jpg")),
];

static MANIFEST: &[u8] = include_bytes!("../data/demo/manifest.json");
static VISION: &[u8] = include_bytes!("../data/demo/vision.safetensors");
static TEXT: &[u8] = include_bytes!("../data/demo/text.safetensors");
static CLASSIFIERS: &[u8] = include_bytes!("../data/demo/classifiers.safetensors");

/// Returns the bytes of one file of the model's folder, by the name that the manifest lists; `None` for other names.
pub fn file(name: &str) -> Option<&'static [u8]> {
    match name {
        Manifest::FILE_NAME => Some(MANIFEST),
        "vision.safetensors" => Some(VISION),
        "text.safetensors" => Some(TEXT),
        "classifiers.safetensors" => Some(CLASSIFIERS),
        Tokenizer::MERGES_FILE => Some(CLIP_MERGES_GZ),
        _ => None,
    }
}

/// Loads the whole model: both towers, the tokenizer and the classifiers of the built-in label sets.
///
/// # Errors
/// [`Error::Tensor`] when the device of `placement` cannot hold the model.
pub fn model(placement: Placement) -> Result<ZeroShotModel> {
    let manifest: Manifest = serde_json::from_slice(MANIFEST).map_err(Error::ConfigJson)?;
    let (vision, classifiers) = (Bytes::from_static(VISION), Bytes::from_static(CLASSIFIERS));
    let mut model = ZeroShotModel::from_quantized(&manifest, vision, classifiers, placement)?;
    let tokenizer = BTreeMap::from([(Tokenizer::MERGES_FILE.to_string(), Bytes::from_static(CLIP_MERGES_GZ))]);
    model.add_text(Bytes::from_static(TEXT), &tokenizer)?;
    Ok(model)
}

/// Returns the model's config and its weights as dense ones, to train further.
///
/// # Errors
/// Only if the crate is damaged.
pub fn dense() -> Result<(ClipConfig, Weights)> {
    let manifest: Manifest = serde_json::from_slice(MANIFEST).map_err(Error::ConfigJson)?;
    let files = [VISION, TEXT].map(|file| FileTensors::from_safetensors(Bytes::from_static(file)));
    let files = files.into_iter().collect::<Result<Vec<_>>>()?;
    Ok((manifest.clip_config()?, Weights::from_files(files).dequantized()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clip;
    use crate::preprocess::Reading;

    #[test]
    fn the_dense_model_has_the_features_of_the_int8_one() {
        let placement = Placement::default();
        let quantized = model(placement.clone()).unwrap();
        let (config, weights) = dense().unwrap();
        assert!(config.is_plain());
        let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, config.text.context_length).unwrap();
        let clip = Clip::load(weights, &config, &placement).unwrap();
        let dense = ZeroShotModel::from_clip(clip, tokenizer, true, placement);
        let cosine = |a: &candle_core::Tensor, b: &candle_core::Tensor| -> f32 {
            (a * b).unwrap().sum_all().unwrap().to_scalar().unwrap()
        };
        for (name, bytes) in SAMPLES {
            let of = |model: &ZeroShotModel| model.image_features(bytes, Reading::Reference).unwrap();
            assert!(cosine(&of(&quantized), &of(&dense)) > 0.99, "{name}");
        }
        let texts = ["a photo of psoriasis".to_string()];
        let of = |model: &ZeroShotModel| model.encode_texts(&texts, &mut |_, _| {}).unwrap();
        assert!(cosine(&of(&quantized), &of(&dense)) > 0.99);
    }
}
