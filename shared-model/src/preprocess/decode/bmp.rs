//! BMP: one-bit, gray or palette if the file has one, otherwise RGB or RGBA.

use super::limit::Limit;
use super::refusal::damaged;
use super::stored::Stored;
use crate::Result;
use crate::preprocess::DecodedImage;
use crate::preprocess::color::ColorTag;
use crate::preprocess::pixels::PixelMode;
use image::codecs::bmp::BmpDecoder;
use image::metadata::Orientation as Transform;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::Cursor;

pub(super) fn size(bytes: &[u8]) -> Result<(u32, u32)> {
    Header::read(bytes).map(|header| (header.width, header.height))
}

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let header = Header::read(bytes)?;
    limit.check(header.width, header.height)?;
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    limit.check(width, height)?;
    let mode = match (decoder.get_palette(), decoder.color_type()) {
        (Some(palette), _) => header.palette_mode(palette),
        (None, ColorType::Rgba8) => PixelMode::Rgba,
        (None, _) => PixelMode::Rgb,
    };
    let channels = usize::from(decoder.color_type().channel_count());
    let mut samples = vec![0; width as usize * height as usize * channels];
    decoder.read_image(&mut samples).map_err(unreadable)?;
    if mode.channels() == 1 {
        samples = samples.chunks_exact(channels).map(|pixel| pixel[0]).collect();
    }
    let image = DecodedImage::from_samples(width, height, mode, samples)?;
    Ok(Stored { image, transform: Transform::NoTransforms, colors: embedded_profile(bytes).map(ColorTag::Icc) })
}

/// Header fields that the decoder does not return, or only after its own checks.
struct Header {
    width: u32,
    height: u32,
    /// Entries of the palette, if the pixels are indices.
    n_colors: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| damaged("BMP ends within its header"))
    }

    /// Reads a `BITMAPCOREHEADER` (16-bit sizes) or one of its successors.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let u16_at = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes);
        let u32_at = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
        if u32_at(14)? == 12 {
            let n_colors = 1usize.checked_shl(u16_at(24)?.into())?;
            return Some(Self { width: u16_at(18)?.into(), height: u16_at(20)?.into(), n_colors });
        }
        // A negative height means that the first row is the top.
        let height = (u32_at(22)? as i32).unsigned_abs();
        let n_colors = match u32_at(46)? {
            0 => 1usize.checked_shl(u16_at(28)?.into()).unwrap_or(0),
            colors_used => colors_used as usize,
        };
        Some(Self { width: u32_at(18)?, height, n_colors })
    }

    /// Returns the mode. Pillow reads a palette of black and white as one-bit, and a palette of grays by index as gray.
    fn palette_mode(&self, palette: &[[u8; 3]]) -> PixelMode {
        let used = &palette[..self.n_colors.min(palette.len())];
        let is_gray_ramp =
            used.iter().enumerate().all(|(index, color)| color.iter().all(|&v| usize::from(v) == index));
        match used {
            [[0, 0, 0], [255, 255, 255]] => PixelMode::OneBit,
            _ if is_gray_ramp => PixelMode::Gray,
            _ => PixelMode::Palette,
        }
    }
}

/// Returns the ICC profile of a file with a `BITMAPV5HEADER` and a profile.
fn embedded_profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let header = bytes.get(14..)?;
    let field = |at: usize| header.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
    let is_embedded = field(0)? == 124 && header.get(56..60)? == b"DEBM";
    let (from, length) = (field(112)? as usize, field(116)? as usize);
    header.get(from..)?.get(..length).filter(|_| is_embedded).map(<[u8]>::to_vec)
}

fn unreadable(err: ImageError) -> crate::Error {
    damaged(format_args!("BMP: {err}"))
}
