//! Decodes pictures to pixels in the mode in which Pillow would open them.
//!
//! Each decoder returns the stored channels, which need not be RGB. Sizes are checked from the header before any pixel
//! is allocated.
//!
//! Differences from Pillow 13:
//! - Damaged JPEGs that libjpeg would repair are errors: a guess about skin is worse than no answer.
//! - 16-bit gray TIFF is read correctly in both byte orders and with white-is-zero. Pillow resamples big-endian files
//!   with their bytes swapped and leaves white-is-zero inverted.
//! - 5 and 6 bits of a 16-bit BMP are rounded, not truncated, a difference of one level.
//! - TIFF of 32 bits or more per sample is read for photos only, BigTIFF not at all.

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

use super::limits::MAX_MEGAPIXELS;
use super::pixels::{PixelMode, Samples};
use super::{DecodedImage, Reading, color, orientation};
use crate::file_kind::{FileKind, OtherFile};
use crate::picture_format::PictureFormat;
use crate::{Error, Result};
use limit::Limit;
use stored::Stored;

/// Decodes a JPEG, PNG, WebP, GIF (its first frame), BMP or TIFF (its first page), detected by content.
///
/// # Errors
/// - [`Error::ImageFormat`] if the bytes are none of these, or of a variant that is not supported
/// - [`Error::ImageTooLarge`] if the header announces more than [`MAX_MEGAPIXELS`] or an edge beyond
///   [`MAX_EDGE`](super::MAX_EDGE)
/// - [`Error::ImageMemory`] if there is no memory for the pixels
/// - [`Error::ImageDecode`] if the file is damaged or incomplete
pub fn decode(bytes: &[u8], reading: Reading) -> Result<DecodedImage> {
    decode_within(bytes, reading, MAX_MEGAPIXELS)
}

/// Decodes like [`decode`], with a lower limit of `max_megapixels`.
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

/// Returns the stored width and height of a picture in pixels, from its header alone.
///
/// # Errors
/// - [`Error::ImageFormat`] if the bytes are not a picture that [`decode`] reads
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

/// Checks, from its header alone, that a file is a picture of at most `max_megapixels`.
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
        // Only the first bytes are zeros.
        FileKind::Other(OtherFile::Zeros) if bytes.iter().any(|&byte| byte != 0) => {
            Err(Error::ImageFormat(OtherFile::Unknown))
        }
        FileKind::Other(kind) => Err(Error::ImageFormat(kind)),
    }
}

/// Scales 16-bit gray to 8 bits; other images are unchanged.
fn in_8_bits(image: DecodedImage) -> Result<DecodedImage> {
    match image.samples() {
        Samples::U8(_) => Ok(image),
        Samples::U16(gray) => {
            let gray = depth::from_integers(gray);
            DecodedImage::from_samples(image.width(), image.height(), PixelMode::Gray, gray)
        }
    }
}
