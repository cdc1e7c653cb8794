//! Where the levels of activations are written: whole rows, or one block of some.

use super::levels::Level;
use super::rounding::{Rounding, Step, quantize, quantize_fine};
use crate::output::Output;
use crate::weights::ActivationBits;
use std::ops::Range;

/// Where the levels and steps of [`Activations`] are written.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    pub levels: Output<'a, Level>,
    pub steps: Output<'a, Step>,
    pub n_rows: usize,
    pub width: usize,
    pub rounding: Rounding,
}

impl Places<'_> {
    /// Quantizes the values of one block of a row.
    ///
    /// # Safety
    /// No other task writes this block of this row.
    unsafe fn quantize(self, row: usize, block: usize, values: &[f32]) {
        let Rounding { block_width, bits } = self.rounding;
        let (passes, first) = (bits.passes(), block * block_width);
        assert!(row < self.n_rows && first < self.width, "block {block} of row {row}");
        assert_eq!(values.len(), block_width.min(self.width - first), "values of block {block} of row {row}");
        let pass = |pass: usize| {
            let start = self.n_rows * (first * passes + pass * values.len()) + row * values.len();
            // SAFETY: as the caller promised, and a pass has levels and steps of its own.
            unsafe {
                let step = self.steps.slice((block * passes + pass) * self.n_rows + row, 1);
                (self.levels.slice(start, values.len()), step)
            }
        };
        let (levels, step) = pass(0);
        match bits {
            ActivationBits::Seven => step[0] = quantize(values, levels),
            ActivationBits::Fourteen => {
                let (lower, lower_step) = pass(1);
                (step[0], lower_step[0]) = quantize_fine(values, levels, lower);
            }
        }
    }
}

/// The levels of one row of [`Activations`], which one task fills.
pub(crate) struct RowLevels<'a> {
    pub(super) places: Places<'a>,
    pub(super) row: usize,
}

impl RowLevels<'_> {
    /// Returns the index of the row.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Quantizes the row's values.
    pub fn quantize(self, values: &[f32]) {
        assert_eq!(values.len(), self.places.width, "values of row {}", self.row);
        for (block, values) in values.chunks(self.places.rounding.block_width).enumerate() {
            // SAFETY: the task is the only one of this row.
            unsafe { self.places.quantize(self.row, block, values) };
        }
    }
}

/// The levels of one block of some rows of [`Activations`], which one task fills.
pub(crate) struct BlockLevels<'a> {
    pub(super) places: Places<'a>,
    pub(super) block: usize,
    pub(super) rows: Range<usize>,
}

impl BlockLevels<'_> {
    /// Returns the rows.
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Returns the columns.
    pub fn columns(&self) -> Range<usize> {
        let block_width = self.places.rounding.block_width;
        let first = self.block * block_width;
        first..self.places.width.min(first + block_width)
    }

    /// Quantizes the values `[rows, columns]`.
    pub fn quantize(self, values: &[f32]) {
        let width = self.columns().len();
        assert_eq!(values.len(), self.rows.len() * width, "values of block {}", self.block);
        for (row, values) in self.rows.zip(values.chunks_exact(width)) {
            // SAFETY: the task is the only one of this block of these rows.
            unsafe { self.places.quantize(row, self.block, values) };
        }
    }
}
