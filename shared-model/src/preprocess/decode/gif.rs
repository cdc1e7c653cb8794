//! GIF: the first frame, on a canvas that contains it.

use super::bits;
use super::limit::Limit;
use super::refusal::damaged;
use super::stored::Stored;
use crate::Result;
use crate::preprocess::DecodedImage;
use crate::preprocess::MAX_MEGAPIXELS;
use crate::preprocess::pixels::PixelMode;
use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use image::metadata::Orientation as Transform;
use std::num::NonZeroU64;

pub(super) fn size(bytes: &[u8]) -> Result<(u32, u32)> {
    let first = FirstFrame::open(bytes, Limit::megapixels(MAX_MEGAPIXELS))?;
    Ok((first.width as u32, first.height as u32))
}

pub(super) fn decode(bytes: &[u8], limit: Limit) -> Result<Stored> {
    let FirstFrame { mut decoder, left, top, frame_width, frame_height, transparent, width, height } =
        FirstFrame::open(bytes, limit)?;
    limit.check(width as u32, height as u32)?;
    limit.check(frame_width as u32, frame_height as u32)?;
    let mut frame_pixels = vec![0; frame_width * frame_height];
    decoder.read_into_buffer(&mut frame_pixels).map_err(unreadable)?;
    let mut indices = vec![transparent.unwrap_or(0); width * height];
    for (canvas, row) in indices.chunks_exact_mut(width).skip(top).zip(frame_pixels.chunks_exact(frame_width)) {
        canvas[left..left + frame_width].copy_from_slice(row);
    }
    let palette = decoder.palette().map_err(unreadable)?.as_chunks().0;
    let opacity = transparent.map(|index| bits::opacity(&indices, |&found| found == index));
    let image = colored(width as u32, height as u32, indices, palette)?.with_opacity(opacity);
    Ok(Stored { image, transform: Transform::NoTransforms, colors: None })
}

/// A file, read up to the pixels of its first frame.
struct FirstFrame<'a> {
    decoder: Decoder<&'a [u8]>,
    left: usize,
    top: usize,
    frame_width: usize,
    frame_height: usize,
    /// The palette index of transparent pixels, and of those that the frame does not cover.
    transparent: Option<u8>,
    /// Width and height of the canvas.
    width: usize,
    height: usize,
}

impl<'a> FirstFrame<'a> {
    fn open(bytes: &'a [u8], limit: Limit) -> Result<Self> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        let most_bytes = NonZeroU64::new(limit.decoded_bytes()).unwrap_or(NonZeroU64::MIN);
        options.set_memory_limit(MemoryLimit::Bytes(most_bytes));
        let mut decoder = options.read_info(bytes).map_err(unreadable)?;
        let (screen_width, screen_height) = (usize::from(decoder.width()), usize::from(decoder.height()));
        let frame = decoder.next_frame_info().map_err(unreadable)?.ok_or_else(|| damaged("GIF without a frame"))?;
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
        let transparent = frame.transparent;
        // Like Pillow, enlarge the canvas if the frame exceeds the screen.
        let (width, height) = (screen_width.max(left + frame_width), screen_height.max(top + frame_height));
        Ok(Self { decoder, left, top, frame_width, frame_height, transparent, width, height })
    }
}

/// Returns whether the palette is a gray ramp by index, which Pillow opens as gray.
fn colored(width: u32, height: u32, indices: Vec<u8>, palette: &[[u8; 3]]) -> Result<DecodedImage> {
    let is_gray_ramp =
        palette.iter().enumerate().all(|(index, color)| color.iter().all(|&v| usize::from(v) == index));
    if is_gray_ramp {
        return DecodedImage::from_samples(width, height, PixelMode::Gray, indices);
    }
    let samples = bits::look_up(&indices, palette);
    Ok(DecodedImage::from_samples(width, height, PixelMode::Palette, samples)?.with_palette(palette))
}

fn unreadable(err: DecodingError) -> crate::Error {
    damaged(format_args!("GIF: {err}"))
}
