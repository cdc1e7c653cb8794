//! Colors as torchvision changes them on Pillow images, byte for byte.
//!
//! Brightness, contrast and saturation blend the image with black, with its mean gray and with its own gray
//! ([`Blend.c`](https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Blend.c)); hue goes through 8-bit HSV
//! and back ([`Convert.c`](https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Convert.c)), which loses
//! a little even when nothing is shifted.

use rand::Rng;
use rand::seq::SliceRandom;
use shared_model::preprocess::RgbImage8;

/// One change of an image's colors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColorOperation {
    /// A factor: 0 is black, 1 leaves all as it is.
    Brightness(f64),
    /// A factor: 0 is the mean gray, 1 leaves all as it is.
    Contrast(f64),
    /// A factor: 0 is gray, 1 leaves all as it is.
    Saturation(f64),
    /// A turn of the color circle, -0.5 to 0.5.
    Hue(f64),
    /// Three equal channels.
    Gray,
}

/// Draws the four changes in a random order.
///
/// `amounts` are the largest changes of brightness, contrast, saturation and hue, as in
/// [`Augmentation::color_jitter`](super::Augmentation::color_jitter).
pub fn jitter_steps(amounts: [f64; 4], rng: &mut impl Rng) -> [ColorOperation; 4] {
    let mut draw = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
    let mut factor = |amount: f64| draw((1.0 - amount).max(0.0), 1.0 + amount);
    let mut steps = [
        ColorOperation::Brightness(factor(amounts[0])),
        ColorOperation::Contrast(factor(amounts[1])),
        ColorOperation::Saturation(factor(amounts[2])),
        ColorOperation::Hue(draw(-amounts[3], amounts[3])),
    ];
    steps.shuffle(rng);
    steps
}

/// Applies the `operations` one after the other.
pub fn apply(image: RgbImage8, operations: &[ColorOperation]) -> RgbImage8 {
    let (width, height) = (image.width(), image.height());
    let mut bytes = image.into_bytes();
    let (pixels, _) = bytes.as_chunks_mut::<3>();
    for &operation in operations {
        match operation {
            ColorOperation::Brightness(factor) => blend(pixels, factor, |_| 0),
            ColorOperation::Contrast(factor) => {
                let mean = mean_gray(pixels);
                blend(pixels, factor, |_| mean);
            }
            ColorOperation::Saturation(factor) => blend(pixels, factor, gray),
            ColorOperation::Hue(turn) => shift_hue(pixels, turn),
            ColorOperation::Gray => pixels.iter_mut().for_each(|pixel| *pixel = [gray(*pixel); 3]),
        }
    }
    RgbImage8::new(width, height, bytes).expect("the number of bytes has not changed")
}

