//! From the bytes of a picture to `pixel_values`.
//!
//! The one preprocessing of training, evaluation and inference, native and web: decode, resize the short edge to S
//! (bicubic, antialiased), crop the centre, convert to RGB, scale to [0, 1], normalise. It equals, bit for bit
//! on lossless files, open_clip's evaluation transform with torchvision 0.29 on Pillow 13:
//! [`transform.py`](https://github.com/mlfoundations/open_clip/blob/89fb801/src/open_clip/transform.py).
//!
//! The order matters: Pillow resamples in the mode of the file and converts to RGB only afterwards, and so does this.

mod color;
mod convolve;
mod decode;
mod encode;
mod limits;
mod orientation;
mod pixels;
mod preview;
mod reading;
mod resample;
mod taps;

pub use decode::{check_size, decode, decode_within, size};
pub use encode::encode_png;
pub use limits::{MAX_EDGE, MAX_MEGAPIXELS};
pub use pixels::{DecodedImage, PixelMode, RgbImage8};
pub use preview::preview;
pub use reading::Reading;
pub use resample::{CropBox, resample};

pub use crate::file_kind::{FileKind, OtherFile, PictureFormat};

use crate::config::{PreprocessConfig, ResizeMode};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use resample::resample_window;
use taps::Axis;

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
        let (width, height) = (u64::from(width), u64::from(height));
        let short = width.min(height);
        if short == 0 {
            let found = format!("{width}x{height}");
            return Err(Error::Resample { what: "the image size", expected: "at least one pixel".into(), found });
        }
        let (scaled_width, scaled_height) = match config.resize_mode {
            ResizeMode::Shortest => (side * width / short, side * height / short),
            ResizeMode::Squash => (side, side),
        };
        Ok(Self {
            scaled_width,
            scaled_height,
            crop_left: half_rounded_to_even(scaled_width - side),
            crop_top: half_rounded_to_even(scaled_height - side),
        })
    }
}

/// Scales and crops an image to S x S pixels.
///
/// # Shapes
/// - returns u8 `[S, S, 3]` (HWC), RGB
///
/// # Errors
/// [`Error::Config`] if the config's image size is 0 or absurd.
pub fn resize_and_crop(image: &DecodedImage, config: &PreprocessConfig) -> Result<RgbImage8> {
    let plan = ResizePlan::new(image.width(), image.height(), config)?;
    let side = checked_side(config)?;
    let columns =
        Axis { source: 0..image.width(), size: plan.scaled_width, window: plan.crop_left..plan.crop_left + side };
    let rows =
        Axis { source: 0..image.height(), size: plan.scaled_height, window: plan.crop_top..plan.crop_top + side };
    Ok(resample_window(image, &columns, &rows, config.interpolation)?.to_rgb())
}

/// Scales an image's bytes to [0, 1] and normalises them by the config's mean and standard deviation.
///
/// # Shapes
/// - returns f32 `[3, height, width]` (CHW), row-major
pub fn pixel_values(image: &RgbImage8, config: &PreprocessConfig) -> Vec<f32> {
    let (pixels, _) = image.as_bytes().as_chunks::<3>();
    let plane = |channel: usize| {
        let (mean, std) = (config.mean[channel], config.std[channel]);
        pixels.iter().map(move |pixel| (f32::from(pixel[channel]) / 255.0 - mean) / std)
    };
    (0..3).flat_map(plane).collect()
}

/// Decodes a picture and prepares it for the vision tower.
///
/// # Shapes
/// - returns f32 `[3, S, S]` on the CPU, normalised; stack them to `pixel_values` `[B, 3, S, S]`
///
/// # Errors
/// Those of [`decode`] and [`resize_and_crop`].
pub fn preprocess(bytes: &[u8], config: &PreprocessConfig, reading: Reading) -> Result<Tensor> {
    preprocess_within(bytes, config, reading, MAX_MEGAPIXELS)
}

/// [`preprocess`], of a picture of at most `max_megapixels`.
///
/// # Errors
/// Those of [`decode_within`] and [`resize_and_crop`].
pub fn preprocess_within(
    bytes: &[u8],
    config: &PreprocessConfig,
    reading: Reading,
    max_megapixels: u32,
) -> Result<Tensor> {
    preprocess_decoded(&decode_within(bytes, reading, max_megapixels)?, config)
}

/// [`preprocess`], of a picture that is decoded already.
///
/// # Errors
/// Those of [`resize_and_crop`].
pub fn preprocess_decoded(image: &DecodedImage, config: &PreprocessConfig) -> Result<Tensor> {
    let values = pixel_values(&resize_and_crop(image, config)?, config);
    Ok(Tensor::from_vec(values, (3, config.image_size, config.image_size), &Device::Cpu)?)
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

/// `excess / 2`, a half going to the even neighbour: Python's `round`.
fn half_rounded_to_even(excess: u64) -> u64 {
    let half = excess / 2;
    half + (excess & half & 1)
}

#[cfg(test)]
mod tests;
