//! How activations become levels of seven bits, or of 14 as two levels of seven.

use super::levels::{BLOCK_WIDTH, LARGEST_LEVEL, Level};
use crate::lanes::{self, widest};
use crate::weights::ActivationBits;

/// Steps between the smallest and the largest value of a block. It is half a step less than the largest level: rounding
/// zero and value, by half a step each, then never exceeds that level.
pub(crate) const STEPS: f32 = LARGEST_LEVEL as f32 - 0.5;

/// Levels of the lower pass for one of the upper.
const LOWER_LEVELS: u32 = LARGEST_LEVEL as u32 + 1;

/// [`STEPS`] of 14 bits.
pub(crate) const FINE_STEPS: f32 = (LOWER_LEVELS * LOWER_LEVELS) as f32 - 1.5;

/// 1.5 * 2^23. A sum with it has no fraction bits: it is rounded to the nearest integer, ties to even, which is left in
/// the lowest bits.
const ROUNDER: f32 = 12_582_912.0;

/// How activations are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rounding {
    /// Columns that share a scale and a zero, in [`INT8_QUAD`](crate::weights::packing::INT8_QUAD)s.
    pub block_width: usize,
    pub bits: ActivationBits,
}

impl Rounding {
    /// Seven bits.
    pub fn coarse(block_width: usize) -> Self {
        Self { block_width, bits: ActivationBits::Seven }
    }

    /// Returns the steps between the smallest and the largest value of a block.
    pub fn steps(self) -> f32 {
        match self.bits {
            ActivationBits::Seven => STEPS,
            ActivationBits::Fourteen => FINE_STEPS,
        }
    }

    pub fn passes(self) -> usize {
        self.bits.passes()
    }
}

impl Default for Rounding {
    fn default() -> Self {
        Self::coarse(BLOCK_WIDTH)
    }
}

/// What the levels of one row in one block mean: `value = scale * level - offset`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Step {
    /// Distance between two levels.
    pub scale: f32,
    /// `scale` times the level of zero.
    pub offset: f32,
}

widest! {
    /// Rounds values to levels, and returns what these mean.
    pub(super) fn quantize(values: &[f32], levels: &mut [Level]) -> Step {
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

widest! {
    /// As [`quantize`], to levels of 14 bits: their upper and their lower seven. Returns the steps of both.
    pub(super) fn quantize_fine(values: &[f32], upper: &mut [Level], lower: &mut [Level]) -> (Step, Step) {
        let (least, largest) = (lanes::min(values, 0.0), lanes::max(values, 0.0));
        let scale = (largest - least) / FINE_STEPS;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let zero = (-least * inverse + ROUNDER) - ROUNDER;
        let offset = ROUNDER + zero;
        for ((upper, lower), value) in upper.iter_mut().zip(lower.iter_mut()).zip(values) {
            let level = (value * inverse + offset).to_bits();
            // The masks keep NaN within seven bits, too.
            *upper = ((level / LOWER_LEVELS) & u32::from(LARGEST_LEVEL)) as Level;
            *lower = (level & u32::from(LARGEST_LEVEL)) as Level;
        }
        let upper = Step { scale: scale * LOWER_LEVELS as f32, offset: scale * zero };
        (upper, Step { scale, offset: 0.0 })
    }
}
