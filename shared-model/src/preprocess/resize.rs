//! From a decoded image to the square that the model sees.

use super::pixels::{DecodedImage, RgbImage8};
use super::resample::resample_window;
use super::taps::Axis;
use crate::config::{CropRounding, PreprocessConfig, ResizeMode, RgbConversion};
use crate::{Error, Result};
use std::borrow::Cow;
use std::ops::Range;

/// The largest side S that an image is scaled to, in pixels.
const MAX_SIDE: u64 = 10_000;

/// How an image is scaled and cropped to S x S pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResizePlan {
    /// Width of the scaled image, in pixels; it may be far beyond what is ever computed.
    pub scaled_width: u64,
    /// Height of the scaled image, in pixels.
    pub scaled_height: u64,
    /// First column of the crop, in pixels of the scaled image.
    pub crop_left: u64,
    /// First row of the crop, in pixels of the scaled image.
    pub crop_top: u64,
}

impl ResizePlan {
    /// The plan for an image of `width` x `height` pixels.
    ///
    /// # Errors
    /// [`Error::Config`] if the config's image size is 0 or absurd, [`Error::Resample`] if the image has no pixels.
    pub fn new(width: u32, height: u32, config: &PreprocessConfig) -> Result<Self> {
        let side = checked_side(config)?;
        let short = u64::from(width.min(height));
        if short == 0 {
            let found = format!("{width}x{height}");
            return Err(Error::Resample { what: "the image size", expected: "at least one pixel".into(), found });
        }
        let scaled = |edge: u32| match config.resize_mode {
            ResizeMode::Shortest => side * u64::from(edge) / short,
            ResizeMode::Longest => scaled_to_longest(edge, width.max(height), side),
            ResizeMode::Squash => side,
        };
        let crop_offset = |scaled: u64| {
            let excess = scaled.saturating_sub(side);
            match config.crop_rounding {
                CropRounding::HalfToEven => half_rounded_to_even(excess),
                CropRounding::Down => excess / 2,
            }
        };
        let (scaled_width, scaled_height) = (scaled(width), scaled(height));
        Ok(Self {
            scaled_width,
            scaled_height,
            crop_left: crop_offset(scaled_width),
            crop_top: crop_offset(scaled_height),
        })
    }
}

/// Scales and crops (or pads) an image to S x S pixels.
///
/// # Shapes
/// - returns u8 `[S, S, 3]` (HWC), RGB
///
/// # Errors
/// [`Error::Config`] if the config's image size is 0 or absurd, [`Error::ImageMemory`] if there is no room for the
/// image as RGB.
pub fn resize_and_crop(image: &DecodedImage, config: &PreprocessConfig) -> Result<RgbImage8> {
    let plan = ResizePlan::new(image.width(), image.height(), config)?;
    let side = checked_side(config)?;
    let image = match config.rgb_conversion {
        RgbConversion::AfterResize => Cow::Borrowed(image),
        RgbConversion::OverWhite => image.rgb_over_white()?,
        RgbConversion::DropAlpha => image.rgb_without_alpha()?,
    };
    let columns = axis(image.width(), plan.scaled_width, plan.crop_left, side);
    let rows = axis(image.height(), plan.scaled_height, plan.crop_top, side);
    let scaled = resample_window(&image, &columns, &rows, config.interpolation)?;
    if u64::from(scaled.width()) == side && u64::from(scaled.height()) == side {
        return Ok(scaled.to_rgb());
    }
    Ok(scaled.padded_to(side as u32, config.fill_color)?.to_rgb())
}

/// `len` samples brought to `scaled`, of which `side` from `crop` on are wanted, or all where they are fewer.
fn axis(len: u32, scaled: u64, crop: u64, side: u64) -> Axis {
    let window: Range<u64> = crop..crop + side.min(scaled);
    Axis { source: 0..len, size: scaled, window }
}

/// `edge` in the image whose longest edge becomes `side`, in the reference's floating point; at least a pixel.
fn scaled_to_longest(edge: u32, longest: u32, side: u64) -> u64 {
    let ratio = f64::from(longest) / side as f64;
    ((f64::from(edge) / ratio).round_ties_even() as u64).clamp(1, side)
}

/// The config's S, if an image of S x S pixels is within the limits.
fn checked_side(config: &PreprocessConfig) -> Result<u64> {
    match config.image_size as u64 {
        side @ 1..=MAX_SIDE => Ok(side),
        side => Err(Error::Config {
            field: "image_size".into(),
            expected: format!("1 to {MAX_SIDE}"),
            found: side.to_string(),
        }),
    }
}

/// `excess / 2`, a half going to the even neighbor: Python's `round`.
fn half_rounded_to_even(excess: u64) -> u64 {
    let half = excess / 2;
    half + (excess & half & 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crop_offset_rounds_half_to_even() {
        // [round(excess / 2) for excess in range(8)]
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(half_rounded_to_even), [0, 0, 1, 2, 2, 2, 3, 4]);
    }

    #[test]
    fn the_longest_edge_is_the_side_and_the_other_rounds_half_to_even() {
        // [round(edge / (100 / 10)) for edge in (100, 5, 15, 25, 26)], and no edge is lost
        let scaled = [100, 5, 15, 25, 26, 1].map(|edge| scaled_to_longest(edge, 100, 10));
        assert_eq!(scaled, [10, 1, 2, 2, 3, 1]);
        for longest in 1..2000 {
            assert_eq!(scaled_to_longest(longest, longest, 224), 224);
        }
    }
}
