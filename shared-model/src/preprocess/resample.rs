//! Resizing as Pillow's `Image.resize` does it, in the mode of the image.

use super::convolve::{Sample, Source, convolve};
use super::pixels::{Samples, scale_255};
use super::taps::Axis;
use super::{DecodedImage, MAX_PIXELS, PixelMode};
use crate::config::Interpolation;
use crate::{Error, Result};

/// A rectangle of whole pixels within an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropBox {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
}

/// Crops `image` to `crop`, then resizes it to `out_width` x `out_height`, antialiased; the mode stays.
///
/// Equal, to the last bit, to Pillow's `image.crop(...).resize(...)`: one-bit and palette images are resampled
/// nearest-neighbour whatever `interpolation` says, alpha images premultiplied, and a crop that already has the wanted
/// size is copied as it is. Call [`DecodedImage::to_rgb`] afterwards, never before.
///
/// # Errors
/// [`Error::Resample`] if `crop` is empty or not inside the image, or if the output would have no pixels or more
/// than [`MAX_MEGAPIXELS`](super::MAX_MEGAPIXELS).
pub fn resample(
    image: &DecodedImage,
    crop: CropBox,
    out_width: u32,
    out_height: u32,
    interpolation: Interpolation,
) -> Result<DecodedImage> {
    let (Some(columns), Some(rows)) =
        (span_within(crop.left, crop.width, image.width()), span_within(crop.top, crop.height, image.height()))
    else {
        return Err(Error::Resample {
            what: "the crop box",
            expected: format!("a box inside {}x{} pixels", image.width(), image.height()),
            found: format!("{}x{} at ({}, {})", crop.width, crop.height, crop.left, crop.top),
        });
    };
    let out_pixels = u64::from(out_width) * u64::from(out_height);
    if out_pixels == 0 || out_pixels > MAX_PIXELS {
        return Err(Error::Resample {
            what: "the output size",
            expected: format!("1 to {MAX_PIXELS} pixels"),
            found: format!("{out_width}x{out_height}"),
        });
    }
    resample_window(image, &Axis::whole(columns, out_width), &Axis::whole(rows, out_height), interpolation)
}

/// Resamples along both axes and answers what their windows show.
///
/// Both sources must lie inside the image and both windows inside the output.
pub(super) fn resample_window(
    image: &DecodedImage,
    columns: &Axis,
    rows: &Axis,
    interpolation: Interpolation,
) -> Result<DecodedImage> {
    let (width, height) = (columns.window_len() as u32, rows.window_len() as u32);
    if columns.is_identity() && rows.is_identity() {
        let left = columns.source.start + columns.window.start as u32;
        let top = rows.source.start + rows.window.start as u32;
        return image.gather(width, height, |x, y| (left + x, top + y));
    }
    let (axes, source_width) = ((columns, rows), image.width() as usize);
    let samples = match (image.samples(), image.mode()) {
        (_, PixelMode::OneBit | PixelMode::Palette) => {
            let (xs, ys) = (columns.nearest(), rows.nearest());
            return image.gather(width, height, |x, y| (xs[x as usize], ys[y as usize]));
        }
        (Samples::U16(gray), _) => Samples::U16(convolve_plain::<u16, 1>(gray, source_width, axes, interpolation)),
        (Samples::U8(bytes), mode) => Samples::U8(convolve_bytes(bytes, source_width, mode, axes, interpolation)),
    };
    DecodedImage::new(width, height, image.mode(), samples)
}

/// `start..start + len`, if it is not empty and ends within `limit`.
fn span_within(start: u32, len: u32, limit: u32) -> Option<std::ops::Range<u32>> {
    let end = start.checked_add(len)?;
    (len > 0 && end <= limit).then_some(start..end)
}

fn convolve_bytes(
    samples: &[u8],
    width: usize,
    mode: PixelMode,
    axes: (&Axis, &Axis),
    interpolation: Interpolation,
) -> Vec<u8> {
    match mode {
        PixelMode::GrayAlpha => {
            let prepare = |[v, alpha]: [u8; 2]| [scale_255(v, alpha), alpha];
            let source = Source { pixels: samples.as_chunks().0, width, prepare };
            let premultiplied = convolve(&source, axes, interpolation);
            premultiplied.into_iter().flat_map(|[v, alpha]| [divide_by_alpha(v, alpha), alpha]).collect()
        }
        PixelMode::Rgba => {
            let prepare =
                |[r, g, b, alpha]: [u8; 4]| [scale_255(r, alpha), scale_255(g, alpha), scale_255(b, alpha), alpha];
            let source = Source { pixels: samples.as_chunks().0, width, prepare };
            convolve(&source, axes, interpolation).into_iter().flat_map(unmultiplied).collect()
        }
        PixelMode::Cmyk => convolve_plain::<u8, 4>(samples, width, axes, interpolation),
        PixelMode::Rgb | PixelMode::Palette => convolve_plain::<u8, 3>(samples, width, axes, interpolation),
        PixelMode::OneBit | PixelMode::Gray | PixelMode::Gray16 => {
            convolve_plain::<u8, 1>(samples, width, axes, interpolation)
        }
    }
}

fn convolve_plain<T: Sample, const CHANNELS: usize>(
    samples: &[T],
    width: usize,
    axes: (&Axis, &Axis),
    interpolation: Interpolation,
) -> Vec<T> {
    let source = Source { pixels: samples.as_chunks::<CHANNELS>().0, width, prepare: |pixel| pixel };
    convolve(&source, axes, interpolation).into_flattened()
}

/// The color of a premultiplied RGBA pixel, its alpha kept.
pub(super) fn unmultiplied([r, g, b, alpha]: [u8; 4]) -> [u8; 4] {
    [divide_by_alpha(r, alpha), divide_by_alpha(g, alpha), divide_by_alpha(b, alpha), alpha]
}

/// A premultiplied value as it was before, in Pillow's rounding (`rgba2rgbA` and back, `Convert.c`).
pub(super) fn divide_by_alpha(value: u8, alpha: u8) -> u8 {
    match alpha {
        0 | 255 => value,
        _ => (255 * u32::from(value) / u32::from(alpha)).min(255) as u8,
    }
}
