//! Measures blur and darkness of a small picture, to warn people before a model answers.
//!
//! Blur is the measure of [Crete et al., "The blur effect"](https://doi.org/10.1117/12.702790) (2007): a sharp picture
//! loses much of the difference between neighboring pixels when it is blurred, a blurred one loses little.

use super::{LUMA_WEIGHTS, RgbImage8};
use serde::{Deserialize, Serialize};

/// Width of the box filter, in pixels.
const FILTER_WIDTH: usize = 9;
/// Pictures with less difference between neighbors, in gray levels a pixel, have no detail that could be blurred.
const LEAST_DIFFERENCE: f32 = 0.05;

/// Blur and brightness of a picture. Both depend on its size, so measure the square that the model sees, or one like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoQuality {
    /// Blur in percent: 0 is sharp, 100 is blurred.
    pub blur_percent: u8,
    /// Gray level that 95 % of the pixels do not exceed. Well lit dark skin has highlights, an underexposed photo has not.
    pub bright_level: u8,
}

impl PhotoQuality {
    /// From this blur on, details that the model could see are lost. At 256 pixels a side, a photo of PAD-UFES-20 has 29
    /// percent and 150 drawn photos have at most 48; blurred by a Gaussian with a standard deviation of 2 pixels, the photo
    /// has 63 and half of the drawn ones have more than 62.
    pub const BLURRED_PERCENT: u8 = 60;
    /// Photos whose brightest pixels are below this level are underexposed. Drawn photos of the darkest skin have 81 or more.
    pub const DARK_LEVEL: u8 = 70;

    /// Measures a picture.
    pub fn of(image: &RgbImage8) -> Self {
        let gray = gray_levels(image);
        let (width, height) = (image.width() as usize, image.height() as usize);
        let rows = (0..height).map(|y| (y * width, 1, width));
        let columns = (0..width).map(|x| (x, width, height));
        let blur = blur_along(&gray, rows).max(blur_along(&gray, columns));
        Self { blur_percent: (100.0 * blur).round() as u8, bright_level: percentile_95(&gray) }
    }

    /// Returns whether the picture is blurred.
    pub fn is_blurred(&self) -> bool {
        self.blur_percent >= Self::BLURRED_PERCENT
    }

    /// Returns whether the picture is too dark.
    pub fn is_dark(&self) -> bool {
        self.bright_level < Self::DARK_LEVEL
    }
}

/// Returns the luma of every pixel.
fn gray_levels(image: &RgbImage8) -> Vec<f32> {
    let (pixels, _) = image.as_bytes().as_chunks::<3>();
    let [red, green, blue] = LUMA_WEIGHTS.map(|weight| weight as f32);
    let luma = |&[r, g, b]: &[u8; 3]| red * f32::from(r) + green * f32::from(g) + blue * f32::from(b);
    pixels.iter().map(luma).collect()
}

/// Blur between 0 and 1 along lines, each `(start, stride, length)`.
fn blur_along(gray: &[f32], lines: impl Iterator<Item = (usize, usize, usize)>) -> f32 {
    let (mut total, mut lost, mut n_pairs) = (0.0f64, 0.0f64, 0usize);
    for (start, stride, len) in lines {
        let line: Vec<f32> = (0..len).map(|at| gray[start + at * stride]).collect();
        let blurred = box_filtered(&line);
        for at in 1..len {
            let difference = (line[at] - line[at - 1]).abs();
            let blurred_difference = (blurred[at] - blurred[at - 1]).abs();
            total += f64::from(difference);
            lost += f64::from((difference - blurred_difference).max(0.0));
            n_pairs += 1;
        }
    }
    let has_detail = total > f64::from(LEAST_DIFFERENCE) * n_pairs as f64;
    if has_detail { ((total - lost) / total) as f32 } else { 0.0 }
}

/// The mean of each value and its neighbors; values beyond an end equal the last one.
fn box_filtered(line: &[f32]) -> Vec<f32> {
    let half = FILTER_WIDTH / 2;
    let at = |index: usize| line[index.saturating_sub(half).min(line.len() - 1)];
    let mut sum: f32 = (0..FILTER_WIDTH).map(at).sum();
    (0..line.len())
        .map(|index| {
            let mean = sum / FILTER_WIDTH as f32;
            sum += at(index + FILTER_WIDTH) - at(index);
            mean
        })
        .collect()
}

fn percentile_95(gray: &[f32]) -> u8 {
    let mut n_at = [0usize; 256];
    for &level in gray {
        n_at[level as usize] += 1;
    }
    let wanted = gray.len() * 95 / 100;
    let mut n_below = 0;
    n_at.iter()
        .position(|n| {
            n_below += n;
            n_below > wanted
        })
        .map_or(255, |level| level as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waves of this many pixels in both directions, between two gray levels.
    fn waves(period: f32, low: f32, high: f32) -> RgbImage8 {
        let wave = |at: u32| (at as f32 * std::f32::consts::TAU / period).sin();
        let pixels = (0..96).flat_map(|y| (0..128).map(move |x| (x, y)));
        let level = |(x, y)| (low + (high - low) * (0.5 + 0.25 * (wave(x) + wave(y)))) as u8;
        RgbImage8::new(128, 96, pixels.flat_map(|at| [level(at); 3]).collect()).unwrap()
    }

    #[test]
    fn fine_detail_is_sharp_and_coarse_detail_is_blurred() {
        let blur = [3.0, 8.0, 30.0, 90.0].map(|period| PhotoQuality::of(&waves(period, 20.0, 220.0)).blur_percent);
        assert!(blur.is_sorted(), "{blur:?}");
        assert!(blur[0] < 30 && blur[3] > 80, "{blur:?}");
    }

    #[test]
    fn a_picture_without_detail_is_not_called_blurred() {
        let flat = RgbImage8::new(64, 64, vec![90; 64 * 64 * 3]).unwrap();
        assert!(!PhotoQuality::of(&flat).is_blurred());
        let dot = RgbImage8::new(1, 1, vec![0; 3]).unwrap();
        assert_eq!(PhotoQuality::of(&dot), PhotoQuality { blur_percent: 0, bright_level: 0 });
    }

    #[test]
    fn a_picture_is_dark_if_even_its_bright_pixels_are() {
        assert!(PhotoQuality::of(&waves(5.0, 0.0, 50.0)).is_dark());
        assert!(!PhotoQuality::of(&waves(5.0, 0.0, 160.0)).is_dark(), "dark skin with highlights");
        assert!(!PhotoQuality::of(&waves(5.0, 120.0, 250.0)).is_dark());
    }
}
