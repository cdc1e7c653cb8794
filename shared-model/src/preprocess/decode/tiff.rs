//! TIFF: the first page, turned upright by its orientation tag.

use super::limit::Limit;
use super::refusal::{damaged, not_read};
use super::stored::Stored;
use super::tiff_directory::Directory;
use super::ycbcr::rgb_from_ycbcr;
use super::{bits, depth};
use crate::file_kind::OtherFile;
use crate::preprocess::color::ColorTag;
use crate::preprocess::pixels::{PixelMode, Samples};
use crate::preprocess::resample::{divide_by_alpha, unmultiplied};
use crate::preprocess::{DecodedImage, Reading};
use crate::preprocess::{MAX_MEGAPIXELS, orientation};
use crate::{Error, Result};
use image::metadata::Orientation as Transform;
use std::borrow::Cow;
use std::io::Cursor;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{CompressionMethod, ExtraSamples, PhotometricInterpretation, Tag};
use tiff::{ColorType, TiffError, TiffUnsupportedError};

type Reader<'a> = Decoder<Cursor<Cow<'a, [u8]>>>;

pub(super) fn size(bytes: &[u8]) -> Result<(u32, u32)> {
    match announced_size(&first_page(bytes)?) {
        Some(size) => Ok(size),
        None => open(Cow::Borrowed(bytes), Limit::megapixels(MAX_MEGAPIXELS))?.dimensions().map_err(unreadable),
    }
}

pub(super) fn decode(bytes: &[u8], limit: Limit, reading: Reading) -> Result<Stored> {
    let directory = first_page(bytes)?;
    if let Some((width, height)) = announced_size(&directory) {
        limit.check(width, height)?;
    }
    let mut reader = open(Cow::Borrowed(bytes), limit)?;
    let (width, height) = reader.dimensions().map_err(unreadable)?;
    limit.check(width, height)?;
    let orientation_tag = reader.find_tag_unsigned::<u8>(Tag::Orientation).unwrap_or_default();
    let photometric = directory.value(Tag::PhotometricInterpretation);
    let (mode, samples) = if photometric == Some(PhotometricInterpretation::RGBPalette as u32) {
        (PixelMode::Palette, palette_pixels(&directory, &mut reader, limit)?.into())
    } else {
        let color = reader.colortype().map_err(unreadable)?;
        let alpha = extra_sample(&mut reader);
        let data = read_chunky(&mut reader)?;
        let data = if reading == Reading::Photo { for_photo(data, color) } else { data };
        direct_pixels(color, alpha, data, (width, height))?
    };
    let image = DecodedImage::new(width, height, mode, samples)?;
    let transform = orientation_tag.and_then(Transform::from_exif).unwrap_or(Transform::NoTransforms);
    Ok(Stored {
        image: orientation::apply(image, transform)?,
        transform: Transform::NoTransforms,
        colors: directory.bytes(Tag::IccProfile).map(|profile| ColorTag::Icc(profile.to_vec())),
    })
}

fn first_page(bytes: &[u8]) -> Result<Directory<'_>> {
    let directory = Directory::first(bytes).ok_or_else(|| damaged("TIFF without a page"))?;
    if directory.is_raw() {
        return Err(Error::ImageFormat(OtherFile::Raw));
    }
    Ok(directory)
}

fn announced_size(directory: &Directory<'_>) -> Option<(u32, u32)> {
    directory.value(Tag::ImageWidth).zip(directory.value(Tag::ImageLength))
}

fn open(bytes: Cow<'_, [u8]>, limit: Limit) -> Result<Reader<'_>> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(limit.decoded_bytes()).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    Ok(Decoder::new(Cursor::new(bytes)).map_err(unreadable)?.with_limits(limits))
}

/// Returns the meaning of the first sample after the colors, if there is one.
fn extra_sample(reader: &mut Reader<'_>) -> Option<ExtraSamples> {
    let extra = reader.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).ok().flatten()?;
    ExtraSamples::from_u16(*extra.first()?)
}

