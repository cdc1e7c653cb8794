//! Decoded pixels, in the mode in which the file stores them.

use super::memory::check_memory;
use crate::{Error, Result};
use bytes::Bytes;
use std::fmt;

/// What one pixel of a [`DecodedImage`] is made of; it decides how the image is resampled.
///
/// These are the modes in which Pillow, and so the reference, opens files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelMode {
    /// Black and white, stored as gray 0 or 255; resampled by nearest neighbor.
    OneBit,
    /// 8-bit gray.
    Gray,
    /// 8-bit gray and alpha; resampled premultiplied.
    GrayAlpha,
    /// 16-bit gray, resampled at full depth; values above 255 become white.
    Gray16,
    /// Indexed color, stored as the RGB values of the indices; resampled by nearest neighbor.
    Palette,
    /// RGB.
    Rgb,
    /// RGB and alpha; resampled premultiplied.
    Rgba,
    /// Ink coverage, 255 is full; resampled as four channels.
    Cmyk,
}

/// An image as decoded: `height` rows of `width` pixels, from the top, in one [`PixelMode`].
#[derive(Clone, PartialEq)]
pub struct DecodedImage {
    width: u32,
    height: u32,
    mode: PixelMode,
    samples: Samples,
    /// Alpha of every pixel, where the file has it beside the colors: by index or by a color that is transparent.
    ///
    /// Pillow leaves it aside as long as the mode stays, so [`Self::to_rgb`] does too.
    opacity: Option<Vec<u8>>,
    /// Colors of the indices, where the decoder keeps them.
    palette: Vec<[u8; 3]>,
}

/// Channel values, pixel by pixel: `[height, width, channels]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Samples {
    U8(Bytes),
    U16(Vec<u16>),
}

/// An 8-bit RGB image: `height` rows of `width` pixels, three bytes each (HWC).
#[derive(Clone, PartialEq, Eq)]
pub struct RgbImage8 {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl PixelMode {
    /// Samples per pixel, as held here.
    pub fn channels(self) -> usize {
        match self {
            Self::OneBit | Self::Gray | Self::Gray16 => 1,
            Self::GrayAlpha => 2,
            Self::Palette | Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    /// Pillow's name of this mode.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneBit => "1",
            Self::Gray => "L",
            Self::GrayAlpha => "LA",
            Self::Gray16 => "I;16",
            Self::Palette => "P",
            Self::Rgb => "RGB",
            Self::Rgba => "RGBA",
            Self::Cmyk => "CMYK",
        }
    }
}

impl DecodedImage {
    /// Takes 8-bit samples, pixel by pixel from the top left: `[height, width, channels]`. A `Vec` is not copied, nor is
    /// memory of others in [`Bytes`].
    ///
    /// # Errors
    /// [`Error::ImageDecode`] if the number of samples is not what size and mode need.
    pub fn from_samples(width: u32, height: u32, mode: PixelMode, samples: impl Into<Bytes>) -> Result<Self> {
        Self::new(width, height, mode, Samples::U8(samples.into()))
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How pixels are held, and so how they will be resampled.
    pub fn mode(&self) -> PixelMode {
        self.mode
    }

    /// Drops alpha, spreads gray, clips 16-bit values at 255 and mixes inks.
    ///
    /// Pillow's [`Convert.c`](https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Convert.c).
    pub fn to_rgb(&self) -> RgbImage8 {
        let bytes = match (&self.samples, self.mode) {
            (Samples::U16(gray), _) => gray.iter().flat_map(|&v| [v.min(255) as u8; 3]).collect(),
            (Samples::U8(gray), PixelMode::OneBit | PixelMode::Gray | PixelMode::Gray16) => {
                gray.iter().flat_map(|&v| [v; 3]).collect()
            }
            (Samples::U8(gray), PixelMode::GrayAlpha) => gray.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect(),
            (Samples::U8(rgb), PixelMode::Rgb | PixelMode::Palette) => rgb.to_vec(),
            (Samples::U8(rgba), PixelMode::Rgba) => rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
            (Samples::U8(cmyk), PixelMode::Cmyk) => {
                cmyk.chunks_exact(4).flat_map(|p| rgb_from_cmyk([p[0], p[1], p[2], p[3]])).collect()
            }
        };
        RgbImage8 { width: self.width, height: self.height, bytes }
    }

    /// This image with an alpha for every pixel beside its colors.
    pub(super) fn with_opacity(self, opacity: Option<Vec<u8>>) -> Self {
        let n_pixels = self.width as usize * self.height as usize;
        let opacity =
            opacity.filter(|opacity| opacity.len() == n_pixels && opacity.iter().any(|&alpha| alpha < 255));
        Self { opacity, ..self }
    }

    /// This image with the colors of its indices.
    pub(super) fn with_palette(self, palette: &[[u8; 3]]) -> Self {
        Self { palette: palette.into(), ..self }
    }

    /// The alpha of every pixel that is beside the colors.
    pub(super) fn opacity(&self) -> Option<&[u8]> {
        self.opacity.as_deref()
    }

    /// The colors of the indices, where they are known.
    pub(super) fn palette(&self) -> &[[u8; 3]] {
        &self.palette
    }

    /// Takes the alpha of every pixel away.
    pub(super) fn take_opacity(&mut self) -> Option<Vec<u8>> {
        self.opacity.take()
    }

    /// # Errors
    /// [`Error::ImageDecode`] if the number of samples is not what size and mode ask for.
    pub(super) fn new(width: u32, height: u32, mode: PixelMode, samples: Samples) -> Result<Self> {
        let expected = width as usize * height as usize * mode.channels();
        let found = match &samples {
            Samples::U8(samples) => samples.len(),
            Samples::U16(samples) => samples.len(),
        };
        let is_sound = width > 0 && height > 0 && expected == found;
        if !is_sound {
            let detail = format!("{found} samples for {width}x{height} pixels of mode {}", mode.name());
            return Err(Error::ImageDecode { detail });
        }
        Ok(Self { width, height, mode, samples, opacity: None, palette: Vec::new() })
    }

    pub(super) fn samples(&self) -> &Samples {
        &self.samples
    }

    pub(super) fn into_samples(self) -> Samples {
        self.samples
    }

    /// An image of `width` x `height` pixels, each taken from `source(x, y)` of this one.
    ///
    /// `source` must answer coordinates inside this image.
    pub(super) fn gather(&self, width: u32, height: u32, source: impl Fn(u32, u32) -> (u32, u32)) -> Result<Self> {
        check_memory(width, height, self.mode.channels())?;
        let samples = match (&self.samples, self.mode.channels()) {
            (Samples::U16(gray), _) => {
                Samples::U16(gather_pixels::<_, 1>(gray, self.width, (width, height), &source))
            }
            (Samples::U8(s), 1) => gather_pixels::<u8, 1>(s, self.width, (width, height), &source).into(),
            (Samples::U8(s), 2) => gather_pixels::<u8, 2>(s, self.width, (width, height), &source).into(),
            (Samples::U8(s), 3) => gather_pixels::<u8, 3>(s, self.width, (width, height), &source).into(),
            (Samples::U8(s), _) => gather_pixels::<u8, 4>(s, self.width, (width, height), &source).into(),
        };
        let opacity = self.opacity.as_ref();
        let opacity = opacity.map(|alphas| gather_pixels::<_, 1>(alphas, self.width, (width, height), &source));
        Ok(Self { palette: self.palette.clone(), ..Self::new(width, height, self.mode, samples)? }
            .with_opacity(opacity))
    }
}

impl From<Vec<u8>> for Samples {
    fn from(samples: Vec<u8>) -> Self {
        Self::U8(samples.into())
    }
}

impl fmt::Debug for DecodedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodedImage({}x{} {})", self.width, self.height, self.mode.name())
    }
}

