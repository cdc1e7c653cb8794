//! A perceptual hash: the signs of an image's low frequencies, which copies in another size, format or brightness share.
//!
//! The gray image of 32 x 32 pixels is transformed by a discrete cosine transform. Of its 8 x 8 lowest frequencies, all
//! but the constant give a bit each: whether they are above the median (pHash, Zauner 2010). Mirroring an image changes
//! the signs of frequencies and transposing it exchanges them, so the hashes of all eight orientations follow.

use crate::PictureError;
use shared_model::preprocess::{DecodedImage, LUMA_WEIGHTS, Reading};
use std::f64::consts::PI;
use std::path::Path;

/// Side of the gray image.
const SIDE: usize = 32;
/// Frequencies in each direction.
const N_FREQUENCIES: usize = 8;
/// Bits of a hash.
pub const N_BITS: u32 = (N_FREQUENCIES * N_FREQUENCIES - 1) as u32;
/// Frequencies of an image of one color are below this, in gray levels.
const FLAT: f64 = 1e-3;

/// The hashes of an image in its eight orientations; the first is that of the image as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerceptualHashes(pub [u64; 8]);

impl PerceptualHashes {
    /// Returns the hashes of the picture in a file; `None` if it has one color.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_file(path: &Path) -> Result<Option<Self>, PictureError> {
        Ok(Self::of_bytes(&crate::read(path)?)?)
    }

    /// Returns the hashes of a picture in memory, as people see it; `None` if it has one color.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn of_bytes(bytes: &[u8]) -> shared_model::Result<Option<Self>> {
        Ok(Self::of_image(&crate::decode(bytes, Reading::Photo)?))
    }

    /// Returns the hashes of a decoded picture; `None` if it has one color.
    pub fn of_image(image: &DecodedImage) -> Option<Self> {
        let image = image.to_rgb();
        Self::of_rgb(image.as_bytes(), image.width() as usize, image.height() as usize)
    }

    /// Returns the hashes of an image of three bytes a pixel; `None` if it has one color.
    fn of_rgb(bytes: &[u8], width: usize, height: usize) -> Option<Self> {
        let frequencies = frequencies(&gray(bytes, width, height));
        let is_flat = (1..frequencies.len()).all(|at| frequencies[at].abs() < FLAT);
        (!is_flat).then(|| Self(std::array::from_fn(|orientation| hash(&frequencies, orientation))))
    }

    /// The fewest bits in which this image as it is differs from another one in any orientation.
    pub fn distance(&self, other: &Self) -> u32 {
        other.0.iter().map(|hash| (self.0[0] ^ hash).count_ones()).min().unwrap_or(N_BITS)
    }
}

/// The gray image, each pixel the mean of those that it covers.
fn gray(bytes: &[u8], width: usize, height: usize) -> [f64; SIDE * SIDE] {
    let covered = |at: usize, size: usize| {
        let start = (at * size / SIDE).min(size - 1);
        start..((at + 1) * size).div_ceil(SIDE).clamp(start + 1, size)
    };
    let [red, green, blue] = LUMA_WEIGHTS;
    std::array::from_fn(|at| {
        let (rows, columns) = (covered(at / SIDE, height), covered(at % SIDE, width));
        let (mut sum, mut n) = (0.0, 0.0);
        for row in rows {
            for column in columns.clone() {
                let pixel = &bytes[3 * (row * width + column)..][..3];
                sum += red * f64::from(pixel[0]) + green * f64::from(pixel[1]) + blue * f64::from(pixel[2]);
                n += 1.0;
            }
        }
        sum / n
    })
}

/// The lowest frequencies, by row and column; the first is the constant.
fn frequencies(gray: &[f64; SIDE * SIDE]) -> [f64; N_FREQUENCIES * N_FREQUENCIES] {
    let wave = |frequency: usize, at: usize| (PI * frequency as f64 * (at as f64 + 0.5) / SIDE as f64).cos();
    let waves: [[f64; SIDE]; N_FREQUENCIES] =
        std::array::from_fn(|frequency| std::array::from_fn(|at| wave(frequency, at)));
    // Along the rows, then along the columns.
    let along_rows: [[f64; SIDE]; N_FREQUENCIES] = std::array::from_fn(|frequency| {
        std::array::from_fn(|row| (0..SIDE).map(|at| waves[frequency][at] * gray[row * SIDE + at]).sum())
    });
    std::array::from_fn(|place| {
        let (vertical, horizontal) = (place / N_FREQUENCIES, place % N_FREQUENCIES);
        let sum: f64 = (0..SIDE).map(|row| waves[vertical][row] * along_rows[horizontal][row]).sum();
        sum / (SIDE * SIDE) as f64
    })
}

