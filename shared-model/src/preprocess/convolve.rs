//! The two passes of a resampling, one along the rows and one along the columns, rounding in between as Pillow does.
//!
//! 8-bit samples are summed in fixed point of 22 fractional bits, 16-bit ones in f64, after
//! [`Resample.c`](https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c). Between the
//! passes, only the rows that the current output row needs are stored, and only the columns of the window.

use super::taps::{Axis, Taps};
use crate::config::Interpolation;
use std::collections::VecDeque;
use std::ops::{AddAssign, Mul, Range};

/// Fractional bits of the weight of an 8-bit sample: 32 minus 8 for the sample, minus 2 for sums beyond its range.
const PRECISION_BITS: u32 = 22;

/// A channel value that can be resampled.
pub(super) trait Sample: Copy + Default + Into<Self::Sum> {
    /// Type of weights and of sums of weighted samples.
    type Sum: Copy + AddAssign + Mul<Output = Self::Sum>;
    /// The start value of every sum.
    const START: Self::Sum;
    /// Converts a weight as Pillow does for this type.
    fn weight(weight: f64) -> Self::Sum;
    /// Converts a finished sum to a sample.
    fn from_sum(sum: Self::Sum) -> Self;
}

impl Sample for u8 {
    type Sum = i32;
    // A half, so that the shift at the end rounds to the nearest.
    const START: i32 = 1 << (PRECISION_BITS - 1);

    fn weight(weight: f64) -> i32 {
        let scaled = weight * f64::from(1 << PRECISION_BITS);
        (scaled + 0.5_f64.copysign(scaled)) as i32
    }

    fn from_sum(sum: i32) -> u8 {
        (sum >> PRECISION_BITS).clamp(0, 255) as u8
    }
}

impl Sample for u16 {
    type Sum = f64;
    const START: f64 = 0.0;

    fn weight(weight: f64) -> f64 {
        weight
    }

    fn from_sum(sum: f64) -> u16 {
        let rounded = (sum + 0.5_f64.copysign(sum)) as i32;
        // Pillow clamps the two bytes one by one: 65536 becomes 0xff00.
        let high = (rounded >> 8).clamp(0, 255);
        let low = (rounded % 256).clamp(0, 255);
        (high << 8 | low) as u16
    }
}

/// An image of rows of `width` pixels, and a function that each pixel passes first, such as the product with its alpha.
pub(super) struct Source<'a, T, const CHANNELS: usize, P> {
    pub pixels: &'a [[T; CHANNELS]],
    pub width: usize,
    pub prepare: P,
}

/// Resamples both axes; returns the pixels of the two windows, row by row.
pub(super) fn convolve<T: Sample, const CHANNELS: usize>(
    source: &Source<'_, T, CHANNELS, impl Fn([T; CHANNELS]) -> [T; CHANNELS]>,
    (columns, rows): (&Axis, &Axis),
    interpolation: Interpolation,
) -> Vec<[T; CHANNELS]> {
    let horizontal = columns.taps(interpolation, T::weight);
    let vertical = rows.taps(interpolation, T::weight);
    let resampled = if is_vertical_first(columns, rows) {
        vertical_first(source, &horizontal, &vertical)
    } else {
        horizontal_first(source, &horizontal, &vertical)
    };
    resampled.concat()
}

/// Returns whether Pillow (since version 13) begins with the columns, where that saves work. It rounds between the
/// passes, so the order changes the result.
fn is_vertical_first(columns: &Axis, rows: &Axis) -> bool {
    let rows_lost = rows.source.len() as i64 - rows.size as i64;
    let columns_lost = columns.source.len() as i64 - columns.size as i64;
    rows_lost > 0 && rows_lost > 2 * columns_lost
}

fn vertical_first<T: Sample, const CHANNELS: usize>(
    source: &Source<'_, T, CHANNELS, impl Fn([T; CHANNELS]) -> [T; CHANNELS]>,
    horizontal: &Taps<T::Sum>,
    vertical: &Taps<T::Sum>,
) -> Vec<Vec<[T; CHANNELS]>> {
    let reach = horizontal.reach();
    let output_row = |(start, weights): (usize, &[T::Sum])| {
        let rows = (start..start + weights.len()).map(|y| source.row(y, reach.clone()));
        weighted_columns(&weighted_rows(rows, weights, reach.len()), reach.start, horizontal)
    };
    vertical.iter().map(output_row).collect()
}

fn horizontal_first<T: Sample, const CHANNELS: usize>(
    source: &Source<'_, T, CHANNELS, impl Fn([T; CHANNELS]) -> [T; CHANNELS]>,
    horizontal: &Taps<T::Sum>,
    vertical: &Taps<T::Sum>,
) -> Vec<Vec<[T; CHANNELS]>> {
    let reach = horizontal.reach();
    // The resampled rows that the current output row needs, from row `first_y` on.
    let mut held = VecDeque::new();
    let mut first_y = vertical.reach().start;
    let output_row = |(start, weights): (usize, &[T::Sum])| {
        held.drain(..(start - first_y).min(held.len()));
        first_y = start;
        while held.len() < weights.len() {
            let row: Vec<_> = source.row(first_y + held.len(), reach.clone()).collect();
            held.push_back(weighted_columns(&row, reach.start, horizontal));
        }
        let rows = held.iter().map(|row: &Vec<[T; CHANNELS]>| row.iter().copied());
        weighted_rows(rows, weights, horizontal.len())
    };
    vertical.iter().map(output_row).collect()
}

impl<T: Sample, const CHANNELS: usize, P: Fn([T; CHANNELS]) -> [T; CHANNELS]> Source<'_, T, CHANNELS, P> {
    /// Returns the prepared pixels `columns` of row `y`.
    fn row(&self, y: usize, columns: Range<usize>) -> impl Iterator<Item = [T; CHANNELS]> {
        self.pixels[y * self.width..][columns].iter().map(|&pixel| (self.prepare)(pixel))
    }
}

/// Returns the weighted sum of `rows` of `row_len` pixels; there are as many rows as `weights`.
fn weighted_rows<T: Sample, const CHANNELS: usize>(
    rows: impl Iterator<Item = impl Iterator<Item = [T; CHANNELS]>>,
    weights: &[T::Sum],
    row_len: usize,
) -> Vec<[T; CHANNELS]> {
    let mut sums = vec![[T::START; CHANNELS]; row_len];
    for (row, &weight) in rows.zip(weights) {
        for (sum, pixel) in sums.iter_mut().zip(row) {
            accumulate(sum, pixel, weight);
        }
    }
    sums.into_iter().map(|sum| sum.map(T::from_sum)).collect()
}

/// Resamples one row by `taps`; `row` begins at pixel `offset` of the image.
fn weighted_columns<T: Sample, const CHANNELS: usize>(
    row: &[[T; CHANNELS]],
    offset: usize,
    taps: &Taps<T::Sum>,
) -> Vec<[T; CHANNELS]> {
    let sum_at = |(start, weights): (usize, &[T::Sum])| {
        let mut sum = [T::START; CHANNELS];
        for (pixel, &weight) in row[start - offset..].iter().zip(weights) {
            accumulate(&mut sum, *pixel, weight);
        }
        sum.map(T::from_sum)
    };
    taps.iter().map(sum_at).collect()
}

#[inline]
fn accumulate<T: Sample, const CHANNELS: usize>(
    sum: &mut [T::Sum; CHANNELS],
    pixel: [T; CHANNELS],
    weight: T::Sum,
) {
    for (sum, sample) in sum.iter_mut().zip(pixel) {
        *sum += weight * sample.into();
    }
}