/// Returns all samples pixel by pixel, also of files that store planes.
fn read_chunky(reader: &mut Reader<'_>) -> Result<DecodingResult> {
    let mut data = DecodingResult::U8(Vec::new());
    let layout = reader.read_image_to_buffer(&mut data).map_err(unreadable)?;
    if layout.planes < 2 {
        return Ok(data);
    }
    match data {
        DecodingResult::U8(planes) => Ok(DecodingResult::U8(interleaved(&planes, layout.planes))),
        DecodingResult::U16(planes) => Ok(DecodingResult::U16(interleaved(&planes, layout.planes))),
        DecodingResult::U32(planes) => Ok(DecodingResult::U32(interleaved(&planes, layout.planes))),
        DecodingResult::F32(planes) => Ok(DecodingResult::F32(interleaved(&planes, layout.planes))),
        DecodingResult::F64(planes) => Ok(DecodingResult::F64(interleaved(&planes, layout.planes))),
        _ => Err(not_read("a TIFF with planes of such samples")),
    }
}

/// Returns the samples of a photo in 8 bits, or in 16 if [`direct_pixels`] reads them.
fn for_photo(data: DecodingResult, color: ColorType) -> DecodingResult {
    DecodingResult::U8(match data {
        DecodingResult::U16(samples) if matches!(color, ColorType::RGB(_)) => depth::from_integers(&samples),
        data @ (DecodingResult::U8(_) | DecodingResult::U16(_)) => return data,
        DecodingResult::U32(samples) => depth::from_integers(&samples),
        DecodingResult::U64(samples) => depth::from_integers(&samples),
        DecodingResult::I8(samples) => depth::from_signed(&samples),
        DecodingResult::I16(samples) => depth::from_signed(&samples),
        DecodingResult::I32(samples) => depth::from_signed(&samples),
        DecodingResult::I64(samples) => depth::from_signed(&samples),
        DecodingResult::F16(samples) => depth::from_floats(&samples),
        DecodingResult::F32(samples) => depth::from_floats(&samples),
        DecodingResult::F64(samples) => depth::from_floats(&samples),
    })
}

fn interleaved<T: Copy>(planes: &[T], n_planes: usize) -> Vec<T> {
    let plane_len = planes.len() / n_planes;
    (0..plane_len).flat_map(|i| (0..n_planes).map(move |plane| planes[plane * plane_len + i])).collect()
}

fn direct_pixels(
    color: ColorType,
    alpha: Option<ExtraSamples>,
    data: DecodingResult,
    size: (u32, u32),
) -> Result<(PixelMode, Samples)> {
    let bytes = match data {
        DecodingResult::U16(gray) if color == ColorType::Gray(16) => {
            return Ok((PixelMode::Gray16, Samples::U16(gray)));
        }
        DecodingResult::U16(samples) => samples.into_iter().map(|sample| (sample >> 8) as u8).collect(),
        DecodingResult::U8(samples) => samples,
        _ => return Err(not_read("a TIFF with samples beyond 16 bits")),
    };
    let is_premultiplied = alpha == Some(ExtraSamples::AssociatedAlpha);
    let (mode, bytes) = match color {
        ColorType::Gray(depth @ (1 | 2 | 4 | 8)) => {
            let mut gray = unpacked(&bytes, size, depth)?;
            bits::widen(&mut gray, depth);
            (if depth == 1 { PixelMode::OneBit } else { PixelMode::Gray }, gray)
        }
        ColorType::Multiband { bit_depth: 8, num_samples: 2 } => gray_with_extra(&bytes, alpha),
        ColorType::Gray(16 | 32 | 64) => (PixelMode::Gray, bytes),
        ColorType::RGB(8 | 16 | 32 | 64) => (PixelMode::Rgb, bytes),
        ColorType::RGBA(8 | 16 | 32 | 64) if is_premultiplied => {
            (PixelMode::Rgba, bytes.as_chunks().0.iter().copied().flat_map(unmultiplied).collect())
        }
        ColorType::RGBA(8 | 16 | 32 | 64) => (PixelMode::Rgba, bytes),
        ColorType::CMYK(8 | 16) => (PixelMode::Cmyk, bytes),
        ColorType::YCbCr(8) => {
            (PixelMode::Rgb, bytes.as_chunks().0.iter().copied().flat_map(rgb_from_ycbcr).collect())
        }
        _ => return Err(not_read("a TIFF with such colors")),
    };
    Ok((mode, bytes.into()))
}

