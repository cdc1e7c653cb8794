//! JPEG: gray, RGB (from YCbCr) or CMYK, which files store inverted.

use super::jpeg_scans::Scans;
use super::limit::Limit;
use super::refusal::{damaged, not_read};
use super::stored::Stored;
use super::ycbcr::rgb_from_ycbcr;
use crate::Result;
use crate::preprocess::DecodedImage;
use crate::preprocess::color::ColorTag;
use crate::preprocess::orientation::exif_transform;
use crate::preprocess::pixels::PixelMode;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

type Decoder<'a> = JpegDecoder<ZCursor<&'a [u8]>>;

pub(super) fn size(bytes: &[u8]) -> Result<(u32, u32)> {
    open(bytes).map(|(_, size)| size)
}

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let (mut decoder, (width, height)) = open(bytes)?;
    limit.check(width, height)?;
    if !has_a_bit_per_block(bytes, width, height) {
        return Err(damaged("JPEG ends too early"));
    }
    let scans = Scans::of(bytes);
    let too_early = || damaged("JPEG ends too early");
    let decoded = if scans.reaches_end { decode_opened(&mut decoder, (width, height)) } else { Err(too_early()) };
    match (decoded, scans.with_end_marker(bytes)) {
        (Err(_), Some(whole)) => {
            let (mut decoder, size) = open(&whole)?;
            decode_opened(&mut decoder, size).map_err(|_| too_early())
        }
        (decoded, _) => decoded,
    }
}

/// Returns a decoder that has read the headers, and the size that they announce.
fn open(bytes: &[u8]) -> Result<(Decoder<'_>, (u32, u32))> {
    // Stray bytes between headers are ignored, as in libjpeg.
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options().set_strict_mode(false));
    decoder.decode_headers().map_err(|err| match err {
        DecodeErrors::Unsupported(_) => not_read("a JPEG of this coding"),
        err => damaged(format_args!("JPEG header: {err}")),
    })?;
    let (width, height) = decoder.dimensions().ok_or_else(|| damaged("JPEG without a size"))?;
    Ok((decoder, (width as u32, height as u32)))
}

fn options() -> DecoderOptions {
    let edge = usize::from(u16::MAX);
    DecoderOptions::default().set_max_width(edge).set_max_height(edge)
}

fn decode_opened(decoder: &mut Decoder<'_>, (width, height): (u32, u32)) -> Result<Stored> {
    let stored_colors = decoder.input_colorspace().ok_or_else(|| damaged("JPEG without colors"))?;
    let (mode, colors) = match stored_colors {
        ColorSpace::Luma => (PixelMode::Gray, ColorSpace::Luma),
        ColorSpace::YCbCr | ColorSpace::RGB => (PixelMode::Rgb, ColorSpace::RGB),
        ColorSpace::CMYK | ColorSpace::YCCK => (PixelMode::Cmyk, stored_colors),
        _ => return Err(not_read("a JPEG with such colors")),
    };
    // Missing pixels are an error: the decoder would fill them with gray.
    decoder.set_options(options().set_strict_mode(true).jpeg_set_out_colorspace(colors));
    let mut samples = decoder.decode().map_err(|err| damaged(format_args!("JPEG: {err}")))?;
    if mode == PixelMode::Cmyk {
        let ink = if stored_colors == ColorSpace::YCCK { ink_from_ycck } else { ink_from_inverted };
        samples.as_chunks_mut().0.iter_mut().for_each(|pixel| *pixel = ink(*pixel));
    }
    Ok(Stored {
        image: DecodedImage::from_samples(width, height, mode, samples)?,
        transform: exif_transform(decoder.exif().map(Vec::as_slice)),
        colors: decoder.icc_profile().map(ColorTag::Icc),
    })
}

/// Returns whether the file is long enough for all 8x8 blocks of its size, at one bit or more each.
fn has_a_bit_per_block(bytes: &[u8], width: u32, height: u32) -> bool {
    let n_blocks = u64::from(width.div_ceil(8)) * u64::from(height.div_ceil(8));
    bytes.len() as u64 * 8 >= n_blocks
}

fn ink_from_inverted(pixel: [u8; 4]) -> [u8; 4] {
    pixel.map(|value| 255 - value)
}

/// Converts YCCK, which is CMYK whose inverted inks are stored as YCbCr.
fn ink_from_ycck([luma, blue, red, black]: [u8; 4]) -> [u8; 4] {
    let [cyan, magenta, yellow] = rgb_from_ycbcr([luma, blue, red]);
    [cyan, magenta, yellow, 255 - black]
}
