//! A small picture of the pixels that the model is given, for people.

use super::{CropBox, DecodedImage, RgbImage8, resample};
use crate::Result;
use crate::config::Interpolation;

/// Scales a decoded image down to at most `max_edge` pixels a side; a smaller image keeps its size.
///
/// The preview shows the pixels that preprocessing starts from: upright, in sRGB, without alpha.
///
/// # Errors
/// Those of [`resample`]; none for a decoded image.
pub fn preview(image: &DecodedImage, max_edge: u32) -> Result<RgbImage8> {
    let longest = image.width().max(image.height());
    if longest <= max_edge {
        return Ok(image.to_rgb());
    }
    let max_edge = max_edge.max(1);
    let scaled = |edge: u32| {
        let rounded = (u64::from(edge) * u64::from(max_edge) + u64::from(longest) / 2) / u64::from(longest);
        rounded.max(1) as u32
    };
    let (out_width, out_height) = (scaled(image.width()), scaled(image.height()));
    // Takes every n-th pixel, which leaves enough of them to average. Most of the time then goes to decoding.
    let stride = (2 * longest / max_edge / 3).max(1);
    let thinned = match stride {
        1 => None,
        _ => {
            let (width, height) = (image.width().div_ceil(stride), image.height().div_ceil(stride));
            Some(image.gather(width, height, |x, y| (x * stride, y * stride))?)
        }
    };
    let image = thinned.as_ref().unwrap_or(image);
    let whole = CropBox { left: 0, top: 0, width: image.width(), height: image.height() };
    Ok(resample(image, whole, out_width, out_height, Interpolation::Bilinear)?.to_rgb())
}

#[cfg(test)]
mod tests {
    use super::super::pixels::PixelMode;
    use super::*;

    fn gray(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> DecodedImage {
        let value = &value;
        let samples: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y))).collect();
        DecodedImage::from_samples(width, height, PixelMode::Gray, samples).unwrap()
    }

    #[test]
    fn a_small_image_is_its_own_preview() {
        let image = gray(3, 2, |x, y| (10 * y + x) as u8);
        let shown = preview(&image, 3).unwrap();
        assert_eq!((shown.width(), shown.height()), (3, 2));
        assert_eq!(shown.as_bytes(), [0, 0, 0, 1, 1, 1, 2, 2, 2, 10, 10, 10, 11, 11, 11, 12, 12, 12]);
    }

    #[test]
    fn a_large_image_is_scaled_down_and_keeps_its_sides() {
        let image = gray(400, 300, |x, _| if x < 200 { 40 } else { 200 });
        for max_edge in [399, 200, 40, 8] {
            let shown = preview(&image, max_edge).unwrap();
            assert_eq!((shown.width(), shown.height()), (max_edge, max_edge * 3 / 4));
            let row = &shown.as_bytes()[..3 * max_edge as usize];
            assert_eq!((row[0], row[row.len() - 1]), (40, 200));
        }
        let line = preview(&gray(5000, 1, |_, _| 7), 100).unwrap();
        assert_eq!((line.width(), line.height(), line.as_bytes()[0]), (100, 1, 7));
    }
}
