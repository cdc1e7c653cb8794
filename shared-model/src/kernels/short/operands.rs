//! Both sides of a product as 16-bit integers.

use super::tile::SHORT_PANEL;
use crate::lanes::{self, widest};

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
        let start = self.values.len();
        self.values.resize(start + self.width, 0);
        round_row(row, factor, &mut self.values[start..]);
        self.scales.push(scale);
    }

    /// Returns one row.
    pub fn row(&self, row: usize) -> &[i16] {
        &self.values[row * self.width..][..self.width]
    }
}

/// The right side of a product in the order of the kernels, `[n / P][k / 2][P][2]`, P being [`SHORT_PANEL`].
#[derive(Default)]
pub(crate) struct ShortPanels {
    pub(super) values: Vec<i16>,
    /// One for each column of the product.
    pub(super) scales: Vec<f32>,
    pub(super) n_pairs: usize,
    /// A column before it is put in its place; the factors of all columns.
    scratch: (Vec<i16>, Vec<f32>),
}

impl ShortPanels {
    /// Packs `rows`, each of which is a column of the product.
    pub fn pack_rows(&mut self, rows: Source<'_>, levels: f32) {
        self.clear((0..rows.n_rows).map(|row| largest_magnitude(rows.row(row))), rows.width, levels);
        let (column, factors) = &mut self.scratch;
        column.clear();
        column.resize(2 * self.n_pairs, 0);
        let panel_len = 2 * SHORT_PANEL * self.n_pairs;
        for (at, &factor) in factors.iter().enumerate() {
            round_row(rows.row(at), factor, column);
            let (pairs, _) = column.as_chunks::<2>();
            let (places, _) = self.values[at / SHORT_PANEL * panel_len..][..panel_len].as_chunks_mut::<2>();
            let places = places.iter_mut().skip(at % SHORT_PANEL).step_by(SHORT_PANEL);
            places.zip(pairs).for_each(|(place, pair)| *place = *pair);
        }
    }

    /// Packs the columns of `rows`, each of which is a column of the product.
    pub fn pack_columns(&mut self, rows: Source<'_>, levels: f32) {
        let mut largest = vec![0f32; rows.width];
        (0..rows.n_rows).for_each(|row| keep_larger(&mut largest, rows.row(row)));
        self.clear(largest.into_iter(), rows.n_rows, levels);
        let factors = &self.scratch.1;
        let panel_len = 2 * SHORT_PANEL * self.n_pairs;
        for pair in 0..self.n_pairs {
            let first = rows.row(2 * pair);
            let second = (2 * pair + 1 < rows.n_rows).then(|| rows.row(2 * pair + 1));
            for (panel, factors) in factors.chunks(SHORT_PANEL).enumerate() {
                let at = panel * SHORT_PANEL;
                let to = &mut self.values[panel * panel_len + 2 * SHORT_PANEL * pair..][..2 * factors.len()];
                interleave(&first[at..], second.map(|row| &row[at..]), factors, to);
            }
        }
    }

    /// Makes room for columns of `n_steps` values with these largest magnitudes, and sets their scales and factors.
    fn clear(&mut self, largest: impl Iterator<Item = f32> + Clone, n_steps: usize, levels: f32) {
        self.n_pairs = n_steps.div_ceil(2);
        let factors = &mut self.scratch.1;
        factors.clear();
        factors.extend(largest.clone().map(|largest| if largest > 0.0 { levels / largest } else { 0.0 }));
        self.scales.clear();
        self.scales.extend(largest.map(|largest| largest / levels));
        self.scales.resize(factors.len().next_multiple_of(SHORT_PANEL), 0.0);
        self.values.clear();
        self.values.resize(self.scales.len() * 2 * self.n_pairs, 0);
    }
}

widest! {
    fn largest_magnitude(row: &[f32]) -> f32 {
        lanes::largest_magnitude(row)
    }
}

widest! {
    /// Keeps the larger magnitude in each place.
    fn keep_larger(largest: &mut [f32], row: &[f32]) {
        for (largest, value) in largest.iter_mut().zip(row) {
            *largest = if value.abs() > *largest { value.abs() } else { *largest };
        }
    }
}

widest! {
    /// Rounds the values of a row, times a factor.
    fn round_row(row: &[f32], factor: f32, to: &mut [i16]) {
        to.iter_mut().zip(row).for_each(|(to, value)| *to = rounded(value * factor));
    }
}

widest! {
    /// Rounds the values of two steps, times the factors of their columns, and puts those of a column side by side.
    fn interleave(first: &[f32], second: Option<&[f32]>, factors: &[f32], to: &mut [i16]) {
        let (pairs, _) = to.as_chunks_mut::<2>();
        match second {
            Some(second) => {
                for (((pair, first), second), factor) in pairs.iter_mut().zip(first).zip(second).zip(factors) {
                    *pair = [rounded(first * factor), rounded(second * factor)];
                }
            }
            None => {
                for ((pair, first), factor) in pairs.iter_mut().zip(first).zip(factors) {
                    *pair = [rounded(first * factor), 0];
                }
            }
        }
    }
}

/// Rounds to the nearest integer. The caller's number of levels keeps it within 16 bits.
#[inline(always)]
fn rounded(value: f32) -> i16 {
    (value + ROUNDER).to_bits() as i16
}