/// The hash of one of the eight orientations: bit 0 mirrors left and right, bit 1 top and bottom, bit 2 transposes.
fn hash(frequencies: &[f64; N_FREQUENCIES * N_FREQUENCIES], orientation: usize) -> u64 {
    let value = |place: usize| {
        let (mut vertical, mut horizontal) = (place / N_FREQUENCIES, place % N_FREQUENCIES);
        if orientation & 4 != 0 {
            (vertical, horizontal) = (horizontal, vertical);
        }
        let is_odd = |mirrored: usize, frequency: usize| orientation & mirrored != 0 && frequency % 2 == 1;
        let value = frequencies[vertical * N_FREQUENCIES + horizontal];
        if is_odd(1, horizontal) ^ is_odd(2, vertical) { -value } else { value }
    };
    let values: [f64; N_BITS as usize] = std::array::from_fn(|bit| value(bit + 1));
    let mut sorted = values;
    sorted.sort_unstable_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    (0..values.len()).fold(0, |hash, bit| hash | u64::from(values[bit] > median) << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of some blobs, drawn at any size.
    fn picture(width: usize, height: usize, seed: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(3 * width * height);
        let blob = |at: u64| {
            let mixed = (seed * 16 + at + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9); // unlike seeds, unlike pictures
            ((mixed >> 20) as f64 % 1000.0 / 1000.0, (mixed >> 40) as f64 % 1000.0 / 1000.0)
        };
        for row in 0..height {
            for column in 0..width {
                let (x, y) = (column as f64 / width as f64, row as f64 / height as f64);
                let near = |at: u64| (-((x - blob(at).0).powi(2) + (y - blob(at).1).powi(2)) * 30.0).exp();
                let level = 90.0 * (0..4).map(near).sum::<f64>();
                bytes.extend([level.min(255.0) as u8, (level * 0.8).min(255.0) as u8, 40]);
            }
        }
        bytes
    }

    fn hashes(bytes: &[u8], width: usize, height: usize) -> PerceptualHashes {
        PerceptualHashes::of_rgb(bytes, width, height).unwrap()
    }

    #[test]
    fn a_copy_of_another_size_is_close_and_another_picture_is_not() {
        let original = hashes(&picture(200, 150, 1), 200, 150);
        assert!(original.distance(&hashes(&picture(120, 90, 1), 120, 90)) <= 4);
        let darker: Vec<u8> = picture(200, 150, 1).iter().map(|&value| value / 2).collect();
        assert!(original.distance(&hashes(&darker, 200, 150)) <= 6);
        for seed in 2..10 {
            assert!(original.distance(&hashes(&picture(200, 150, seed), 200, 150)) > 8, "{seed}");
        }
    }

    #[test]
    fn a_mirrored_or_turned_copy_is_the_same() {
        const SIZE: usize = 64;
        let bytes = picture(SIZE, SIZE, 3);
        let original = hashes(&bytes, SIZE, SIZE);
        let moved = |place: fn(usize, usize) -> (usize, usize)| {
            let mut other = vec![0; bytes.len()];
            for row in 0..SIZE {
                for column in 0..SIZE {
                    let (to_row, to_column) = place(row, column);
                    let pixel = &bytes[3 * (row * SIZE + column)..][..3];
                    other[3 * (to_row * SIZE + to_column)..][..3].copy_from_slice(pixel);
                }
            }
            hashes(&other, SIZE, SIZE)
        };
        for place in [
            |row, column| (row, SIZE - 1 - column),
            |row, column| (SIZE - 1 - row, column),
            |row, column| (column, row),
            |row, column| (column, SIZE - 1 - row),
        ] as [fn(usize, usize) -> (usize, usize); 4]
        {
            assert!(moved(place).distance(&original) <= 2);
        }
    }

    #[test]
    fn a_picture_of_one_color_has_no_hash_and_a_tiny_one_has() {
        assert_eq!(PerceptualHashes::of_rgb(&[80; 300], 10, 10), None);
        assert!(PerceptualHashes::of_rgb(&[0, 0, 0, 255, 255, 255], 2, 1).is_some());
    }
}
