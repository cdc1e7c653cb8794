//! PNG: every color type and depth. Transparency beside the colors (`tRNS`) is kept apart from them.

use super::bits;
use super::limit::Limit;
use super::refusal::damaged;
use super::stored::Stored;
use crate::preprocess::DecodedImage;
use crate::preprocess::color::ColorTag;
use crate::preprocess::orientation::exif_transform;
use crate::preprocess::pixels::{PixelMode, Samples};
use crate::{Error, Result};
use flate2::read::ZlibDecoder;
use png::{BitDepth, ColorType, Decoder, DecodingError, Info, Limits, Transformations};
use std::io::{Cursor, Read};

/// Largest color profile, in bytes; a larger one is ignored as damaged.
const MAX_PROFILE_BYTES: u64 = 8 << 20;

const SIGNATURE_BYTES: usize = 8;

/// Length of the checksum after each chunk.
const CRC_BYTES: usize = 4;

/// The chunk at the end of a file: its length 0, name and checksum.
const END_CHUNK: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

pub(super) fn size(bytes: &[u8]) -> Result<(u32, u32)> {
    // Signature, the header's length and name; it must come first.
    let field = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes);
    let is_header = bytes.get(12..16) == Some(b"IHDR");
    field(16).zip(field(20)).filter(|_| is_header).ok_or_else(|| damaged("PNG ends within its header"))
}

/// Decodes a PNG. It may be cut after its last pixel.
pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let decoded = decode_whole(bytes, limit);
    if !matches!(decoded, Err(Error::ImageDecode { .. })) {
        return decoded;
    }
    match with_end_chunk(bytes) {
        Some(whole) => decode_whole(&whole, limit).or(decoded),
        None => decoded,
    }
}

/// Returns the file up to its last complete chunk, with an end chunk; `None` if it has one.
fn with_end_chunk(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut at, mut has_pixels) = (SIGNATURE_BYTES, false);
    while let Some((&length, rest)) = bytes.get(at..)?.split_first_chunk() {
        let Some(name) = rest.first_chunk::<4>() else { break };
        let end = at.checked_add(8 + CRC_BYTES)?.checked_add(u32::from_be_bytes(length) as usize)?;
        if end > bytes.len() {
            break;
        }
        if name == b"IEND" {
            return None;
        }
        has_pixels |= name == b"IDAT";
        at = end;
    }
    has_pixels.then(|| [&bytes[..at], &END_CHUNK].concat())
}

