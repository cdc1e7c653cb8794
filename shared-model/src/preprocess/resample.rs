//! Resizes as Pillow's `Image.resize`, in the mode of the image.

use super::convolve::{Sample, Source, convolve};
use super::limits::MAX_PIXELS;
use super::pixels::{Samples, scale_255};
use super::taps::Axis;
use super::{DecodedImage, PixelMode};
use crate::config::Interpolation;
use crate::{Error, Result};
use std::ops::Range;

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

/// Crops `image` to `crop`, then resizes it to `out_width` x `out_height`, antialiased, in the same mode.
///
/// The result equals Pillow's `image.crop(...).resize(...)` to the last bit. One-bit and palette images are resampled
/// by nearest neighbor whatever `interpolation` is, images with alpha are premultiplied, and a crop of the requested
/// size is copied. Call [`DecodedImage::to_rgb`] afterwards, never before.
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
    let (columns, rows) = spans(crop, image)?;
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

/// Resamples along both axes and returns the pixels of their windows.
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
        (Samples::U8(bytes), mode) => convolve_bytes(bytes, source_width, mode, axes, interpolation).into(),
    };
    DecodedImage::new(width, height, image.mode(), samples)
}

impl DecodedImage {
    /// Returns the pixels of `crop` as an image of their own, in the same mode.
    ///
    /// # Errors
    /// [`Error::Resample`] if `crop` is empty or not inside the image, [`Error::ImageMemory`] if there is no room for it.
    pub fn cropped(&self, crop: CropBox) -> Result<Self> {
        spans(crop, self)?;
        self.gather(crop.width, crop.height, |x, y| (crop.left + x, crop.top + y))
    }
}

/// The columns and rows of a crop.
fn spans(crop: CropBox, image: &DecodedImage) -> Result<(Range<u32>, Range<u32>)> {
    let columns = span_within(crop.left, crop.width, image.width());
    let rows = span_within(crop.top, crop.height, image.height());
    columns.zip(rows).ok_or_else(|| Error::Resample {
        what: "the crop box",
        expected: format!("a box inside {}x{} pixels", image.width(), image.height()),
        found: format!("{}x{} at ({}, {})", crop.width, crop.height, crop.left, crop.top),
    })
}

