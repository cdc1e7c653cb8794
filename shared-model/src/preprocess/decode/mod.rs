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
use super::{DecodedImage, MAX_EDGE, MAX_MEGAPIXELS};
use crate::{Error, Result};
use image::ImageFormat;
use image::metadata::Orientation as Transform;
use std::fmt::Display;

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
    decode_within(bytes, orientation, MAX_MEGAPIXELS)
}

/// [`decode`], of an image of at most `max_megapixels`, and never of more than [`MAX_MEGAPIXELS`].
///
/// # Errors
/// Those of [`decode`].
pub fn decode_within(bytes: &[u8], orientation: Orientation, max_megapixels: u32) -> Result<DecodedImage> {
    let limit = Limit { megapixels: max_megapixels.min(MAX_MEGAPIXELS) };
    let stored = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => jpeg::decode(bytes, limit),
        Ok(ImageFormat::Png) => png::decode(bytes, limit),
        Ok(ImageFormat::WebP) => webp::decode(bytes, limit),
        Ok(ImageFormat::Gif) => gif::decode(bytes, limit),
        Ok(ImageFormat::Bmp) => bmp::decode(bytes, limit),
        Ok(ImageFormat::Tiff) => tiff::decode(bytes, limit),
        _ => Err(Error::ImageFormat),
    }?;
    match orientation {
        Orientation::AsStored => Ok(stored.image),
        Orientation::FromExif => orientation::apply(stored.image, stored.transform),
    }
}

/// How large an image may be.
#[derive(Clone, Copy)]
struct Limit {
    megapixels: u32,
}

impl Limit {
    /// Refuses sizes beyond the limits, and empty ones.
    fn check(self, width: u32, height: u32) -> Result<()> {
        let pixels = u64::from(width) * u64::from(height);
        match pixels {
            0 => Err(damaged(format_args!("an image of {width}x{height} pixels"))),
            _ if pixels > self.pixels() || width.max(height) > MAX_EDGE => {
                let limit_megapixels = self.megapixels;
                Err(Error::ImageTooLarge { width, height, limit_megapixels, limit_edge: MAX_EDGE })
            }
            _ => Ok(()),
        }
    }

    /// The most bytes that a decoder may hold in one buffer: pixels of eight bytes, 16-bit RGBA.
    fn decoded_bytes(self) -> u64 {
        8 * self.pixels()
    }

    fn pixels(self) -> u64 {
        u64::from(self.megapixels) * 1_000_000
    }
}

fn damaged(detail: impl Display) -> Error {
    Error::ImageDecode { detail: detail.to_string() }
}
