//! How many images a second one core decodes and augments: `cargo run --release --example augment_speed IMAGE…`.

use anyhow::Result;
use native_trainer::data::Augmentation;
use native_trainer::data::augment::augment;
use native_trainer::data::order::row_rng;
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{Reading, decode};
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let (preprocess, augmentation) = (PreprocessConfig::openai(224), Augmentation::default());
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        let (mut decoding, mut augmenting, mut n_images) = (Duration::ZERO, Duration::ZERO, 0);
        while decoding + augmenting < Duration::from_secs(5) {
            let start = Instant::now();
            let image = decode(&bytes, Reading::Reference)?;
            decoding += start.elapsed();
            let start = Instant::now();
            augment(&image, &augmentation, &preprocess, &mut row_rng(0, 0, n_images))?;
            augmenting += start.elapsed();
            n_images += 1;
        }
        let millis = |time: Duration| 1e3 * time.as_secs_f64() / n_images as f64;
        println!(
            "{path}: {:.0} images/s; decoding {:.2} ms, augmenting {:.2} ms",
            1e3 / millis(decoding + augmenting),
            millis(decoding),
            millis(augmenting)
        );
    }
    Ok(())
}
