//! What is behind a picture: the background of transparent pixels, and the margins beside a picture in its square.

use super::memory::check_memory;
use super::pixels::{DecodedImage, PixelMode, Samples};
use crate::Result;
use std::borrow::Cow;

impl DecodedImage {
    /// This image as RGB, [blended over white](blended_over_white) where it is transparent.
    ///
    /// # Errors
    /// [`crate::Error::ImageMemory`] when there is no room for another image.
    pub(super) fn rgb_over_white(&self) -> Result<Cow<'_, Self>> {
        if let Some(opacity) = self.opacity() {
            check_memory(self.width(), self.height(), 6)?;
            let rgb = self.to_rgb().into_bytes();
            let blended = |(pixel, &alpha): (&[u8; 3], &u8)| pixel.map(|level| blended_over_white(level, alpha));
            let rgb = rgb.as_chunks().0.iter().zip(opacity).flat_map(blended).collect();
            return Self::new(self.width(), self.height(), PixelMode::Rgb, Samples::U8(rgb)).map(Cow::Owned);
        }
        let rgb: Vec<u8> = match (self.samples(), self.mode()) {
            (Samples::U8(pixels), PixelMode::GrayAlpha) => {
                check_memory(self.width(), self.height(), 3)?;
                pixels.as_chunks().0.iter().flat_map(|&[v, alpha]| [blended_over_white(v, alpha); 3]).collect()
            }
            (Samples::U8(pixels), PixelMode::Rgba) => {
                check_memory(self.width(), self.height(), 3)?;
                let blended = |&[r, g, b, alpha]: &[u8; 4]| [r, g, b].map(|v| blended_over_white(v, alpha));
                pixels.as_chunks().0.iter().flat_map(blended).collect()
            }
            _ => return self.rgb_without_alpha(),
        };
        Self::new(self.width(), self.height(), PixelMode::Rgb, rgb.into()).map(Cow::Owned)
    }

    /// This image as RGB, its alpha dropped.
    ///
    /// # Errors
    /// [`crate::Error::ImageMemory`] when there is no room for another image.
    pub(super) fn rgb_without_alpha(&self) -> Result<Cow<'_, Self>> {
        if self.mode() == PixelMode::Rgb {
            return Ok(Cow::Borrowed(self));
        }
        check_memory(self.width(), self.height(), 3)?;
        Ok(Cow::Owned(self.to_rgb().into()))
    }

    /// This image in the middle of a square of `side` pixels, every channel beside it `fill`.
    ///
    /// Where the margins cannot be equal, the right and the lower one are larger. No edge may exceed `side`.
    pub(super) fn padded_to(&self, side: u32, fill: u8) -> Result<Self> {
        let (left, top) = ((side - self.width()) / 2, (side - self.height()) / 2);
        check_memory(side, side, self.mode().channels() * 2)?;
        let Samples::U8(samples) = self.samples() else {
            return Self::from(self.to_rgb()).padded_to(side, fill);
        };
        let fill = self.fill_pixel(fill);
        let mut square = fill.repeat(side as usize * side as usize);
        let row_len = self.width() as usize * fill.len();
        for (y, row) in samples.chunks_exact(row_len).enumerate() {
            let start = ((top as usize + y) * side as usize + left as usize) * fill.len();
            square[start..start + row_len].copy_from_slice(row);
        }
        Self::new(side, side, self.mode(), square.into())
    }

    /// The pixel that Pillow fills with for one number: an index in a palette, else the level of every channel.
    fn fill_pixel(&self, fill: u8) -> Vec<u8> {
        match self.mode() {
            PixelMode::OneBit => vec![if fill > 0 { 255 } else { 0 }],
            PixelMode::Palette => self.palette().get(usize::from(fill)).copied().unwrap_or([fill; 3]).into(),
            mode => vec![fill; mode.channels()],
        }
    }
}

