//! Compares photos by the cosine of their features, with the model of an open_clip checkpoint:
//!
//! ```sh
//! cargo run --release --example embed -- FOLDER a.jpg b.jpg c.jpg
//! ```
//!
//! The folder has `open_clip_config.json` and `open_clip_model.safetensors`. Without arguments it takes the demo model
//! and its drawn samples.

use candle_core::Tensor;
use shared_model::config::ClipConfig;
use shared_model::preprocess::{Reading, preprocess};
use shared_model::weights::{Placement, Weights};
use shared_model::{VisionTower, demo};
use std::error::Error;
use std::path::Path;

/// Encodes `pixel_values` `[B, 3, S, S]` to unit features `[B, E]`.
type Encode = Box<dyn Fn(&Tensor) -> shared_model::Result<Tensor>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (config, encode, photos): (_, Encode, _) = match arguments.split_first() {
        Some((folder, paths)) => {
            let (config, vision) = load(Path::new(folder))?;
            let encode = Box::new(move |pixels: &Tensor| vision.image_features(pixels));
            (config, encode, paths.iter().map(|path| read(Path::new(path))).collect::<Result<_, _>>()?)
        }
        None => {
            let model = demo::model(Placement::default())?;
            let config = model.config.clone();
            let encode = Box::new(move |pixels: &Tensor| model.pixel_features(pixels));
            (config, encode, demo::SAMPLES.map(|(_name, bytes)| bytes.to_vec()).to_vec())
        }
    };

    let mut features: Vec<Vec<f32>> = Vec::new(); // [photos, E], rows of unit length
    for photo in &photos {
        let pixel_values = preprocess(photo, &config.preprocess, Reading::Photo)?.unsqueeze(0)?; // [1, 3, S, S]
        features.push(encode(&pixel_values)?.squeeze(0)?.to_vec1()?);
    }
    for a in &features {
        let cosine = |b: &Vec<f32>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        println!("{}", features.iter().map(|b| format!("{:7.4}", cosine(b))).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}

/// Loads the vision tower of a checkpoint; photos need no text tower.
fn load(folder: &Path) -> Result<(ClipConfig, VisionTower), Box<dyn Error>> {
    let config = ClipConfig::from_open_clip_json(&read(&folder.join("open_clip_config.json"))?)?;
    let weights = Weights::read(read(&folder.join("open_clip_model.safetensors"))?.into())?;
    let vision = VisionTower::load(&weights, &config, &Placement::default())?;
    Ok((config, vision))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|err| format!("cannot read the file ({err}): {}", path.display()))
}
