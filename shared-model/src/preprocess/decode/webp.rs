//! WebP: RGB, or RGBA where the file has alpha; the first frame of an animation.

use super::{DecodedImage, Limit, Stored, damaged};
use crate::Result;
use crate::preprocess::orientation::exif_transform;
use crate::preprocess::pixels::{PixelMode, Samples};
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::Cursor;

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    limit.check(width, height)?;
    let mode = match decoder.color_type() {
        ColorType::Rgba8 => PixelMode::Rgba,
        _ => PixelMode::Rgb,
    };
    let mut samples = vec![0; width as usize * height as usize * mode.channels()];
    decoder.read_image(&mut samples).map_err(unreadable)?;
    let image = DecodedImage::new(width, height, mode, Samples::U8(samples))?;
    Ok(Stored { image, transform: exif_transform(exif_chunk(bytes)) })
}

/// The EXIF data of a file in the extended format. The decoder would make room for as much as the chunk claims to have.
fn exif_chunk(bytes: &[u8]) -> Option<&[u8]> {
    const HEADER_BYTES: usize = 12; // RIFF, length, WEBP
    let mut rest = bytes.get(HEADER_BYTES..).filter(|chunks| chunks.starts_with(b"VP8X"))?;
    loop {
        let (&name, content) = rest.split_first_chunk::<4>()?;
        let (&length, content) = content.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let (chunk, behind) = content.split_at_checked(length)?;
        if &name == b"EXIF" {
            return Some(chunk);
        }
        // A chunk of odd length is followed by a byte of nothing.
        rest = behind.get(length % 2..)?;
    }
}

fn unreadable(err: ImageError) -> crate::Error {
    damaged(format_args!("WebP: {err}"))
}