impl fmt::Debug for RgbImage8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbImage8({}x{})", self.width, self.height)
    }
}

impl From<RgbImage8> for DecodedImage {
    fn from(image: RgbImage8) -> Self {
        let RgbImage8 { width, height, bytes } = image;
        Self { width, height, mode: PixelMode::Rgb, samples: bytes.into(), opacity: None, palette: Vec::new() }
    }
}

impl RgbImage8 {
    /// # Errors
    /// [`Error::ImageDecode`] unless there are `height * width * 3` bytes, and at least one pixel.
    pub fn new(width: u32, height: u32, bytes: Vec<u8>) -> Result<Self> {
        DecodedImage::from_samples(width, height, PixelMode::Rgb, bytes).map(|image| image.to_rgb())
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Red, green and blue of every pixel, row by row: `[height, width, 3]`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All red bytes, then all green and all blue ones: `[3, height, width]`.
    pub fn to_planes(&self) -> Vec<u8> {
        let (pixels, _) = self.bytes.as_chunks::<3>();
        (0..3).flat_map(|channel| pixels.iter().map(move |pixel| pixel[channel])).collect()
    }

    /// The same bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// `a * b / 255` to the nearest, in Pillow's integer form (`MULDIV255`).
pub(super) fn scale_255(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    (((product >> 8) + product) >> 8) as u8
}

fn rgb_from_cmyk([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = 255 - black;
    [cyan, magenta, yellow].map(|ink| light - scale_255(ink, light))
}

fn gather_pixels<T: Copy, const CHANNELS: usize>(
    samples: &[T],
    source_width: u32,
    (width, height): (u32, u32),
    source: impl Fn(u32, u32) -> (u32, u32),
) -> Vec<T> {
    let (pixels, _) = samples.as_chunks::<CHANNELS>();
    let mut gathered = Vec::with_capacity(width as usize * height as usize);
    for y in 0..height {
        gathered.extend((0..width).map(|x| {
            let (source_x, source_y) = source(x, y);
            pixels[source_y as usize * source_width as usize + source_x as usize]
        }));
    }
    gathered.into_flattened()
}

#[cfg(test)]
mod tests;