/// A level over a white background, as Pillow's `alpha_composite` rounds it (`AlphaComposite.c`).
fn blended_over_white(level: u8, alpha: u8) -> u8 {
    // Alpha of a white that is opaque: all terms of the general formula but these two cancel.
    const FRACTION_BITS: u32 = 7;
    let (level, alpha) = (u32::from(level), u32::from(alpha));
    let sum = ((level * alpha + 255 * (255 - alpha)) << FRACTION_BITS) + (0x80 << FRACTION_BITS);
    ((((sum >> 8) + sum) >> 8) >> FRACTION_BITS) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    // white = Image.new("RGBA", (1, 1), (255,) * 4)
    // Image.alpha_composite(white, Image.new("RGBA", (1, 1), pixel)).convert("RGB").getpixel((0, 0))
    #[test]
    fn transparent_pixels_are_blended_over_white_as_in_pillow() {
        let rgba = vec![0, 7, 255, 0, 0, 7, 255, 255, 1, 100, 254, 77, 200, 13, 60, 130];
        let image = DecodedImage::from_samples(2, 2, PixelMode::Rgba, rgba).unwrap();
        let expected = [255, 255, 255, 0, 7, 255, 178, 208, 255, 227, 132, 156];
        assert_eq!(image.rgb_over_white().unwrap().to_rgb().as_bytes(), expected);
        let gray = DecodedImage::from_samples(2, 1, PixelMode::GrayAlpha, vec![1, 77, 200, 130]).unwrap();
        assert_eq!(gray.rgb_over_white().unwrap().to_rgb().as_bytes(), [178, 178, 178, 227, 227, 227]);
        assert_eq!(gray.rgb_without_alpha().unwrap().to_rgb().as_bytes(), [1, 1, 1, 200, 200, 200]);
    }

    // As above, of Image.convert("RGBA") of an image with info["transparency"].
    #[test]
    fn an_alpha_beside_the_colors_counts_only_over_white() {
        let samples = vec![0, 100, 200];
        let gray = DecodedImage::from_samples(3, 1, PixelMode::Gray, samples)
            .unwrap()
            .with_opacity(Some(vec![0, 77, 255]));
        assert_eq!(gray.to_rgb().as_bytes(), [0, 0, 0, 100, 100, 100, 200, 200, 200]);
        let expected = [255, 255, 255, 208, 208, 208, 200, 200, 200];
        assert_eq!(gray.rgb_over_white().unwrap().to_rgb().as_bytes(), expected);
        let mirrored = gray.gather(3, 1, |x, _| (2 - x, 0)).unwrap().rgb_over_white().unwrap().to_rgb();
        assert_eq!(mirrored.as_bytes(), [200, 200, 200, 208, 208, 208, 255, 255, 255]);
    }

    #[test]
    fn a_palette_is_filled_by_index() {
        let pixel = DecodedImage::from_samples(1, 1, PixelMode::Palette, vec![9, 9, 9]).unwrap();
        let padded = |image: &DecodedImage, fill| image.padded_to(2, fill).unwrap().to_rgb().into_bytes();
        let known = pixel.clone().with_palette(&[[1, 2, 3], [4, 5, 6]]);
        assert_eq!(padded(&known, 1)[..6], [9, 9, 9, 4, 5, 6]);
        assert_eq!(padded(&known, 7)[..6], [9, 9, 9, 7, 7, 7]);
    }

    #[test]
    fn padding_is_larger_on_the_right_and_below() {
        let line = DecodedImage::from_samples(2, 1, PixelMode::Gray, vec![1, 2]).unwrap();
        let padded = line.padded_to(3, 9).unwrap();
        assert_eq!(padded.samples(), &Samples::from(vec![9, 9, 9, 1, 2, 9, 9, 9, 9]));
        let deep = DecodedImage::new(1, 1, PixelMode::Gray16, Samples::U16(vec![300])).unwrap();
        assert_eq!(deep.padded_to(2, 9).unwrap().to_rgb().as_bytes()[..6], [255, 255, 255, 9, 9, 9]);
    }
}