fn gray_with_extra(bytes: &[u8], extra: Option<ExtraSamples>) -> (PixelMode, Vec<u8>) {
    let pixels = bytes.as_chunks().0.iter();
    match extra {
        Some(ExtraSamples::UnassociatedAlpha) => (PixelMode::GrayAlpha, bytes.to_vec()),
        Some(ExtraSamples::AssociatedAlpha) => {
            (PixelMode::GrayAlpha, pixels.flat_map(|&[v, alpha]| [divide_by_alpha(v, alpha), alpha]).collect())
        }
        _ => (PixelMode::Gray, pixels.map(|&[v, _]| v).collect()),
    }
}

/// Decodes an indexed image. The decoder refuses these, so it gets a copy that is declared gray.
fn palette_pixels(directory: &Directory<'_>, reader: &mut Reader<'_>, limit: Limit) -> Result<Vec<u8>> {
    let size = reader.dimensions().map_err(unreadable)?;
    let color_map = reader.get_tag_u16_vec(Tag::ColorMap).map_err(unreadable)?;
    let relabeled = directory.relabeled_as_gray().ok_or_else(|| not_read("a TIFF with such a palette"))?;
    let mut reader = open(Cow::Owned(relabeled), limit)?;
    let (ColorType::Gray(depth @ (1 | 2 | 4 | 8)), DecodingResult::U8(packed)) =
        (reader.colortype().map_err(unreadable)?, read_chunky(&mut reader)?)
    else {
        return Err(not_read("a TIFF with a palette of this depth"));
    };
    // The palette has all reds, then all greens, then all blues, in 16 bits.
    let n_colors = color_map.len() / 3;
    let color = |i: usize| [0, 1, 2].map(|channel| (color_map[channel * n_colors + i] >> 8) as u8);
    let palette: Vec<_> = (0..n_colors).map(color).collect();
    Ok(bits::look_up(&unpacked(&packed, size, depth)?, &palette))
}

fn unpacked(packed: &[u8], (width, height): (u32, u32), depth: u8) -> Result<Vec<u8>> {
    bits::unpack(packed, width as usize, height as usize, depth).ok_or_else(|| damaged("TIFF with too few pixels"))
}

fn unreadable(err: TiffError) -> Error {
    match err {
        TiffError::UnsupportedError(kind) => not_read(kind_of(&kind)),
        err => damaged(format_args!("TIFF: {err}")),
    }
}

/// Describes a TIFF that the decoder does not support.
fn kind_of(kind: &TiffUnsupportedError) -> &'static str {
    use PhotometricInterpretation as Colors;
    use TiffUnsupportedError as Kind;
    match kind {
        Kind::UnsupportedCompressionMethod(CompressionMethod::ZSTD) => "a TIFF compressed with Zstandard",
        Kind::UnsupportedCompressionMethod(CompressionMethod::WebP) => "a TIFF compressed with WebP",
        Kind::UnsupportedCompressionMethod(_) | Kind::UnknownCompressionMethod => "a TIFF of this compression",
        Kind::InterpretationWithBits(Colors::CIELab | Colors::IccLab | Colors::ItuLab, _) => {
            "a TIFF with CIE Lab colors"
        }
        Kind::InterpretationWithBits(..) | Kind::UnknownInterpretation | Kind::UnsupportedColorType(_) => {
            "a TIFF with such colors"
        }
        _ => "this kind of TIFF",
    }
}
