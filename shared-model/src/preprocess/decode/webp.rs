//! WebP: RGB, or RGBA where the file has alpha; the first frame of an animation.

use super::{DecodedImage, Limit, Stored, damaged};
use crate::Result;
use crate::preprocess::orientation::exif_transform;
use crate::preprocess::pixels::{PixelMode, Samples};
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::Cursor;

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    limit.check(width, height)?;
    let mode = match decoder.color_type() {
        ColorType::Rgba8 => PixelMode::Rgba,
        _ => PixelMode::Rgb,
    };
    // Metadata that cannot be read must not cost the picture.
    let exif = decoder.exif_metadata().unwrap_or_default();
    let mut samples = vec![0; width as usize * height as usize * mode.channels()];
    decoder.read_image(&mut samples).map_err(unreadable)?;
    let image = DecodedImage::new(width, height, mode, Samples::U8(samples))?;
    Ok(Stored { image, transform: exif_transform(exif.as_deref()) })
}

fn unreadable(err: ImageError) -> crate::Error {
    damaged(format_args!("WebP: {err}"))
}
