//! WebP: RGB, or RGBA if the file has alpha; the first frame of an animation.

use super::limit::Limit;
use super::refusal::damaged;
use super::riff;
use super::stored::Stored;
use crate::Result;
use crate::preprocess::DecodedImage;
use crate::preprocess::color::ColorTag;
use crate::preprocess::orientation::exif_transform;
use crate::preprocess::pixels::PixelMode;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::Cursor;

pub(super) fn size(bytes: &[u8]) -> Result<(u32, u32)> {
    Ok(open(bytes)?.dimensions())
}

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let decoder = open(bytes)?;
    let (width, height) = decoder.dimensions();
    limit.check(width, height)?;
    let mode = match decoder.color_type() {
        ColorType::Rgba8 => PixelMode::Rgba,
        _ => PixelMode::Rgb,
    };
    let mut samples = vec![0; width as usize * height as usize * mode.channels()];
    decoder.read_image(&mut samples).map_err(unreadable)?;
    Ok(Stored {
        image: DecodedImage::from_samples(width, height, mode, samples)?,
        transform: exif_transform(riff::chunk(bytes, b"EXIF")),
        colors: riff::chunk(bytes, b"ICCP").map(|profile| ColorTag::Icc(profile.to_vec())),
    })
}

fn open(bytes: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>> {
    WebPDecoder::new(Cursor::new(bytes)).map_err(unreadable)
}

fn unreadable(err: ImageError) -> crate::Error {
    damaged(format_args!("WebP: {err}"))
}
