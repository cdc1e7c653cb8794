//! Says whether a photo shows a face, with YuNet (Wu, Peng and Yu 2023): a network of 54,000 parameters that also
//! answers to halves of faces, mouths, and eyes behind a bar, as pictures of the skin have them.

mod network;

use network::Network;
use shared_model::Result;
use shared_model::preprocess::{DecodedImage, RgbImage8, preview};

/// Longer side of the image that the network sees.
const SIDE: u32 = 320;
/// Score from which an image shows a face. docs/prepare.md has what is found and what is missed.
const THRESHOLD: f32 = 0.75;

/// A face detector.
pub struct FaceDetector {
    network: Network,
}

impl Default for FaceDetector {
    fn default() -> Self {
        Self { network: Network::compiled_in() }
    }
}

impl FaceDetector {
    /// Returns whether the image shows a face, upright or turned by a quarter or a half.
    ///
    /// # Errors
    /// None for a decoded image.
    pub fn has_face(&self, image: &DecodedImage) -> Result<bool> {
        let mut view = preview(image, SIDE)?;
        for turn in 0..4 {
            if self.score(&view) >= THRESHOLD {
                return Ok(true);
            }
            if turn < 3 {
                view = turned(&view)?;
            }
        }
        Ok(false)
    }

    /// Returns the score of the place that is most like an upright face, from 0 to 1.
    pub fn score(&self, image: &RgbImage8) -> f32 {
        self.network.best_score(image)
    }
}

/// Returns the image, turned by a quarter to the left.
fn turned(image: &RgbImage8) -> Result<RgbImage8> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (pixels, _) = image.as_bytes().as_chunks::<3>();
    let columns = (0..width).rev();
    let bytes = columns.flat_map(|x| (0..height).flat_map(move |y| pixels[y * width + x])).collect();
    RgbImage8::new(image.height(), image.width(), bytes)
}

#[cfg(test)]
mod tests;
