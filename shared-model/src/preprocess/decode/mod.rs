//! From the bytes of a picture to its pixels, in the mode in which Pillow would open it.
//!
//! Each format's decoder is asked for what the file stores, not for RGB. Sizes are checked from the header, before
//! any pixel is allocated.
//!
//! What differs from Pillow 13, and why:
//! - damaged JPEGs that libjpeg would patch up are errors: a guess about skin is worse than none;
//! - 16-bit gray TIFF of either byte order, and white-is-zero, give what was photographed; Pillow resamples big-endian
//!   files with their bytes swapped and leaves white-is-zero inverted;
//! - 16-bit BMP is rounded, not cut, from 5 and 6 bits, a difference of one level;
//! - TIFF of 32 bits or more per sample and BigTIFF are not read.

mod bits;
mod bmp;
mod gif;
mod jpeg;
mod png;
mod tiff;
mod tiff_directory;
mod webp;
mod ycbcr;

use super::orientation::{self, Orientation};
use super::{DecodedImage, MAX_EDGE, MAX_MEGAPIXELS, MAX_PIXELS};
use crate::{Error, Result};
use image::ImageFormat;
use image::metadata::Orientation as Transform;
use std::fmt::Display;

/// The most bytes that any decoder may hold in one buffer: pixels of eight bytes, 16-bit RGBA.
const MAX_DECODED_BYTES: u64 = 8 * MAX_PIXELS;

/// An image as stored, and the transform that turns it upright.
struct Stored {
    image: DecodedImage,
    transform: Transform,
}

/// Decodes a JPEG, PNG, WebP, GIF (its first frame), BMP or TIFF (its first page), told apart by content.
///
/// # Errors
/// - [`Error::ImageFormat`] if the bytes are none of these
/// - [`Error::ImageTooLarge`] if the header announces more than [`MAX_MEGAPIXELS`] or an edge beyond [`MAX_EDGE`]
/// - [`Error::ImageDecode`] if the file is damaged, incomplete or of a variant that is not supported
pub fn decode(bytes: &[u8], orientation: Orientation) -> Result<DecodedImage> {
    let stored = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => jpeg::decode(bytes),
        Ok(ImageFormat::Png) => png::decode(bytes),
        Ok(ImageFormat::WebP) => webp::decode(bytes),
        Ok(ImageFormat::Gif) => gif::decode(bytes),
        Ok(ImageFormat::Bmp) => bmp::decode(bytes),
        Ok(ImageFormat::Tiff) => tiff::decode(bytes),
        _ => Err(Error::ImageFormat),
    }?;
    match orientation {
        Orientation::AsStored => Ok(stored.image),
        Orientation::FromExif => orientation::apply(stored.image, stored.transform),
    }
}

/// Refuses sizes beyond the limits, and empty ones.
fn check_size(width: u32, height: u32) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    match pixels {
        0 => Err(damaged(format_args!("an image of {width}x{height} pixels"))),
        _ if pixels > MAX_PIXELS || width.max(height) > MAX_EDGE => {
            Err(Error::ImageTooLarge { width, height, limit_megapixels: MAX_MEGAPIXELS, limit_edge: MAX_EDGE })
        }
        _ => Ok(()),
    }
}

fn damaged(detail: impl Display) -> Error {
    Error::ImageDecode { detail: detail.to_string() }
}
