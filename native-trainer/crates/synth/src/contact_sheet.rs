//! All conditions at a glance: a row for each condition, columns through the skin tones.

use super::case::{Case, N_TONES, Split, rng_for};
use super::condition::Condition;
use super::picture;
use anyhow::{Context, Result, bail};
use image::imageops::replace;
use image::{ImageFormat, RgbImage};
use rayon::prelude::*;
use std::path::Path;

/// Pictures of each condition, two for each skin tone.
const N_COLUMNS: u32 = 12;

/// Writes the sheet to a PNG file, each tile half of `image_size` pixels square.
///
/// # Errors
/// When there is a file already, or none can be written.
pub fn write_contact_sheet(seed: u64, image_size: u32, out: &Path) -> Result<()> {
    if out.exists() {
        bail!("the file exists already: {}", out.display());
    }
    let sheet = contact_sheet(seed, N_COLUMNS, image_size / 2);
    sheet.save_with_format(out, ImageFormat::Png).with_context(|| format!("cannot write {}", out.display()))
}

/// A picture of 14 rows by `columns`, each tile `tile` pixels square; equal arguments give equal pictures.
fn contact_sheet(seed: u64, columns: u32, tile: u32) -> RgbImage {
    let n_rows = Condition::ALL.len() as u32;
    let paint = |index: u32| {
        let (row, column) = (index / columns, index % columns);
        let tone = (column as usize * N_TONES / columns.max(1) as usize).min(N_TONES - 1) as u8 + 1;
        let mut rng = rng_for(seed, Split::ContactSheet, u64::from(index), 0);
        let case = Case::sample(Condition::ALL[row as usize], tone, &mut rng);
        picture::paint(&case, (tile, tile), rng).image
    };
    let tiles: Vec<RgbImage> = (0..n_rows * columns).into_par_iter().map(paint).collect();
    let mut sheet = RgbImage::new(columns * tile, n_rows * tile);
    for (index, picture) in (0u32..).zip(&tiles) {
        let (row, column) = (index / columns, index % columns);
        replace(&mut sheet, picture, i64::from(column * tile), i64::from(row * tile));
    }
    sheet
}
