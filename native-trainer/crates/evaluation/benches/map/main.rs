//! The pointing game of similarity maps, and what a map costs:
//! `cargo run --release --locked --workspace --example bench_map`.
//!
//! A method points at one patch of a drawn photo, given the name of its condition; it wins where the middle of that patch
//! is in a lesion, by the mask that the painter kept. The middle of the picture is a method, too: drawn lesions are about
//! there, unless the photos are drawn off center.

mod cost;
mod crops;
mod methods;
mod subject;
mod surgery;

use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use clap::Parser;
use dermake_synth::{MarkedPhoto, View, marked_photos};
use methods::{Method, Sight};
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{self, DecodedImage, PixelMode, Reading};
use subject::Subject;

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Options {
    /// Photos of each seed and view
    #[arg(long, default_value_t = 560)]
    photos: usize,
    /// Seeds of the photos, none of which the model was trained on
    #[arg(long, value_delimiter = ',', default_value = "7,8")]
    seeds: Vec<u64>,
    /// A dense checkpoint that knows the drawn conditions [default: the demo model]
    #[arg(long)]
    model: Option<String>,
    /// Also times a map of a model with random weights of this architecture, such as ViT-B-16
    #[arg(long)]
    cost: Option<String>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(arch) = &options.cost {
        return cost::print(arch);
    }
    let subject = Subject::load(options.model.as_deref())?;
    println!("view        seed  method                              hits   of    share");
    for (view, name) in [(View::Usual, "usual"), (View::OffCenter, "off center")] {
        for &seed in &options.seeds {
            let side = subject.config.preprocess.image_size as u32;
            let photos = marked_photos(options.photos, side, seed, view)?;
            play(&subject, &photos, &format!("{name:<10}  {seed:>4}"))?;
            crops::print(&subject, &photos, &format!("{name:<10}  {seed:>4}"))?;
        }
    }
    Ok(())
}

/// Prints how often each method points at a lesion.
fn play(subject: &Subject, photos: &[MarkedPhoto], about: &str) -> Result<()> {
    let mut hits = vec![0usize; Method::ALL.len()];
    for photo in photos {
        let (pixel_values, mask) = prepared(photo, &subject.config.preprocess)?;
        let label = subject.label_of(photo)?;
        let sight = Sight::of(subject, &pixel_values)?;
        for (method, hits) in Method::ALL.into_iter().zip(&mut hits) {
            let (row, column) = method.point(subject, &sight, label)?;
            *hits += usize::from(mask.is_lesion(row, column));
        }
    }
    for (method, hits) in Method::ALL.into_iter().zip(hits) {
        let share = hits as f64 / photos.len().max(1) as f64;
        println!("{about}  {:<34}  {hits:>4}  {:>4}  {share:.3}", method.name(), photos.len());
    }
    Ok(())
}

/// The lesions in the square that the model looks at.
struct Mask {
    side: usize,
    is_lesion: Vec<bool>,
}

impl Mask {
    /// Whether a place is in a lesion, in shares of the side from the top and from the left.
    fn is_lesion(&self, row: f64, column: f64) -> bool {
        let pixel = |share: f64| ((share * self.side as f64) as usize).min(self.side - 1);
        self.is_lesion[pixel(row) * self.side + pixel(column)]
    }
}

/// The photo as the model takes it, `[1, 3, S, S]`, and its mask, cropped alike.
fn prepared(photo: &MarkedPhoto, config: &PreprocessConfig) -> Result<(Tensor, Mask)> {
    let pixel_values = preprocess::preprocess(&photo.jpeg, config, Reading::Reference)?.unsqueeze(0)?;
    let (width, height) = photo.lesions.dimensions();
    let gray = DecodedImage::from_samples(width, height, PixelMode::Gray, photo.lesions.as_raw().clone())?;
    let cropped = preprocess::resize_and_crop(&gray, config)?;
    let is_lesion: Vec<bool> = cropped.as_bytes().iter().step_by(3).map(|&value| value >= 128).collect();
    let side = config.image_size;
    ensure!(is_lesion.len() == side * side, "a mask of {} pixels for a square of {side}", is_lesion.len());
    Ok((pixel_values.to_device(&Device::Cpu)?, Mask { side, is_lesion }))
}
