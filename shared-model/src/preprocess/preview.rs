//! A picture small enough to show, made from the pixels that the model is given.

use super::{CropBox, DecodedImage, RgbImage8, resample};
use crate::Result;
use crate::config::Interpolation;

/// The image at most `max_edge` pixels wide and high, in its own proportions and never enlarged.
///
/// Of a decoded photo it is upright, in sRGB and without alpha: what [`resize_and_crop`](super::resize_and_crop) crops.
///
/// # Errors
/// [`Error::Resample`](crate::Error::Resample) if `max_edge` is 0.
pub fn preview(image: &DecodedImage, max_edge: u32) -> Result<RgbImage8> {
    let (width, height) = (image.width(), image.height());
    let long = width.max(height);
    if long <= max_edge {
        return Ok(image.to_rgb());
    }
    let scaled = |edge: u32| {
        let rounded = (u64::from(edge) * u64::from(max_edge) + u64::from(long) / 2) / u64::from(long);
        (rounded as u32).max(max_edge.min(1))
    };
    let whole = CropBox { left: 0, top: 0, width, height };
    Ok(resample(image, whole, scaled(width), scaled(height), Interpolation::Bicubic)?.to_rgb())
}