/// Pillow's luma, of ITU-R 601 in 16-bit fixed point.
fn gray([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000;
    (sum >> 16) as u8
}

fn mean_gray(pixels: &[[u8; 3]]) -> u8 {
    let sum: u64 = pixels.iter().map(|&pixel| u64::from(gray(pixel))).sum();
    (sum as f64 / pixels.len() as f64 + 0.5) as u8
}

/// `Image.blend(degenerate, image, factor)`, the degenerate pixel gray.
fn blend(pixels: &mut [[u8; 3]], factor: f64, degenerate: impl Fn([u8; 3]) -> u8) {
    let factor = factor as f32;
    for pixel in pixels {
        let from = f32::from(degenerate(*pixel));
        // The cast cuts the fraction off and stays within 0 and 255, as Pillow does.
        *pixel = pixel.map(|value| (from + factor * (f32::from(value) - from)) as u8);
    }
}

fn shift_hue(pixels: &mut [[u8; 3]], turn: f64) {
    // torchvision adds whole steps of the 8-bit hue, cut towards zero, and lets them wrap.
    let shift = (turn * 255.0) as i32 as u8;
    for pixel in pixels {
        let [hue, saturation, value] = hsv_from_rgb(*pixel);
        *pixel = rgb_from_hsv([hue.wrapping_add(shift), saturation, value]);
    }
}

/// Pillow's `rgb2hsv_row`, in its mixture of single and double precision.
fn hsv_from_rgb([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let max = red.max(green).max(blue);
    let min = red.min(green).min(blue);
    if min == max {
        return [0, 0, max];
    }
    let range = f32::from(max - min);
    let saturation = range / f32::from(max);
    let [from_red, from_green, from_blue] = [red, green, blue].map(|value| f32::from(max - value) / range);
    let sextant = if red == max {
        from_blue - from_green
    } else if green == max {
        (2.0 + f64::from(from_red) - f64::from(from_blue)) as f32
    } else {
        (4.0 + f64::from(from_green) - f64::from(from_red)) as f32
    };
    // The remainder of a division by 1: the sum is between 5/6 and 11/6.
    let turned = f64::from(sextant) / 6.0 + 1.0;
    let hue = (if turned >= 1.0 { turned - 1.0 } else { turned }) as f32;
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, max]
}

/// Pillow's `hsv2rgb_row`.
fn rgb_from_hsv([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sextants = f64::from(hue) * 6.0 / 255.0;
    // Casts instead of `floor` and `round`, which are calls into the C library on baseline x86-64.
    let sextant = sextants as u8;
    let rest = (sextants - f64::from(sextant)) as f32;
    let share = (f64::from(saturation) / 255.0) as f32;
    let scaled = |part: f64| (f64::from(value) * part + 0.5) as u8;
    let low = scaled(1.0 - f64::from(share));
    let falling = scaled(1.0 - f64::from(share * rest));
    let rising = scaled(1.0 - f64::from(share) * (1.0 - f64::from(rest)));
    match sextant % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn changed(pixel: [u8; 3], operation: ColorOperation) -> [u8; 3] {
        let image = RgbImage8::new(1, 1, pixel.to_vec()).unwrap();
        apply(image, &[operation]).as_bytes().try_into().unwrap()
    }

    #[test]
    fn factors_at_their_ends() {
        let pixel = [200, 100, 3];
        assert_eq!(changed(pixel, ColorOperation::Brightness(0.0)), [0; 3]);
        assert_eq!(changed(pixel, ColorOperation::Brightness(2.0)), [255, 200, 6]);
        assert_eq!(changed(pixel, ColorOperation::Contrast(0.0)), [119; 3]);
        assert_eq!(changed(pixel, ColorOperation::Saturation(0.0)), [119; 3]);
        assert_eq!(changed(pixel, ColorOperation::Gray), [119; 3]);
        for same in
            [ColorOperation::Brightness(1.0), ColorOperation::Contrast(1.0), ColorOperation::Saturation(1.0)]
        {
            assert_eq!(changed(pixel, same), pixel);
        }
    }

    #[test]
    fn half_a_turn_of_pure_colors_is_their_complement() {
        for (pixel, expected) in [([255, 0, 0], [0, 255, 252]), ([7, 7, 7], [7, 7, 7])] {
            assert_eq!(changed(pixel, ColorOperation::Hue(0.5)), expected);
        }
    }

    #[test]
    fn steps_are_all_four_within_their_bounds_in_every_order() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut first = [0; 4];
        for _ in 0..400 {
            let steps = jitter_steps([0.3, 0.2, 2.0, 0.1], &mut rng);
            for step in steps {
                let is_within = match step {
                    ColorOperation::Brightness(factor) => (0.7..=1.3).contains(&factor),
                    ColorOperation::Contrast(factor) => (0.8..=1.2).contains(&factor),
                    ColorOperation::Saturation(factor) => (0.0..=3.0).contains(&factor),
                    ColorOperation::Hue(turn) => (-0.1..=0.1).contains(&turn),
                    ColorOperation::Gray => false,
                };
                assert!(is_within, "{step:?}");
            }
            first[match steps[0] {
                ColorOperation::Brightness(_) => 0,
                ColorOperation::Contrast(_) => 1,
                ColorOperation::Saturation(_) => 2,
                _ => 3,
            }] += 1;
        }
        assert!(first.iter().all(|&count| count > 60), "{first:?}");
    }
}
