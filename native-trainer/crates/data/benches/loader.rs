//! How many samples a second the loader makes, for small, medium and large photos and 1, 2, 4, … threads:
//! `cargo run --release -p dermake-data --example bench_loader`, as `just bench-loader`.
//!
//! The photos are drawn skin, saved as JPEGs; each is decoded, augmented and put into batches as in training.

use anyhow::{Context, Result};
use clap::Parser;
use dermake_data::{Augmentation, Loader, LoaderOptions, Position, SampleSource, TableOptions, TrainingTable};
use dermake_objective::Captions;
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
    let captions = captions(folder.path(), &photo)?;
    println!("{}", json!({"cores": n_cores, "rows": rows, "captions": captions}));
    Ok(())
}

/// Rows of a batch in which captions are timed, and captions of a row.
const CAPTION_ROWS: usize = 2048;
const CAPTIONS: usize = 11;

/// Milliseconds of the captions of one batch like the paper's: tokenized, as in the first epoch, and known, as later;
/// and of finding the distinct ones. All on one thread.
fn captions(folder: &Path, photo: &DecodedImage) -> Result<serde_json::Value> {
    let source = caption_source(folder, photo)?;
    let options =
        LoaderOptions { batch_size: CAPTION_ROWS, n_workers: 1, prefetch_batches: 1, ..Default::default() };
    let mut loader =
        Loader::training(source, &options, &Augmentation::default(), 0, usize::MAX, Position::default())?;
    let mut batch_ms = || -> Result<f64> {
        let started = Instant::now();
        loader.next_batch()?.context("the loader goes on forever")?;
        Ok(1e3 * started.elapsed().as_secs_f64())
    };
    let first = batch_ms()?;
    let later = (0..3).map(|_| batch_ms()).collect::<Result<Vec<f64>>>()?.into_iter().fold(f64::INFINITY, f64::min);

    // What the loader's own thread does with the tokens of a batch.
    let tokens: Vec<Arc<[u16]>> = (0..CAPTION_ROWS * CAPTIONS)
        .map(|at| (0..32).map(|token| ((at % (6 * CAPTION_ROWS)) * 31 + token) as u16).collect())
        .collect();
    let started = Instant::now();
    let (distinct, _) = Captions::distinct(&tokens, vec![true; tokens.len()], CAPTIONS);
    let distinct_ms = 1e3 * started.elapsed().as_secs_f64();
    println!(
        "captions of {CAPTION_ROWS} samples: {:.1} ms to tokenize, once; {distinct_ms:.1} ms to find {} distinct ones",
        first - later,
        distinct.n_rows
    );
    Ok(json!({"tokenize_ms": first - later, "distinct_ms": distinct_ms}))
}

/// A table of distinct captions of thirty words and of tiny pictures.
fn caption_source(folder: &Path, photo: &DecodedImage) -> Result<Arc<SampleSource>> {
    const WORDS: [&str; 8] = ["erythematous", "papule", "with", "scale", "on", "the", "left", "forearm"];
    let whole = CropBox { left: 0, top: 0, width: photo.width(), height: photo.height() };
    let tiny = resample(photo, whole, 32, 32, Interpolation::Bicubic)?.to_rgb();
    let mut jpeg = Vec::new();
    JpegEncoder::new(&mut jpeg).encode(tiny.as_bytes(), 32, 32, ExtendedColorType::Rgb8)?;
    fs::write(folder.join("tiny.jpg"), &jpeg)?;
    let names: Vec<String> = (1..=CAPTIONS - 3).map(|number| format!("subcaption_{number}")).collect();
    let mut table = format!(
        "filename,truncated_caption,ontology_caption,visual_concept_caption,{},sub_caption_mask,knowledge_masks\n",
        names.join(",")
    );
    for row in 0..CAPTION_ROWS {
        table += "tiny.jpg";
        for kind in 0..CAPTIONS {
            let words: Vec<&str> =
                (0..30).map(|word| WORDS[(row * (word + 1) + kind * word) % WORDS.len()]).collect();
            table += &format!(",{} {row} {kind}", words.join(" "));
        }
        table += &format!(",\"{:?}\",\"[1, 1, 1]\"\n", vec![1; CAPTIONS - 3]);
    }
    let path = folder.join("captions.csv");
    fs::write(&path, table)?;
    let table = TrainingTable::read(&path, &TableOptions::default())?;
    let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, 77)?;
    Ok(Arc::new(SampleSource::new(table, folder, tokenizer, PreprocessConfig::openai(32))))
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
