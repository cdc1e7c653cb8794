//! Activations as levels of seven bits.

use super::levels::{LARGEST_LEVEL, Level};
use crate::lanes::{self, widest};
use crate::output::Output;
use crate::parallel::{for_each_chunk, for_each_task};
use crate::weights::packing::INT8_QUAD;

/// Steps between the smallest and the largest value of a block. It is half a step less than the largest level: rounding
/// zero and value, by half a step each, then never exceeds that level.
pub(crate) const STEPS: f32 = LARGEST_LEVEL as f32 - 0.5;

/// 1.5 * 2^23. A sum with it has no fraction bits: it is rounded to the nearest integer, ties to even, which is left in
/// the lowest bits.
const ROUNDER: f32 = 12_582_912.0;

/// What the levels of one row in one block mean: `value = scale * level - offset`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Step {
    /// Distance between two levels.
    pub scale: f32,
    /// `scale` times the level of zero.
    pub offset: f32,
}

/// Rows of activations as levels. The memory is used again for other rows.
#[derive(Default)]
pub(crate) struct Activations {
    /// `[blocks][rows][width of the block]`
    levels: Vec<Level>,
    /// `[blocks][rows]`
    steps: Vec<Step>,
    n_rows: usize,
    width: usize,
    block_width: usize,
}

impl Activations {
    /// Replaces all rows, in parallel: `write` quantizes one, with a scratch that `init` makes for each thread.
    ///
    /// `width` and `block_width` are multiples of [`INT8_QUAD`].
    pub fn fill<S>(
        &mut self,
        n_rows: usize,
        (width, block_width): (usize, usize),
        init: impl Fn() -> S + Sync + Send,
        write: impl Fn(&mut S, RowLevels<'_>) + Sync,
    ) {
        assert!(width.is_multiple_of(INT8_QUAD) && block_width.is_multiple_of(INT8_QUAD) && block_width > 0);
        (self.n_rows, self.width, self.block_width) = (n_rows, width, block_width);
        self.levels.resize(n_rows * width, 0);
        self.steps.resize(n_rows * self.n_blocks(), Step::default());
        let (levels, steps) = (Output::new(&mut self.levels), Output::new(&mut self.steps));
        for_each_task(n_rows, init, |scratch, row| {
            write(scratch, RowLevels { levels, steps, row, n_rows, width, block_width });
        });
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the number of blocks of columns.
    pub fn n_blocks(&self) -> usize {
        self.width.div_ceil(self.block_width.max(1))
    }

    /// Returns the levels `[rows, width of the block]` and steps `[rows]` of a block, and its width.
    pub fn block(&self, block: usize) -> (&[Level], &[Step], usize) {
        let first = block * self.block_width;
        let width = self.block_width.min(self.width - first);
        let levels = &self.levels[self.n_rows * first..][..self.n_rows * width];
        (levels, &self.steps[block * self.n_rows..][..self.n_rows], width)
    }
}

/// The levels of one row of [`Activations`], which one task fills.
pub(crate) struct RowLevels<'a> {
    levels: Output<'a, Level>,
    steps: Output<'a, Step>,
    row: usize,
    n_rows: usize,
    width: usize,
    block_width: usize,
}

impl RowLevels<'_> {
    /// Returns the index of the row.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Quantizes the row's values.
    pub fn quantize(self, values: &[f32]) {
        assert_eq!(values.len(), self.width, "values of row {}", self.row);
        for (block, values) in values.chunks(self.block_width).enumerate() {
            let start = self.n_rows * block * self.block_width + self.row * values.len();
            // SAFETY: the task is the only one of this row.
            let (levels, step) = unsafe {
                (self.levels.slice(start, values.len()), self.steps.slice(block * self.n_rows + self.row, 1))
            };
            step[0] = quantize(values, levels);
        }
    }
}

/// Replaces the values of rows `[rows, width]` with those that their levels mean.
pub(crate) fn round_to_levels(values: &mut [f32], width: usize, block_width: usize) {
    for_each_chunk(values, width, |_, row| {
        let mut levels = vec![0; block_width];
        for values in row.chunks_mut(block_width) {
            let levels = &mut levels[..values.len()];
            let step = quantize(values, levels);
            for (value, &level) in values.iter_mut().zip(&*levels) {
                *value = step.scale * f32::from(level) - step.offset;
            }
        }
    });
}

widest! {
    fn quantize(values: &[f32], levels: &mut [Level]) -> Step {
        let (least, largest) = (lanes::min(values, 0.0), lanes::max(values, 0.0));
        let scale = (largest - least) / STEPS;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let zero = (-least * inverse + ROUNDER) - ROUNDER;
        let offset = ROUNDER + zero;
        for (level, value) in levels.iter_mut().zip(values) {
            // The mask keeps NaN within seven bits, too.
            *level = ((value * inverse + offset).to_bits() & u32::from(LARGEST_LEVEL)) as Level;
        }
        Step { scale, offset: scale * zero }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_is_within_half_a_step_of_its_level(
            rows in prop::collection::vec(prop::collection::vec(-1e3f32..1e3, 20), 1..5),
            (lift, block_width) in (-1e3f32..1e3, prop::sample::select(vec![4usize, 8, 20, 256])),
        ) {
            let mut activations = Activations::default();
            let rows: Vec<Vec<f32>> = rows.iter().map(|row| row.iter().map(|v| v + lift).collect()).collect();
            activations.fill(rows.len(), (20, block_width), || (), |(), levels| {
                let row = levels.row();
                levels.quantize(&rows[row]);
            });
            for block in 0..activations.n_blocks() {
                let (levels, steps, width) = activations.block(block);
                for (row, (levels, step)) in levels.chunks_exact(width).zip(steps).enumerate() {
                    for (column, &level) in levels.iter().enumerate() {
                        let value = rows[row][block * block_width + column];
                        let found = step.scale * f32::from(level) - step.offset;
                        prop_assert!((0..=i32::from(LARGEST_LEVEL)).contains(&i32::from(level)));
                        let rounding = step.scale * 0.501 + value.abs() * 1e-6;
                        prop_assert!((found - value).abs() <= rounding, "{value} as {found}");
                    }
                }
            }
        }
    }

    #[test]
    fn zeros_and_numbers_that_are_none_stay_within_seven_bits() {
        let mut activations = Activations::default();
        for value in [0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE] {
            let row = [value, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0];
            activations.fill(1, (8, 8), || (), |(), levels| levels.quantize(&row));
            let (levels, ..) = activations.block(0);
            assert!(levels.iter().all(|&level| level <= Level::from(LARGEST_LEVEL)), "{value}: {levels:?}");
        }
    }
}
