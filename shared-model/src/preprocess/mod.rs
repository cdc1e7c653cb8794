//! From the bytes of a picture to `pixel_values`.
//!
//! The one preprocessing of training, evaluation and inference, native and web: decode, resize (bicubic or bilinear,
//! antialiased), crop the center or pad, scale to [0, 1], normalize. It equals, bit for bit on lossless files,
//! open_clip's evaluation transform with torchvision 0.29 on Pillow 13
//! ([`transform.py`](https://github.com/mlfoundations/open_clip/blob/89fb801/src/open_clip/transform.py)) and the
//! image processors of transformers 5 on Pillow.
//!
//! The order matters: open_clip resamples in the mode of the file and converts to RGB only afterwards, transformers
//! converts first ([`RgbConversion`]).

mod background;
mod color;
mod convolve;
mod decode;
mod encode;
mod limits;
mod luma;
mod memory;
mod orientation;
mod pixels;
mod preview;
mod quality;
mod reading;
mod resample;
mod resize;
mod taps;

pub use decode::{check_size, decode, decode_within, size};
pub use encode::encode_png;
pub use limits::{MAX_EDGE, MAX_MEGAPIXELS};
pub use luma::LUMA_WEIGHTS;
pub use pixels::{DecodedImage, PixelMode, RgbImage8};
pub use preview::preview;
pub use quality::PhotoQuality;
pub use reading::Reading;
pub use resample::{CropBox, resample};
pub use resize::{ResizePlan, resize_and_crop};

pub use crate::file_kind::{FileKind, OtherFile};
pub use crate::picture_format::PictureFormat;

use crate::Result;
use crate::config::PreprocessConfig;
#[cfg(doc)]
use crate::config::RgbConversion;
use candle_core::{Device, Tensor};

/// Scales an image's bytes to [0, 1] and normalizes them by the config's mean and standard deviation.
///
/// # Shapes
/// - returns f32 `[3, height, width]` (CHW), row-major
pub fn pixel_values(image: &RgbImage8, config: &PreprocessConfig) -> Vec<f32> {
    let (pixels, _) = image.as_bytes().as_chunks::<3>();
    let plane = |channel: usize| {
        let normalized = normalization(config, channel);
        pixels.iter().map(move |pixel| normalized(pixel[channel]))
    };
    (0..3).flat_map(plane).collect()
}

/// Normalizes a batch as [`pixel_values`] does an image.
///
/// # Shapes
/// - `pixels`: u8 `[B, 3, S, S]` on the CPU, RGB; returns f32 of the same shape
///
/// # Errors
/// When the pixels are of another type or shape.
pub fn normalized(pixels: &Tensor, config: &PreprocessConfig) -> Result<Tensor> {
    let (_, channels, height, width) = pixels.dims4()?;
    let bytes = pixels.flatten_all()?.to_vec1::<u8>()?;
    let planes = bytes.chunks(height * width).zip((0..channels).cycle());
    let values = planes.flat_map(|(plane, channel)| {
        let normalized = normalization(config, channel);
        plane.iter().map(move |&byte| normalized(byte))
    });
    Ok(Tensor::from_vec(values.collect::<Vec<f32>>(), pixels.shape(), &Device::Cpu)?)
}

/// The normalized value of a byte of a channel.
fn normalization(config: &PreprocessConfig, channel: usize) -> impl Fn(u8) -> f32 + Copy {
    let (mean, std) = (config.mean[channel], config.std[channel]);
    move |byte| (f32::from(byte) / 255.0 - mean) / std
}

/// Decodes a picture and prepares it for the vision tower.
///
/// # Shapes
/// - returns f32 `[3, S, S]` on the CPU, normalized; stack them to `pixel_values` `[B, 3, S, S]`
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

#[cfg(test)]
mod tests;
