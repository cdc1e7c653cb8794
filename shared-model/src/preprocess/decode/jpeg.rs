//! JPEG: gray, RGB (from YCbCr) or CMYK, which files store inverted.

use super::ycbcr::rgb_from_ycbcr;
use super::{DecodedImage, Limit, Stored, damaged};
use crate::Result;
use crate::preprocess::orientation::exif_transform;
use crate::preprocess::pixels::{PixelMode, Samples};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    // Lenient towards stray bytes between headers, as libjpeg is, but strict about the pixels: the decoder would
    // otherwise paint gray over what is missing.
    let edge = usize::from(u16::MAX);
    let options = DecoderOptions::default().set_max_width(edge).set_max_height(edge);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options.set_strict_mode(false));
    decoder.decode_headers().map_err(|err| damaged(format_args!("JPEG header: {err}")))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| damaged("JPEG without a size"))?;
    let (width, height) = (width as u32, height as u32);
    limit.check(width, height)?;
    if !has_a_bit_per_block(bytes, width, height) || !reaches_end_marker(bytes) {
        return Err(damaged("JPEG ends too early"));
    }
    let stored_colors = decoder.input_colorspace().ok_or_else(|| damaged("JPEG without colors"))?;
    let (mode, colors) = match stored_colors {
        ColorSpace::Luma => (PixelMode::Gray, ColorSpace::Luma),
        ColorSpace::YCbCr | ColorSpace::RGB => (PixelMode::Rgb, ColorSpace::RGB),
        ColorSpace::CMYK | ColorSpace::YCCK => (PixelMode::Cmyk, stored_colors),
        other => return Err(damaged(format_args!("JPEG of unsupported colors {other:?}"))),
    };
    decoder.set_options(options.set_strict_mode(true).jpeg_set_out_colorspace(colors));
    let mut samples = decoder.decode().map_err(|err| damaged(format_args!("JPEG: {err}")))?;
    if mode == PixelMode::Cmyk {
        let ink = if stored_colors == ColorSpace::YCCK { ink_from_ycck } else { ink_from_inverted };
        samples.as_chunks_mut().0.iter_mut().for_each(|pixel| *pixel = ink(*pixel));
    }
    let transform = exif_transform(decoder.exif().map(Vec::as_slice));
    Ok(Stored { image: DecodedImage::new(width, height, mode, Samples::U8(samples))?, transform })
}

/// Whether the file could hold every 8x8 block of the size it announces: none takes less than one bit.
fn has_a_bit_per_block(bytes: &[u8], width: u32, height: u32) -> bool {
    let n_blocks = u64::from(width.div_ceil(8)) * u64::from(height.div_ceil(8));
    bytes.len() as u64 * 8 >= n_blocks
}

/// Whether the file goes on to its end-of-image marker.
///
/// A file cut within its last few bytes may decode without complaint; the marker tells.
fn reaches_end_marker(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        let Some(marker_at) = rest.iter().position(|&byte| byte == 0xff) else { return false };
        rest = &rest[marker_at..];
        let Some(code_at) = rest.iter().position(|&byte| byte != 0xff) else { return false };
        let code = rest[code_at];
        rest = &rest[code_at + 1..];
        match code {
            0xd9 => return true,
            // A stuffed 0xff, TEM, restart markers and SOI stand alone; all others carry a length.
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            _ => {
                let Some(&[high, low]) = rest.first_chunk() else { return false };
                rest = rest.get(usize::from(u16::from_be_bytes([high, low]))..).unwrap_or_default();
            }
        }
    }
}

fn ink_from_inverted(pixel: [u8; 4]) -> [u8; 4] {
    pixel.map(|value| 255 - value)
}

/// YCCK is CMYK whose inks, inverted, went through the YCbCr of an RGB image.
fn ink_from_ycck([luma, blue, red, black]: [u8; 4]) -> [u8; 4] {
    let [cyan, magenta, yellow] = rgb_from_ycbcr([luma, blue, red]);
    [cyan, magenta, yellow, 255 - black]
}
