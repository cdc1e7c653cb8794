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
//! - TIFF of 32 bits or more per sample is read for photos only, and BigTIFF not at all.

mod bits;
mod bmp;
mod depth;
mod gif;
mod jpeg;
mod jpeg_scans;
mod limit;
mod png;
mod refusal;
mod riff;
mod stored;
mod tiff;
mod tiff_directory;
mod webp;
mod ycbcr;

use super::format::{FileKind, OtherFile, PictureFormat};
use super::limits::MAX_MEGAPIXELS;
use super::pixels::{PixelMode, Samples};
use super::{DecodedImage, Reading, color, orientation};
use crate::{Error, Result};
use limit::Limit;
use stored::Stored;

/// Decodes a JPEG, PNG, WebP, GIF (its first frame), BMP or TIFF (its first page), told apart by content.
///
/// # Errors
/// - [`Error::ImageFormat`] if the bytes are none of these, or of a variant that is not supported
/// - [`Error::ImageTooLarge`] if the header announces more than [`MAX_MEGAPIXELS`] or an edge beyond [`MAX_EDGE`](super::MAX_EDGE)
/// - [`Error::ImageMemory`] if there is no room for the pixels
/// - [`Error::ImageDecode`] if the file is damaged or incomplete
pub fn decode(bytes: &[u8], reading: Reading) -> Result<DecodedImage> {
    decode_within(bytes, reading, MAX_MEGAPIXELS)
}

/// [`decode`], of an image of at most `max_megapixels`, and never of more than [`MAX_MEGAPIXELS`].
///
/// # Errors
/// Those of [`decode`].
pub fn decode_within(bytes: &[u8], reading: Reading, max_megapixels: u32) -> Result<DecodedImage> {
    let limit = Limit::megapixels(max_megapixels);
    let Stored { image, transform, colors } = match picture_format(bytes)? {
        PictureFormat::Jpeg => jpeg::decode(bytes, limit),
        PictureFormat::Png => png::decode(bytes, limit),
        PictureFormat::WebP => webp::decode(bytes, limit),
        PictureFormat::Gif => gif::decode(bytes, limit),
        PictureFormat::Bmp => bmp::decode(bytes, limit),
        PictureFormat::Tiff => tiff::decode(bytes, limit, reading),
    }?;
    match (reading, colors) {
        (Reading::Reference, _) => Ok(image),
        (Reading::Photo, None) => orientation::apply(in_8_bits(image)?, transform),
        (Reading::Photo, Some(colors)) => {
            orientation::apply(color::to_srgb(in_8_bits(image)?, &colors)?, transform)
        }
    }
}

/// The width and height that the header of a picture announces, in pixels and as stored. Decodes no pixel.
///
/// # Errors
/// - [`Error::ImageFormat`] if the bytes are no picture that [`decode`] reads
/// - [`Error::ImageDecode`] if the header is damaged or incomplete
pub fn size(bytes: &[u8]) -> Result<(u32, u32)> {
    match picture_format(bytes)? {
        PictureFormat::Jpeg => jpeg::size(bytes),
        PictureFormat::Png => png::size(bytes),
        PictureFormat::WebP => webp::size(bytes),
        PictureFormat::Gif => gif::size(bytes),
        PictureFormat::Bmp => bmp::size(bytes),
        PictureFormat::Tiff => tiff::size(bytes),
    }
}

/// Refuses, from its header alone, what is no picture or has more than `max_megapixels`.
///
/// # Errors
/// Those of [`size`], and [`Error::ImageTooLarge`].
pub fn check_size(bytes: &[u8], max_megapixels: u32) -> Result<()> {
    let (width, height) = size(bytes)?;
    Limit::megapixels(max_megapixels).check(width, height)
}

fn picture_format(bytes: &[u8]) -> Result<PictureFormat> {
    match FileKind::of(bytes) {
        FileKind::Picture(format) => Ok(format),
        // The head of a file that holds more than zeros.
        FileKind::Other(OtherFile::Zeros) if bytes.iter().any(|&byte| byte != 0) => {
            Err(Error::ImageFormat(OtherFile::Unknown))
        }
        FileKind::Other(kind) => Err(Error::ImageFormat(kind)),
    }
}

/// The image with 16-bit gray scaled to 8 bits; all others as they are.
fn in_8_bits(image: DecodedImage) -> Result<DecodedImage> {
    match image.samples() {
        Samples::U8(_) => Ok(image),
        Samples::U16(gray) => {
            let gray = Samples::U8(depth::from_integers(gray));
            DecodedImage::new(image.width(), image.height(), PixelMode::Gray, gray)
        }
    }
}
