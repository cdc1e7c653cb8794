//! Says whether text is burnt into a photo: names, dates, labels, watermarks.
//!
//! Letters of a line are strokes of one color with sharp edges, of like height, on one baseline. Ink is what stands out
//! from its surroundings in the red or the blue channel, which between them show every usual color of text on skin. Its
//! connected parts are candidates for letters; a line is a row of four or more. Hairs and borders are too long for a
//! letter, ticks of rulers have no shape but a bar, and textures of the skin have no baseline.

mod components;
mod ink;
mod letters;
mod lines;
mod median;

use shared_model::Result;
use shared_model::config::Interpolation;
use shared_model::preprocess::{CropBox, DecodedImage, PixelMode, RgbImage8, preview, resample};

/// Longer side that is looked at.
const SIDE: u32 = 1024;
/// An image is enlarged at most so many times: its letters may be of few pixels.
const MAX_ENLARGEMENT: u32 = 2;
/// An image is halved for larger letters until its longer side is at most this, or its shorter one below the other.
const LEAST_LONG_SIDE: u32 = 320;
const LEAST_SHORT_SIDE: u32 = 60;
/// Red and blue.
const CHANNELS: [usize; 2] = [0, 2];

/// Returns whether the image has a line of text, upright and of at least four letters.
///
/// # Errors
/// None for a decoded image.
pub fn has_text(image: &DecodedImage) -> Result<bool> {
    let mut view = enlarged(preview(image, SIDE)?)?;
    while view.width().min(view.height()) >= LEAST_SHORT_SIDE {
        for channel in CHANNELS {
            let contrast = ink::contrast(&view, channel);
            for side in [ink::Side::Brighter, ink::Side::Darker] {
                let ink = ink::ink(&contrast, &view, side);
                let letters = letters::letters(&view, channel, &contrast, &ink);
                if lines::lines(&letters).iter().any(|line| lines::is_text(line)) {
                    return Ok(true);
                }
            }
        }
        if view.width().max(view.height()) <= LEAST_LONG_SIDE {
            break;
        }
        view = halved(&view)?;
    }
    Ok(false)
}

/// A small image, enlarged.
fn enlarged(image: RgbImage8) -> Result<RgbImage8> {
    let (width, height) = (image.width(), image.height());
    let longer = width.max(height);
    let scaled = |edge: u32| (edge * MAX_ENLARGEMENT).min(edge * SIDE / longer).max(1);
    // Little is gained by less, and it would cost as much.
    if 8 * longer > 5 * SIDE {
        return Ok(image);
    }
    let image = DecodedImage::from_samples(width, height, PixelMode::Rgb, image.into_bytes())?;
    let whole = CropBox { left: 0, top: 0, width, height };
    Ok(resample(&image, whole, scaled(width), scaled(height), Interpolation::Bicubic)?.to_rgb())
}

/// The image with the mean of each 2 x 2 pixels.
fn halved(image: &RgbImage8) -> Result<RgbImage8> {
    let (width, rows) = (image.width() as usize, image.height() as usize / 2);
    let columns = width / 2;
    let (pixels, _) = image.as_bytes().as_chunks::<3>();
    let mut bytes = Vec::with_capacity(3 * rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            let first = 2 * row * width + 2 * column;
            let square = [first, first + 1, first + width, first + width + 1].map(|at| pixels[at].map(u32::from));
            bytes.extend(
                [0, 1, 2].map(|color| ((square.iter().map(|pixel| pixel[color]).sum::<u32>() + 2) / 4) as u8),
            );
        }
    }
    RgbImage8::new(columns as u32, rows as u32, bytes)
}

#[cfg(test)]
mod tests;
