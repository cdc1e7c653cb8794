//! PNG: every color type and depth; a palette's transparency is ignored, as the reference does.

use super::{DecodedImage, Limit, Stored, bits, damaged};
use crate::Result;
use crate::preprocess::orientation::exif_transform;
use crate::preprocess::pixels::{PixelMode, Samples};
use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};
use std::io::Cursor;

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let limits = Limits { bytes: usize::try_from(limit.decoded_bytes()).unwrap_or(usize::MAX) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(unreadable)?;
    let (width, height) = header.size();
    limit.check(width, height)?;
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let buffer_bytes = reader.output_buffer_size().ok_or_else(|| damaged("PNG too large for this machine"))?;
    let mut buffer = vec![0; buffer_bytes];
    let frame = reader.next_frame(&mut buffer).map_err(unreadable)?;
    // EXIF data may follow the pixels; what else is wrong there does not matter any more.
    let _ = reader.finish();
    let info = reader.info();
    let layout =
        Layout { width: frame.width, height: frame.height, color: frame.color_type, depth: frame.bit_depth };
    let (mode, samples) = match layout.color {
        ColorType::Indexed => (PixelMode::Palette, layout.indexed(&buffer, info.palette.as_deref())?),
        _ => layout.direct(buffer)?,
    };
    let transform = exif_transform(info.exif_metadata.as_deref());
    Ok(Stored { image: DecodedImage::new(frame.width, frame.height, mode, samples)?, transform })
}

/// How the samples of a decoded frame lie in its buffer.
struct Layout {
    width: u32,
    height: u32,
    color: ColorType,
    depth: BitDepth,
}

impl Layout {
    fn unpacked(&self, buffer: &[u8]) -> Result<Vec<u8>> {
        bits::unpack(buffer, self.width as usize, self.height as usize, self.depth as u8)
            .ok_or_else(|| damaged("PNG with too few pixels"))
    }

    fn indexed(&self, buffer: &[u8], palette: Option<&[u8]>) -> Result<Samples> {
        let palette = palette.ok_or_else(|| damaged("PNG without its palette"))?;
        Ok(Samples::U8(bits::look_up(&self.unpacked(buffer)?, palette.as_chunks().0)))
    }

    /// The modes of Pillow's `PngImagePlugin._MODES`.
    fn direct(&self, buffer: Vec<u8>) -> Result<(PixelMode, Samples)> {
        let direct = match (self.color, self.depth) {
            (ColorType::Grayscale, BitDepth::Sixteen) => {
                let gray = buffer.as_chunks().0.iter().map(|&sample| u16::from_be_bytes(sample)).collect();
                return Ok((PixelMode::Gray16, Samples::U16(gray)));
            }
            (ColorType::Grayscale, BitDepth::Eight) => (PixelMode::Gray, buffer),
            (ColorType::Grayscale, depth) => {
                let mut gray = self.unpacked(&buffer)?;
                bits::widen(&mut gray, depth as u8);
                (if depth == BitDepth::One { PixelMode::OneBit } else { PixelMode::Gray }, gray)
            }
            (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => {
                let spread =
                    high_bytes(&buffer).as_chunks().0.iter().flat_map(|&[v, alpha]| [v, v, v, alpha]).collect();
                (PixelMode::Rgba, spread)
            }
            (ColorType::Rgb, BitDepth::Sixteen) => (PixelMode::Rgb, high_bytes(&buffer)),
            (ColorType::Rgba, BitDepth::Sixteen) => (PixelMode::Rgba, high_bytes(&buffer)),
            (ColorType::GrayscaleAlpha, _) => (PixelMode::GrayAlpha, buffer),
            (ColorType::Rgba, _) => (PixelMode::Rgba, buffer),
            (ColorType::Rgb | ColorType::Indexed, _) => (PixelMode::Rgb, buffer),
        };
        Ok((direct.0, Samples::U8(direct.1)))
    }
}

fn high_bytes(big_endian: &[u8]) -> Vec<u8> {
    big_endian.as_chunks::<2>().0.iter().map(|sample| sample[0]).collect()
}

fn unreadable(err: DecodingError) -> crate::Error {
    damaged(format_args!("PNG: {err}"))
}
