//! Where the lesions of a picture are: the pixels that their painter changed.

use super::canvas::{Canvas, Pixel};
use image::{GrayImage, Luma};

/// Smallest change of a color channel, linear, and of the height, that can be seen.
const LEAST_COLOR: f32 = 0.02;
const LEAST_HEIGHT: f32 = 0.002;

/// White where a pixel changed between two states of a canvas, black elsewhere.
pub fn changed(before: &[Pixel], after: &Canvas) -> GrayImage {
    let is_changed = |(before, after): (&Pixel, &Pixel)| {
        let by_color = before.color.iter().zip(after.color).any(|(a, b)| (a - b).abs() > LEAST_COLOR);
        by_color || (before.height - after.height).abs() > LEAST_HEIGHT
    };
    let changes: Vec<bool> = before.iter().zip(&after.pixels).map(is_changed).collect();
    GrayImage::from_fn(after.width, after.height, |x, y| {
        Luma([if changes[(y * after.width + x) as usize] { 255 } else { 0 }])
    })
}
