//! How many samples a second the loader makes, for small, medium and large photos and 1, 2, 4, … threads:
//! `cargo run --release -p dermake-data --example bench_loader`, as `just bench-loader`.
//!
//! The photos are drawn skin, saved as JPEGs; each is decoded, augmented and put into batches as in training.

use anyhow::{Context, Result};
use clap::Parser;
use dermake_data::{Augmentation, Loader, LoaderOptions, Position, SampleSource, TableOptions, TrainingTable};
use dermake_process::host;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use serde_json::json;
use shared_model::config::{Interpolation, PreprocessConfig};
use shared_model::preprocess::{CropBox, DecodedImage, Reading, decode, resample};
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The program's own allocator, which `host::prepare` tunes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Copies of each photo in a table, so that batches do not come from one file.
const N_FILES: usize = 16;

#[derive(Parser)]
struct Options {
    /// A photo to take the pictures from
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared-model/data/samples/sample-1.jpg"))]
    photo: std::path::PathBuf,
    /// Seconds a measurement
    #[arg(long, default_value_t = 8.0)]
    secs: f64,
}

fn main() -> Result<()> {
    host::prepare();
    let options = Options::parse();
    let bytes = fs::read(&options.photo).with_context(|| format!("cannot read {}", options.photo.display()))?;
    let photo = decode(&bytes, Reading::Reference)?;
    let folder = tempfile::tempdir()?;
    let n_cores = std::thread::available_parallelism()?.get();
    let threads: Vec<usize> = (0..).map(|power| 1 << power).take_while(|&n| n <= n_cores).collect();
    let (mut sizes, mut rows) = (vec![("400 px", 400, 400), ("1000 px", 1000, 1000)], Vec::new());
    sizes.push(("12 megapixels", 4000, 3000));
    for (name, width, height) in sizes {
        let source = source(folder.path(), &photo, width, height)?;
        for &n_threads in &threads {
            let per_sec = measure(&source, n_threads, options.secs)?;
            println!(
                "{name:>14}, {n_threads:>3} threads: {per_sec:8.1} samples/s, {:7.1} a thread",
                per_sec / n_threads as f64
            );
            rows.push(json!({"size": name, "threads": n_threads, "samples_per_sec": per_sec}));
        }
    }
    println!("{}", json!({"cores": n_cores, "rows": rows}));
    Ok(())
}

/// A table of JPEGs of one size.
fn source(folder: &Path, photo: &DecodedImage, width: u32, height: u32) -> Result<Arc<SampleSource>> {
    let folder = folder.join(format!("{width}x{height}"));
    fs::create_dir_all(&folder)?;
    let whole = CropBox { left: 0, top: 0, width: photo.width(), height: photo.height() };
    let scaled = resample(photo, whole, width, height, Interpolation::Bicubic)?.to_rgb();
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 92);
    encoder.encode(scaled.as_bytes(), width, height, ExtendedColorType::Rgb8)?;
    let mut table =
        String::from("filename,truncated_caption,ontology_caption,visual_concept_caption,knowledge_masks\n");
    for number in 0..N_FILES {
        fs::write(folder.join(format!("{number}.jpg")), &jpeg)?;
        table += &format!("{number}.jpg,caption number {number} of a drawn lesion,,,\"[1, 0, 0]\"\n");
    }
    let path = folder.join("train.csv");
    fs::write(&path, table)?;
    let options = TableOptions { n_subcaptions: 0, ..TableOptions::default() };
    let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, 77)?;
    let table = TrainingTable::read(&path, &options)?;
    Ok(Arc::new(SampleSource::new(table, folder, tokenizer, PreprocessConfig::openai(224))))
}

/// Samples a second over about `secs` seconds, after one batch that is not counted.
fn measure(source: &Arc<SampleSource>, n_threads: usize, secs: f64) -> Result<f64> {
    let options = LoaderOptions { batch_size: N_FILES, n_workers: n_threads, ..LoaderOptions::default() };
    let mut loader =
        Loader::training(source.clone(), &options, &Augmentation::default(), 0, usize::MAX, Position::default())?;
    loader.next_batch()?;
    let (started, mut n_samples) = (Instant::now(), 0);
    while started.elapsed().as_secs_f64() < secs {
        n_samples += loader.next_batch()?.context("the loader goes on forever")?.rows.len();
    }
    Ok(n_samples as f64 / started.elapsed().as_secs_f64())
}
