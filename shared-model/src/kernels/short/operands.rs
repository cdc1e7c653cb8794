//! Both sides of a product as 16-bit integers.

use super::tile::SHORT_PANEL;
use crate::lanes::largest_magnitude;

/// 1.5 * 2^23. A sum with it has no fraction bits: it is rounded to the nearest integer, ties to even, which is left in
/// the lowest bits. Calling `rintf` of the C library instead, as baseline x86-64 would, took a tenth of the time.
const ROUNDER: f32 = 12_582_912.0;

/// Rows of f32 within a larger array.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The array, from the first row on.
    pub values: &'a [f32],
    /// Number of rows.
    pub n_rows: usize,
    /// Values of one row.
    pub width: usize,
    /// Values from the start of one row to that of the next.
    pub stride: usize,
}

impl<'a> Source<'a> {
    fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.stride..][..self.width]
    }
}

/// Rows as 16-bit integers, padded to an even width. The memory is used again for other rows.
#[derive(Default)]
pub(crate) struct ShortRows {
    values: Vec<i16>,
    pub(super) scales: Vec<f32>,
    width: usize,
}

impl ShortRows {
    /// Replaces all rows by `rows`, whose largest magnitude becomes `levels`.
    pub fn quantize(&mut self, rows: Source<'_>, levels: f32) {
        self.clear(rows.width);
        for row in 0..rows.n_rows {
            let row = rows.row(row);
            let largest = largest_magnitude(row);
            self.push(row, if largest > 0.0 { levels / largest } else { 0.0 }, largest / levels);
        }
    }

    /// Removes all rows. The next ones have `width` values.
    pub fn clear(&mut self, width: usize) {
        self.width = width.next_multiple_of(2);
        self.values.clear();
        self.scales.clear();
    }

    /// Adds a row of values `factor * value`, rounded; a level means `scale`. A short row is filled with zeros.
    pub fn push(&mut self, row: &[f32], factor: f32, scale: f32) {
        let end = self.values.len() + self.width;
        self.values.extend(row.iter().map(|value| rounded(value * factor)));
        self.values.resize(end, 0);
        self.scales.push(scale);
    }

    /// Returns one row.
    pub fn row(&self, row: usize) -> &[i16] {
        &self.values[row * self.width..][..self.width]
    }
}

/// The right side of a product in the order of the kernels, `[n / 8][k / 2][8][2]`.
#[derive(Default)]
pub(crate) struct ShortPanels {
    pub(super) values: Vec<i16>,
    /// One for each column of the product.
    pub(super) scales: Vec<f32>,
    pub(super) n_pairs: usize,
}

impl ShortPanels {
    /// Packs `rows`, each of which is a column of the product.
    pub fn pack_rows(&mut self, rows: Source<'_>, levels: f32) {
        let largest = (0..rows.n_rows).map(|row| largest_magnitude(rows.row(row)));
        let largest: Vec<f32> = largest.collect();
        self.pack(rows.width, &largest, levels, |column, step| rows.values[column * rows.stride + step]);
    }

    /// Packs the columns of `rows`, each of which is a column of the product.
    pub fn pack_columns(&mut self, rows: Source<'_>, levels: f32) {
        let mut largest = vec![0f32; rows.width];
        for row in 0..rows.n_rows {
            for (largest, value) in largest.iter_mut().zip(rows.row(row)) {
                *largest = if value.abs() > *largest { value.abs() } else { *largest };
            }
        }
        self.pack(rows.n_rows, &largest, levels, |column, step| rows.values[step * rows.stride + column]);
    }

    /// Packs columns of `n_steps` values; `largest` has the largest magnitude of each.
    fn pack(&mut self, n_steps: usize, largest: &[f32], levels: f32, value: impl Fn(usize, usize) -> f32) {
        self.n_pairs = n_steps.div_ceil(2);
        self.scales.clear();
        self.scales.extend(largest.iter().map(|largest| largest / levels));
        self.scales.resize(largest.len().next_multiple_of(SHORT_PANEL), 0.0);
        self.values.clear();
        self.values.resize(self.scales.len() * 2 * self.n_pairs, 0);
        for (column, &largest) in largest.iter().enumerate() {
            let factor = if largest > 0.0 { levels / largest } else { 0.0 };
            let panel = column / SHORT_PANEL * SHORT_PANEL * 2 * self.n_pairs;
            let first = panel + column % SHORT_PANEL * 2;
            for step in 0..n_steps {
                let at = first + step / 2 * SHORT_PANEL * 2 + step % 2;
                self.values[at] = rounded(value(column, step) * factor);
            }
        }
    }
}

/// Rounds to the nearest integer. The caller's number of levels keeps it within 16 bits.
#[inline(always)]
fn rounded(value: f32) -> i16 {
    (value + ROUNDER).to_bits() as i16
}
