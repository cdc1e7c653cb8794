//! Writes the binary seeds of `native-trainer/fuzz`: checkpoints of a tiny model in every format, and small pictures.
//! The other seeds are copies of fixtures, were written by hand, or were made once with Pillow and Python's pickle.
//!
//! `cargo run --release -p dermake-fuzz --example seeds` in the repository's root.

use anyhow::{Context, Result};
use dermake_files::hash;
use dermake_models::init;
use sha2::{Digest, Sha256};
use shared_model::config::{ClipConfig, Parameter};
use shared_model::labels::{LabelSet, Templates};
use shared_model::manifest::{FileRole, Manifest, ManifestFile};
use shared_model::quantize::{WeightFormat, quantize};
use shared_model::weights::Weights;
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;

const SEEDS: &str = "native-trainer/fuzz/seeds";

/// The tiny model of all targets.
struct Tiny {
    config: ClipConfig,
    config_json: Vec<u8>,
    weights: Weights,
}

impl Tiny {
    fn read() -> Result<Self> {
        let path = Path::new(SEEDS).join("config/tiny.json");
        let config_json = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let config = ClipConfig::from_open_clip_json(&config_json)?;
        let weights = init::weights(&config, 0);
        Ok(Self { config, config_json, weights })
    }

    fn quantized(&self, parameters: &[Parameter], format: WeightFormat) -> Result<Vec<u8>> {
        Ok(quantize(&self.weights, parameters, format)?.to_safetensors(HashMap::new())?)
    }

    fn all(&self) -> Vec<Parameter> {
        self.config.vision_parameters().into_iter().chain(self.config.text_parameters()).collect()
    }
}

fn main() -> Result<()> {
    let tiny = Tiny::read()?;
    for format in WeightFormat::ALL {
        write(&format!("safetensors/{}", format.name()), &tiny.quantized(&tiny.all(), format)?)?;
    }
    write_quantized(&tiny)?;
    write_pictures()
}

/// Each file of a model with the letter before it that the target knows it by.
fn write_quantized(tiny: &Tiny) -> Result<()> {
    let with_letter = |letter: u8, bytes: &[u8]| [&[letter], bytes].concat();
    let labels = LabelSet::from_text("acne, rosacea")?;
    let vision = tiny.quantized(&tiny.config.vision_parameters(), WeightFormat::Int8)?;
    let text = tiny.quantized(&tiny.config.text_parameters(), WeightFormat::Int4)?;
    let columns = vec![0.25f32.to_le_bytes(); tiny.config.embed_dim * labels.class_names.len()].concat();
    let shape = vec![tiny.config.embed_dim, labels.class_names.len()];
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, &columns)?;
    let classifiers = safetensors::serialize([(labels.key.clone(), view)], None)?;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(b"#version: 0.2\na c\nac n\nacn e</w>\n")?;
    let merges = gz.finish()?;
    let file = |role, file: &str, bytes: &[u8]| ManifestFile {
        role,
        file: file.into(),
        bytes: bytes.len() as u64,
        sha256: hash::sha256(bytes),
    };
    let manifest = Manifest {
        format: Manifest::FORMAT.into(),
        name: "tiny".into(),
        trained: false,
        notice: None,
        weight_format: WeightFormat::Int8,
        config: serde_json::from_slice(&tiny.config_json)?,
        files: vec![
            file(FileRole::Vision, "vision.safetensors", &vision),
            file(FileRole::Text, "text.safetensors", &text),
            file(FileRole::Classifiers, "classifiers.safetensors", &classifiers),
            file(FileRole::Tokenizer, "merges.txt.gz", &merges),
        ],
        label_sets: vec![labels],
        templates: Templates::skin().as_slice()[..2].to_vec(),
        calibrations: Vec::new(),
        card: None,
    };
    let manifest = serde_json::to_vec(&manifest)?;
    write("manifest/tiny.json", &manifest)?;
    write("quantized/manifest", &with_letter(b'm', &manifest))?;
    write("quantized/vision", &with_letter(b'v', &vision))?;
    write("quantized/text", &with_letter(b't', &text))?;
    write("quantized/classifiers", &with_letter(b'c', &classifiers))?;
    write("quantized/merges", &with_letter(b'z', &merges))
}

/// A picture of a few pixels in the formats that can be written here.
fn write_pictures() -> Result<()> {
    let noise = Sha256::digest("a picture").to_vec().repeat(32);
    let pixel = |x: u32, y: u32| {
        let at = ((y * 13 + x) * 3) as usize % (noise.len() - 3);
        image::Rgb([noise[at], noise[at + 1], noise[at + 2]])
    };
    let rgb = image::DynamicImage::ImageRgb8(image::RgbImage::from_fn(13, 9, pixel));
    for (name, picture) in [
        ("rgb.png", rgb.clone()),
        ("rgba.png", rgb.to_rgba8().into()),
        ("gray.png", rgb.to_luma8().into()),
        ("gray_alpha16.png", rgb.to_luma_alpha16().into()),
        ("rgb16.png", rgb.to_rgb16().into()),
        ("rgb.jpg", rgb.clone()),
        ("gray.jpg", rgb.to_luma8().into()),
    ] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::from_path(name)?)?;
        write(&format!("image/{name}"), &bytes.into_inner())?;
    }
    Ok(())
}

fn write(name: &str, bytes: &[u8]) -> Result<()> {
    let path = Path::new(SEEDS).join(name);
    fs::create_dir_all(path.parent().context("a seed lies in a folder")?)?;
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
