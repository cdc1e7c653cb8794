//! Rows of activations as levels.

use super::levels::{Level, ROWS_AT_ONCE};
use super::rounding::{Rounding, Step, quantize, quantize_fine};
use super::row_levels::{BlockLevels, Places, RowLevels};
use crate::output::Output;
use crate::parallel::{for_each_chunk, for_each_task};
use crate::weights::ActivationBits;
use crate::weights::packing::INT8_QUAD;

/// Rows of a group are whole tiles of every kernel, except the last ones.
const ROWS_OF_TILES: usize = 8;

/// Rows of activations as levels. The memory is used again for other rows.
#[derive(Default)]
pub(crate) struct Activations {
    /// `[blocks][passes][rows][width of the block]`
    levels: Vec<Level>,
    /// `[blocks][passes][rows]`
    steps: Vec<Step>,
    n_rows: usize,
    width: usize,
    rounding: Rounding,
}

impl Activations {
    /// Replaces all rows, in parallel: `write` quantizes one, with a scratch that `init` makes for each thread.
    ///
    /// `width` is a multiple of [`INT8_QUAD`].
    pub fn fill<S>(
        &mut self,
        n_rows: usize,
        size: (usize, Rounding),
        init: impl Fn() -> S + Sync + Send,
        write: impl Fn(&mut S, RowLevels<'_>) + Sync,
    ) {
        let places = self.places(n_rows, size);
        for_each_task(n_rows, init, |scratch, row| write(scratch, RowLevels { places, row }));
    }

    /// Replaces all rows, in parallel: `write` quantizes one block of some, with a scratch that `init` makes for each
    /// thread.
    ///
    /// `width` is a multiple of [`INT8_QUAD`].
    pub fn fill_blocks<S>(
        &mut self,
        n_rows: usize,
        size: (usize, Rounding),
        init: impl Fn() -> S + Sync + Send,
        write: impl Fn(&mut S, BlockLevels<'_>) + Sync,
    ) {
        let n_groups = n_rows.div_ceil(ROWS_AT_ONCE);
        let n_rows_of_group = n_rows.div_ceil(n_groups.max(1)).next_multiple_of(ROWS_OF_TILES);
        let places = self.places(n_rows, size);
        for_each_task(Self::n_block_tasks(n_rows, size), init, |scratch, task| {
            let first = task % n_groups * n_rows_of_group;
            let rows = first.min(n_rows)..n_rows.min(first + n_rows_of_group);
            debug_assert!(!rows.is_empty(), "a group is at most {ROWS_AT_ONCE} rows, also when it is rounded up");
            write(scratch, BlockLevels { places, block: task / n_groups, rows });
        });
    }

    /// Returns the number of tasks of [`Self::fill_blocks`].
    pub fn n_block_tasks(n_rows: usize, (width, rounding): (usize, Rounding)) -> usize {
        width.div_ceil(rounding.block_width) * n_rows.div_ceil(ROWS_AT_ONCE)
    }

    /// Makes room for rows.
    fn places(&mut self, n_rows: usize, (width, rounding): (usize, Rounding)) -> Places<'_> {
        let block_width = rounding.block_width;
        assert!(width.is_multiple_of(INT8_QUAD) && block_width.is_multiple_of(INT8_QUAD) && block_width > 0);
        (self.n_rows, self.width, self.rounding) = (n_rows, width, rounding);
        self.levels.resize(n_rows * width * rounding.passes(), 0);
        self.steps.resize(n_rows * self.n_blocks() * rounding.passes(), Step::default());
        let (levels, steps) = (Output::new(&mut self.levels), Output::new(&mut self.steps));
        Places { levels, steps, n_rows, width, rounding }
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the number of blocks of columns.
    pub fn n_blocks(&self) -> usize {
        self.width.div_ceil(self.rounding.block_width.max(1))
    }

    /// Returns the number of passes: the levels of each add up to the activations.
    pub fn passes(&self) -> usize {
        self.rounding.passes()
    }

    /// Returns the levels `[rows, width of the block]` and steps `[rows]` of a block in one pass, and its width.
    pub fn block(&self, block: usize, pass: usize) -> (&[Level], &[Step], usize) {
        let (first, passes) = (block * self.rounding.block_width, self.passes());
        let width = self.rounding.block_width.min(self.width - first);
        let levels = &self.levels[self.n_rows * (first * passes + pass * width)..][..self.n_rows * width];
        (levels, &self.steps[(block * passes + pass) * self.n_rows..][..self.n_rows], width)
    }
}

/// Replaces the values of rows `[rows, width]` with those that their levels mean.
pub(crate) fn round_to_levels(values: &mut [f32], width: usize, rounding: Rounding) {
    let Rounding { block_width, bits } = rounding;
    for_each_chunk(values, width, |_, row| {
        let mut levels = [vec![0; block_width], vec![0; block_width]];
        for values in row.chunks_mut(block_width) {
            let [upper, lower] = levels.each_mut().map(|levels| &mut levels[..values.len()]);
            let (step, lower_step) = match bits {
                ActivationBits::Seven => (quantize(values, upper), Step::default()),
                ActivationBits::Fourteen => quantize_fine(values, upper, lower),
            };
            for ((value, &upper), &lower) in values.iter_mut().zip(&*upper).zip(&*lower) {
                *value = step.scale * f32::from(upper) - step.offset + lower_step.scale * f32::from(lower);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::levels::LARGEST_LEVEL;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_is_within_half_a_step_of_its_level(
            rows in prop::collection::vec(prop::collection::vec(-1e3f32..1e3, 20), 1..5),
            (lift, block_width) in (-1e3f32..1e3, prop::sample::select(vec![4usize, 8, 20, 256])),
            bits in prop::sample::select(&ActivationBits::ALL[..]),
        ) {
            let mut activations = Activations::default();
            let rows: Vec<Vec<f32>> = rows.iter().map(|row| row.iter().map(|v| v + lift).collect()).collect();
            let rounding = Rounding { block_width, bits };
            activations.fill(rows.len(), (20, rounding), || (), |(), levels| {
                let row = levels.row();
                levels.quantize(&rows[row]);
            });
            let mut rounded = rows.concat();
            round_to_levels(&mut rounded, 20, rounding);
            for (at, &value) in rows.concat().iter().enumerate() {
                let (row, column) = (at / 20, at % 20);
                let (block, at_block) = (column / block_width, column % block_width);
                let (mut found, mut smallest) = (0.0, f32::INFINITY);
                for pass in 0..activations.passes() {
                    let (levels, steps, width) = activations.block(block, pass);
                    let level = levels[row * width + at_block];
                    prop_assert!((0..=i32::from(LARGEST_LEVEL)).contains(&i32::from(level)));
                    found += steps[row].scale * f32::from(level) - steps[row].offset;
                    smallest = steps[row].scale.min(smallest);
                }
                let block = &rows[row][block * block_width..];
                let largest = block.iter().take(block_width).fold(0f32, |largest, value| largest.max(value.abs()));
                let tolerance = smallest * 0.501 + largest * 1e-6;
                prop_assert!((found - value).abs() <= tolerance, "{value} as {found}");
                prop_assert!((found - rounded[at]).abs() <= largest * 1e-6, "{found} and {}", rounded[at]);
            }
        }
    }

    #[test]
    fn zeros_and_numbers_that_are_none_stay_within_seven_bits() {
        let mut activations = Activations::default();
        for value in [0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE] {
            let row = [value, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0];
            for bits in ActivationBits::ALL {
                let rounding = Rounding { block_width: 8, bits };
                activations.fill(1, (8, rounding), || (), |(), levels| levels.quantize(&row));
                for pass in 0..bits.passes() {
                    let (levels, ..) = activations.block(0, pass);
                    assert!(levels.iter().all(|&level| level <= Level::from(LARGEST_LEVEL)), "{value}: {levels:?}");
                }
            }
        }
    }
}