fn decode_whole(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let limits = Limits { bytes: usize::try_from(limit.decoded_bytes()).unwrap_or(usize::MAX) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(unreadable)?;
    let (width, height, color, depth) = (header.width, header.height, header.color_type, header.bit_depth);
    limit.check(width, height)?;
    if depth == BitDepth::Sixteen && color != ColorType::Grayscale {
        // Their low bytes are not used: without them, a picture takes a third of the memory.
        decoder.set_transformations(Transformations::STRIP_16);
    }
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let buffer_bytes = reader.output_buffer_size().ok_or_else(|| damaged("PNG too large for this machine"))?;
    let mut buffer = vec![0; buffer_bytes];
    let frame = reader.next_frame(&mut buffer).map_err(unreadable)?;
    // EXIF data may follow the pixels; errors after the pixels do not matter.
    let _ = reader.finish();
    let info = reader.info();
    let layout = Layout { width: frame.width, height: frame.height, color, depth };
    let image = match layout.color {
        ColorType::Indexed => layout.indexed(&buffer, info)?,
        _ => {
            let (mode, samples) = layout.direct(buffer)?;
            let opacity = info.trns.as_deref().and_then(|key| color_key_opacity(mode, &samples, key));
            DecodedImage::new(frame.width, frame.height, mode, samples)?.with_opacity(opacity)
        }
    };
    Ok(Stored { image, transform: exif_transform(info.exif_metadata.as_deref()), colors: color_tag(bytes, info) })
}

/// Returns the color description of the file: the most specific one, by the order of the standard.
fn color_tag(bytes: &[u8], info: &Info<'_>) -> Option<ColorTag> {
    if let Some(code_points) = info.coding_independent_code_points {
        let (primaries, transfer) = (code_points.color_primaries, code_points.transfer_function);
        return Some(ColorTag::CodePoints { primaries, transfer });
    }
    if let Some(profile) = icc_profile(bytes) {
        return Some(ColorTag::Icc(profile));
    }
    let is_measured = info.srgb.is_none() && (info.gama_chunk.is_some() || info.chrm_chunk.is_some());
    is_measured.then(|| ColorTag::Measured {
        gamma: info.gama_chunk.map(|gamma| gamma.into_value()),
        chromaticities: info.chrm_chunk.map(|points| {
            [points.white, points.red, points.green, points.blue].map(|(x, y)| (x.into_value(), y.into_value()))
        }),
    })
}

/// Returns the profile in the `iCCP` chunk, if it is valid. The decoder would refuse a picture with two of them.
fn icc_profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.get(SIGNATURE_BYTES..)?;
    loop {
        let (&length, named) = rest.split_first_chunk()?;
        let (name, content) = named.split_first_chunk::<4>()?;
        let (chunk, behind) = content.split_at_checked(u32::from_be_bytes(length) as usize)?;
        match name {
            b"IDAT" => return None,
            b"iCCP" => {
                // A name, a zero, the compression method, which is always 0.
                let name_bytes = chunk.iter().position(|&byte| byte == 0)?;
                let compressed = chunk.get(name_bytes + 2..).filter(|_| chunk[name_bytes + 1] == 0)?;
                let mut profile = Vec::new();
                ZlibDecoder::new(compressed).take(MAX_PROFILE_BYTES).read_to_end(&mut profile).ok()?;
                return Some(profile);
            }
            _ => rest = behind.get(CRC_BYTES..)?,
        }
    }
}

/// The layout of a frame in its file. Its buffer has 8 bits where the file has 16, except for gray.
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

    fn indexed(&self, buffer: &[u8], info: &Info<'_>) -> Result<DecodedImage> {
        let palette = info.palette.as_deref().ok_or_else(|| damaged("PNG without its palette"))?.as_chunks().0;
        let indices = self.unpacked(buffer)?;
        let opacity = info.trns.as_deref().map(|alphas| {
            indices.iter().map(|&index| alphas.get(usize::from(index)).copied().unwrap_or(255)).collect()
        });
        let samples = bits::look_up(&indices, palette);
        let image = DecodedImage::from_samples(self.width, self.height, PixelMode::Palette, samples)?;
        Ok(image.with_palette(palette).with_opacity(opacity))
    }

    /// Returns the mode of Pillow's `PngImagePlugin._MODES`.
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
                let spread = buffer.as_chunks().0.iter().flat_map(|&[v, alpha]| [v, v, v, alpha]).collect();
                (PixelMode::Rgba, spread)
            }
            (ColorType::GrayscaleAlpha, _) => (PixelMode::GrayAlpha, buffer),
            (ColorType::Rgba, _) => (PixelMode::Rgba, buffer),
            (ColorType::Rgb | ColorType::Indexed, _) => (PixelMode::Rgb, buffer),
        };
        Ok((direct.0, direct.1.into()))
    }
}

/// Alpha by the one color that is transparent; as in Pillow, none of more than 8 bits.
fn color_key_opacity(mode: PixelMode, samples: &Samples, key: &[u8]) -> Option<Vec<u8>> {
    match (samples, mode, key) {
        (Samples::U8(gray), PixelMode::OneBit | PixelMode::Gray, &[key]) => {
            Some(bits::opacity(gray, |&level| level == key))
        }
        (Samples::U8(rgb), PixelMode::Rgb, &[r, g, b]) => {
            Some(bits::opacity(rgb.as_chunks().0, |&pixel: &[u8; 3]| pixel == [r, g, b]))
        }
        _ => None,
    }
}

fn unreadable(err: DecodingError) -> Error {
    damaged(format_args!("PNG: {err}"))
}
