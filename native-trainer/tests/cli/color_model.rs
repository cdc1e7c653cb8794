//! A CLIP whose answers can be checked by eye: an image's feature is its mean color, a text's the mean of its color words.
//!
//! Of the eight channels of both towers, six hold red, green and blue and their negatives, so that layer norm keeps the
//! color's direction; two hold a constant, so that it keeps its size. Attention is uniform (queries and keys are zero)
//! and gathers the colors of all patches or words into the token that is pooled; the MLP adds nothing.

use crate::shared_folder::shared_folder;
use candle_core::{Device, Tensor};
use dermake_models::{CONFIG_FILE, WEIGHTS_FILE};
use serde_json::json;
use shared_model::config::ClipConfig;
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Words that are one token each, and their colors.
pub const COLORS: [(&str, [u8; 3]); 8] = [
    ("red", [255, 0, 0]),
    ("green", [0, 255, 0]),
    ("blue", [0, 0, 255]),
    ("yellow", [255, 255, 0]),
    ("turquoise", [0, 255, 255]),
    ("purple", [255, 0, 255]),
    ("white", [255, 255, 255]),
    ("black", [0, 0, 0]),
];
const WIDTH: usize = 8;
/// How much what attention gathers outweighs what was there.
const GAIN: f32 = 20.0;

/// The model's folder, written once.
pub fn model() -> &'static Path {
    static MODEL: OnceLock<PathBuf> = OnceLock::new();
    MODEL.get_or_init(|| {
        let folder = shared_folder("colors");
        write(&folder);
        folder
    })
}

/// Writes the model as an open_clip checkpoint.
fn write(folder: &Path) {
    let config_json = json!({
        "model_cfg": {
            "embed_dim": 3,
            "quick_gelu": true,
            "vision_cfg": {"image_size": 8, "patch_size": 4, "width": WIDTH, "layers": 1, "head_width": WIDTH},
            "text_cfg": {"width": WIDTH, "heads": 1, "layers": 1},
        },
        // 0 becomes -1, 255 becomes 1
        "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
    });
    let config = ClipConfig::from_open_clip_json(config_json.to_string().as_bytes()).unwrap();
    let tensors: HashMap<String, Tensor> = config
        .vision_parameters()
        .into_iter()
        .chain(config.text_parameters())
        .map(|parameter| {
            let values = values(&parameter.name, &parameter.shape);
            (parameter.name, Tensor::from_vec(values, parameter.shape, &Device::Cpu).unwrap())
        })
        .collect();
    std::fs::create_dir_all(folder).unwrap();
    candle_core::safetensors::save(&tensors, folder.join(WEIGHTS_FILE)).unwrap();
    std::fs::write(folder.join(CONFIG_FILE), config_json.to_string()).unwrap();
}

/// A picture of one color, as PNG.
pub fn picture(color: &str) -> Vec<u8> {
    let (_, rgb) = COLORS.iter().find(|(name, _)| *name == color).unwrap();
    let image = image::RgbImage::from_pixel(12, 8, image::Rgb(*rgb));
    let mut png = std::io::Cursor::new(Vec::new());
    image.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let n: usize = shape.iter().product();
    let by_index = |value: &dyn Fn(usize) -> f32| (0..n).map(value).collect();
    let last = *shape.last().unwrap_or(&1);
    match name {
        "logit_scale" => vec![100f32.ln()],
        "token_embedding.weight" => words(n),
        "text_projection" | "visual.proj" => by_index(&|at| from_channel(at / last, at % last)),
        // Patches of 4 x 4: the mean of each color.
        "visual.conv1.weight" => by_index(&|at| from_channel(at / 48, at % 48 / 16) / 16.0),
        // The constant.
        _ if name.ends_with("positional_embedding") => by_index(&|at| match at % last {
            6 => 1.0,
            7 => -1.0,
            _ => 0.0,
        }),
        _ if name.ends_with("attn.in_proj_weight") => {
            by_index(&|at| if at / WIDTH == 2 * WIDTH + at % WIDTH { 1.0 } else { 0.0 })
        }
        _ if name.ends_with("attn.out_proj.weight") => {
            by_index(&|at| if at / WIDTH == at % WIDTH { GAIN } else { 0.0 })
        }
        _ if name.contains("ln_") && name.ends_with("weight") => vec![1.0; n],
        _ => vec![0.0; n],
    }
}

/// Channels 0 and 1 are red and its negative, then green, then blue.
fn from_channel(channel: usize, color: usize) -> f32 {
    match (channel / 2 == color, channel % 2) {
        (false, _) => 0.0,
        (true, 0) => 1.0,
        (true, _) => -1.0,
    }
}

/// The token embedding: the words' colors, nothing for all others.
fn words(n: usize) -> Vec<f32> {
    let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, 77).unwrap();
    let mut values = vec![0.0; n];
    for (word, color) in COLORS {
        let ids = tokenizer.encode(word).unwrap();
        assert!(ids[3] == 0 && ids[2] > ids[1], "{word} is one token: {ids:?}");
        for channel in 0..6 {
            let value = f32::from(color[channel / 2]) / 127.5 - 1.0;
            values[ids[1] as usize * WIDTH + channel] = value * from_channel(channel, channel / 2);
        }
    }
    values
}
