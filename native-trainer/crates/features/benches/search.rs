//! How long a search takes: `cargo run --release --example search_speed [IMAGES] [VALUES]`, by default 100,000 features
//! of 512 values, the ten nearest, 30 queries after one that warms up.

use anyhow::Result;
use dermake_features::Known;
use dermake_features::{FeatureStore, Identity, SearchIndex, Stamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

fn main() -> Result<()> {
    let argument = |at: usize, default: usize| match std::env::args().nth(at) {
        Some(text) => text.parse(),
        None => Ok(default),
    };
    let (n_images, embed_dim) = (argument(1, 100_000)?, argument(2, 512)?);
    let identity: Identity = serde_json::from_value(serde_json::json!({
        "model_sha256": "0", "model_name": "random", "embed_dim": embed_dim, "precision": "f32",
        "applies_exif": true, "arithmetic": 1,
    }))?;
    let folder = tempfile::tempdir()?;
    let mut store = FeatureStore::open(folder.path(), &identity)?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut unit = || {
        let values: Vec<f32> = (0..embed_dim).map(|_| rng.random_range(-1.0..1.0)).collect();
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        values.into_iter().map(|value| value / norm).collect::<Vec<f32>>()
    };
    for image in 0..n_images as u64 {
        let mut content = [0; 32];
        content[..8].copy_from_slice(&image.to_le_bytes());
        store.add(&[content], &unit())?;
        store.note_file(&format!("{image}.jpg"), Stamp { bytes: 0, modified_ns: 0 }, Known::Row(image));
    }
    store.save()?;
    drop(store);

    let opened = Instant::now();
    let index = SearchIndex::open(folder.path())?;
    index.nearest(&unit(), 10)?;
    println!("{n_images} features of {embed_dim} values; opened and searched once: {:?}", opened.elapsed());
    let mut millis: Vec<f64> = Vec::new();
    for _ in 0..30 {
        let query = unit();
        let started = Instant::now();
        let hits = index.nearest(&query, 10)?;
        millis.push(started.elapsed().as_secs_f64() * 1e3);
        assert!(hits.windows(2).all(|pair| pair[0].cosine >= pair[1].cosine));
    }
    millis.sort_unstable_by(f64::total_cmp);
    println!("a query: median {:.1} ms, {:.1} to {:.1}", millis[15], millis[0], millis[29]);
    Ok(())
}