/// Returns `start..start + len` if it is not empty and ends within `limit`.
fn span_within(start: u32, len: u32, limit: u32) -> Option<Range<u32>> {
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

/// Returns a premultiplied RGBA pixel with its color divided by alpha.
pub(super) fn unmultiplied([r, g, b, alpha]: [u8; 4]) -> [u8; 4] {
    [divide_by_alpha(r, alpha), divide_by_alpha(g, alpha), divide_by_alpha(b, alpha), alpha]
}

/// Divides a premultiplied value by alpha, with the rounding of Pillow's `Convert.c` (`rgba2rgbA` and back).
pub(super) fn divide_by_alpha(value: u8, alpha: u8) -> u8 {
    match alpha {
        0 | 255 => value,
        _ => (255 * u32::from(value) / u32::from(alpha)).min(255) as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // x, y = np.meshgrid(range(4), range(6)); each channel one of the functions below, as np.uint8
    fn image(mode: PixelMode, channels: &[fn(u32, u32) -> u32]) -> DecodedImage {
        let pixels = (0..6).flat_map(|y| (0..4).map(move |x| (x, y)));
        let samples = pixels.flat_map(|(x, y)| channels.iter().map(move |channel| (channel(x, y) % 256) as u8));
        DecodedImage::new(4, 6, mode, Samples::U8(samples.collect())).unwrap()
    }

    fn gray(x: u32, y: u32) -> u32 {
        x * 53 + y * 97
    }

    fn resized(image: &DecodedImage, width: u32, height: u32, interpolation: Interpolation) -> Vec<u8> {
        let all = CropBox { left: 0, top: 0, width: image.width(), height: image.height() };
        match resample(image, all, width, height, interpolation).unwrap().samples() {
            Samples::U8(samples) => samples.to_vec(),
            Samples::U16(_) => panic!("the mode changed"),
        }
    }

    // Pillow 13: np.asarray(Image.fromarray(gray).resize((3, 2), Image.BICUBIC)), and so on
    #[test]
    fn gray_equals_pillow_in_either_order_of_passes() {
        use Interpolation::{Bicubic, Bilinear};
        let gray = image(PixelMode::Gray, &[gray]);
        assert_eq!(resized(&gray, 3, 2, Bicubic), [102, 140, 98, 137, 137, 121]);
        assert_eq!(resized(&gray, 3, 2, Bilinear), [105, 137, 101, 137, 140, 120]);
        assert_eq!(resized(&gray, 2, 5, Bicubic), [44, 126, 170, 96, 133, 125, 133, 154, 134, 98]);
        assert_eq!(resized(&gray, 2, 5, Bilinear), [59, 118, 156, 104, 134, 126, 135, 148, 131, 104]);
        assert_eq!(resized(&gray, 6, 7, Bicubic)[..12], [0, 19, 59, 93, 138, 167, 71, 94, 140, 198, 108, 23]);
    }

    // np.asarray(Image.fromarray(np.stack([gray, x * 80, y * 50, x * y * 17 % 256], -1)).resize((2, 2), Image.BICUBIC))
    #[test]
    fn alpha_is_multiplied_in_and_out_like_pillow() {
        let rgba = image(PixelMode::Rgba, &[gray, |x, _| x * 80, |_, y| y * 50, |x, y| x * y * 17]);
        let expected = [185, 92, 92, 11, 110, 205, 83, 46, 130, 85, 196, 39, 123, 200, 200, 159];
        assert_eq!(resized(&rgba, 2, 2, Interpolation::Bicubic), expected);
    }

    // np.asarray(Image.fromarray((x + y) % 2 * 255).convert("1").resize((3, 4), Image.BICUBIC)) * 255
    #[test]
    fn one_bit_images_stay_black_and_white() {
        let one_bit = image(PixelMode::OneBit, &[|x, y| (x + y) % 2 * 255]);
        let expected = [0, 0, 255, 0, 0, 255, 255, 255, 0, 255, 255, 0];
        assert_eq!(resized(&one_bit, 3, 4, Interpolation::Bicubic), expected);
    }

    #[test]
    fn transparent_pixels_turn_black_only_when_resampled() {
        let transparent = image(PixelMode::Rgba, &[|_, _| 200, |_, _| 150, |_, _| 100, |_, _| 0]);
        assert!(resized(&transparent, 3, 3, Interpolation::Bicubic).iter().all(|&v| v == 0));
        assert_eq!(resized(&transparent, 4, 6, Interpolation::Bicubic)[..4], [200, 150, 100, 0]);
    }

    #[test]
    fn a_crop_is_resampled_as_if_it_were_alone() {
        let rgb = image(PixelMode::Rgb, &[gray, |x, y| x * y * 31, |x, _| x * 80]);
        let crop = CropBox { left: 1, top: 2, width: 3, height: 4 };
        let alone = resample(&rgb, crop, 3, 4, Interpolation::Bicubic).unwrap();
        let expected = resized(&alone, 2, 3, Interpolation::Bicubic);
        let ours = resample(&rgb, crop, 2, 3, Interpolation::Bicubic).unwrap();
        assert_eq!(ours.samples(), &Samples::from(expected));
    }

    #[test]
    fn boxes_and_sizes_outside_the_bounds_are_errors() {
        let gray = image(PixelMode::Gray, &[gray]);
        let resample = |left, top, width, height, size| {
            resample(&gray, CropBox { left, top, width, height }, size, size, Interpolation::Bilinear)
        };
        assert!(resample(0, 0, 4, 6, 1).is_ok());
        for (left, top, width, height, size) in [
            (0, 0, 5, 6, 1),
            (1, 0, 4, 6, 1),
            (0, u32::MAX, 4, 2, 1),
            (0, 0, 0, 1, 1),
            (0, 0, 4, 6, 0),
            (0, 0, 4, 6, 16_001),
        ] {
            let found = resample(left, top, width, height, size);
            assert!(matches!(found, Err(Error::Resample { .. })), "{found:?}");
        }
    }

    #[test]
    fn a_crop_has_the_pixels_of_its_box_and_lies_inside() {
        let image = image(PixelMode::Gray, &[gray]);
        let boxed = |left, top, width, height| image.cropped(CropBox { left, top, width, height });
        let Samples::U8(samples) = boxed(1, 2, 2, 3).unwrap().into_samples() else { panic!("the mode changed") };
        let expected: Vec<u8> = (2..5).flat_map(|y| (1..3).map(move |x| (gray(x, y) % 256) as u8)).collect();
        assert_eq!(samples, expected);
        for (left, top, width, height) in [(3, 0, 2, 1), (0, 0, 0, 1), (0, 6, 1, 1), (u32::MAX, 0, 2, 1)] {
            assert!(matches!(boxed(left, top, width, height), Err(Error::Resample { .. })));
        }
    }
}
