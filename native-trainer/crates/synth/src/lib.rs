//! `dermake synth`: a drawn dermatology set, the default data for training, evaluation and the demo.
//!
//! A case is chosen (`case`), painted as layers of color, blood, melanin and height on skin (`picture`, `scene`,
//! `skin`, `lesions`), lit (`relief`) and photographed (`camera`). The painter notes what it drew (`findings`), and the
//! captions and annotations are made from these notes only. Every picture and row is a pure function of (seed, split,
//! index), so threads change nothing and splits share nothing.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod camera;
mod canvas;
mod captions;
mod case;
mod condition;
mod contact_sheet;
mod findings;
mod folder;
mod hair;
mod lesions;
mod mask;
mod noise;
mod options;
mod other;
mod picture;
mod relief;
mod scene;
mod shape;
mod skin;
mod tables;

pub use contact_sheet::write_contact_sheet;
pub use folder::{MarkedPhoto, View};
pub use options::{Extras, SynthOptions};

use anyhow::{Result, bail};
use case::Split;
use condition::Condition;
use dermake_files::output::OutputFolder;
use indicatif::{ProgressBar, ProgressStyle};
use options::MIN_IMAGE_SIZE;
use rayon::prelude::*;

/// Writes the set to `options.out`, whole or not at all.
///
/// # Errors
/// When the folder is occupied or cannot be written, and for sizes that make no set.
pub fn synth(options: &SynthOptions) -> Result<()> {
    if options.n_images == 0 {
        bail!("expected at least one image, found 0");
    }
    if options.image_size < MIN_IMAGE_SIZE {
        bail!("expected images of at least {MIN_IMAGE_SIZE} pixels, found {}", options.image_size);
    }
    let folder = OutputFolder::create(&options.out)?;
    let parts = folder::parts(options.n_images);
    let bar = progress(parts.iter().map(|part| part.n_images).sum::<usize>() + options.extras.n_other);
    for part in &parts {
        folder::write_part(&folder, options, part, &bar)?;
    }
    folder::write_other(&folder, options, &bar)?;
    folder::write_descriptions(&folder, options)?;
    bar.finish_and_clear();
    folder.finish()
}

/// Draws `n_photos` training pictures as JPEGs, the shorter edge `image_size` pixels, without their captions.
///
/// # Errors
/// When a picture cannot be encoded.
pub fn photos(n_photos: usize, image_size: u32, seed: u64) -> Result<Vec<Vec<u8>>> {
    let size = image_size.max(MIN_IMAGE_SIZE);
    let photo = |index: usize| Ok(folder::photograph(seed, Split::Train, index as u64, size, View::Usual)?.jpeg);
    (0..n_photos).into_par_iter().map(photo).collect()
}

/// Draws `n_photos` pictures as those of the zero-shot benchmark, with what is on them.
///
/// # Errors
/// When a picture cannot be encoded.
pub fn marked_photos(n_photos: usize, image_size: u32, seed: u64, view: View) -> Result<Vec<MarkedPhoto>> {
    let size = image_size.max(MIN_IMAGE_SIZE);
    let photo = |index: usize| folder::marked_photo(seed, index as u64, size, view);
    (0..n_photos).into_par_iter().map(photo).collect()
}

/// Names of the conditions that are drawn, in label order.
pub fn conditions() -> Vec<&'static str> {
    Condition::ALL.iter().map(|condition| condition.name()).collect()
}

/// Writes `n_captions` captions of drawn pictures, each of another picture.
///
/// # Errors
/// When a picture cannot be encoded.
pub fn captions(n_captions: usize, seed: u64) -> Result<Vec<String>> {
    let caption = |index: usize| folder::caption(seed, Split::Retrieval, index as u64);
    (0..n_captions).into_par_iter().map(caption).collect()
}

fn progress(n_images: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("drawing {bar:30} {pos}/{len} images, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(n_images as u64).with_style(style)
}

#[cfg(test)]
mod tests;
