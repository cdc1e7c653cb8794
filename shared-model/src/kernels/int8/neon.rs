//! ARM with NEON: 16-bit products of bytes, added in pairs to 16 and then to 32 bits.

use super::kernel::{Sums, Weights, checked_rows};
use super::levels::Level;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};
use core::arch::aarch64::{
    int32x4_t, vdupq_n_s32, vget_low_s8, vld1q_s8, vmull_high_s8, vmull_s8, vpadalq_s16, vpaddq_s16,
    vreinterpretq_s8_s32, vst1q_s32,
};

/// Rows of a tile, whose sums stay in registers: four registers each.
const ROWS: usize = 4;
const QUAD_BYTES: usize = INT8_PANEL * INT8_QUAD;
const VECTOR_BYTES: usize = 16;
const VECTORS: usize = QUAD_BYTES / VECTOR_BYTES;

pub(super) fn multiply(levels: &[Level], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
    let n_rows = checked_rows(levels, width, weights, sums);
    let whole_tiles = n_rows / ROWS * ROWS;
    for row in (0..whole_tiles).step_by(ROWS) {
        // SAFETY: so many rows are there, and the weights are as wide as they are. Every 64-bit ARM has NEON.
        unsafe { tile::<ROWS>(&levels[row * width..], width, weights.values, &mut sums[row..]) };
    }
    for row in whole_tiles..n_rows {
        // SAFETY: as above.
        unsafe { tile::<1>(&levels[row * width..], width, weights.values, &mut sums[row..]) };
    }
}

/// # Safety
/// There are levels and sums of `R` rows, and `panel` is as wide as they are.
#[target_feature(enable = "neon")]
unsafe fn tile<const R: usize>(levels: &[u8], width: usize, panel: &[i8], sums: &mut [Sums]) {
    let mut tile: [[int32x4_t; VECTORS]; R] = [[vdupq_n_s32(0); VECTORS]; R];
    for quad in 0..width / INT8_QUAD {
        for vector in 0..VECTORS {
            // SAFETY: `quad` is within the panel.
            let weights = unsafe { vld1q_s8(panel.as_ptr().add(quad * QUAD_BYTES + vector * VECTOR_BYTES)) };
            for (row, tile) in tile.iter_mut().enumerate() {
                // SAFETY: `row` is one of `R`, and `quad` within it.
                let four =
                    unsafe { levels.as_ptr().add(row * width + quad * INT8_QUAD).cast::<i32>().read_unaligned() };
                let levels = vreinterpretq_s8_s32(vdupq_n_s32(four));
                let low = vmull_s8(vget_low_s8(weights), vget_low_s8(levels));
                let pairs = vpaddq_s16(low, vmull_high_s8(weights, levels));
                tile[vector] = vpadalq_s16(tile[vector], pairs);
            }
        }
    }
    for (sums, tile) in sums.iter_mut().zip(tile) {
        for (vector, values) in tile.into_iter().enumerate() {
            // SAFETY: a row has sixteen sums, of which these are four.
            unsafe { vst1q_s32(sums.as_mut_ptr().add(vector * 4), values) };
        }
    }
}
