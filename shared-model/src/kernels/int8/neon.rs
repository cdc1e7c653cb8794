//! ARM with NEON: the sixteen channels of a panel for four steps of `k` are four registers.

use super::kernel::{PanelKernel, Sums, SumsKernel, Weights, checked_rows};
use super::levels::Level;
use crate::weights::packing::{INT8_QUAD, QUAD_BYTES};
use core::arch::aarch64::{
    int8x16_t, int32x4_t, vdupq_n_s32, vget_low_s8, vld1q_s8, vmull_high_s8, vmull_s8, vpadalq_s16, vpaddq_s16,
    vreinterpretq_s8_s32, vst1q_s32,
};
use core::arch::asm;
use std::arch::is_aarch64_feature_detected;

/// Rows of a tile, whose sums stay in registers: four registers each.
const ROWS: usize = 4;
const VECTOR_BYTES: usize = 16;
const VECTORS: usize = QUAD_BYTES / VECTOR_BYTES;

/// Returns the kernels of this file that the processor runs, fastest first.
pub(super) fn available() -> impl Iterator<Item = PanelKernel> {
    // SAFETY: the feature that the function needs is detected below.
    let dot: SumsKernel = |levels, width, weights, sums| unsafe { dot::multiply(levels, width, weights, sums) };
    // SAFETY: every 64-bit ARM has NEON.
    let widening: SumsKernel =
        |levels, width, weights, sums| unsafe { widening::multiply(levels, width, weights, sums) };
    let candidates = [(is_aarch64_feature_detected!("dotprod"), dot), (true, widening)];
    candidates.into_iter().filter(|(is_available, _)| *is_available).map(|(_, kernel)| PanelKernel::Sums(kernel))
}

/// Adds the products of four channels' weights and levels, four each, to their sums: 16-bit products of bytes, added in
/// pairs to 16 and then to 32 bits.
#[inline]
#[target_feature(enable = "neon")]
fn add_widened(sums: int32x4_t, weights: int8x16_t, levels: int8x16_t) -> int32x4_t {
    let low = vmull_s8(vget_low_s8(weights), vget_low_s8(levels));
    vpadalq_s16(sums, vpaddq_s16(low, vmull_high_s8(weights, levels)))
}

/// As [`add_widened`], in the one instruction of ARMv8.2 (Apple's M1, Graviton2, phones since 2018). Rust's intrinsic is
/// not stable.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_dot(mut sums: int32x4_t, weights: int8x16_t, levels: int8x16_t) -> int32x4_t {
    // SAFETY: the processor has the instruction, which reads and writes these registers only.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {weights:v}.16b, {levels:v}.16b",
            sums = inout(vreg) sums,
            weights = in(vreg) weights,
            levels = in(vreg) levels,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// Defines a module with a kernel of tiles.
macro_rules! kernel {
    ($name:ident, $features:literal, $add:ident) => {
        mod $name {
            use super::*;

            #[target_feature(enable = $features)]
            pub(super) fn multiply(levels: &[Level], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
                let n_rows = checked_rows(levels, width, weights, sums);
                let whole_tiles = n_rows / ROWS * ROWS;
                for row in (0..whole_tiles).step_by(ROWS) {
                    // SAFETY: so many rows are there, and the weights are as wide as they are.
                    unsafe { tile::<ROWS>(&levels[row * width..], width, weights.values, &mut sums[row..]) };
                }
                for row in whole_tiles..n_rows {
                    // SAFETY: as above.
                    unsafe { tile::<1>(&levels[row * width..], width, weights.values, &mut sums[row..]) };
                }
            }

            /// # Safety
            /// There are levels and sums of `R` rows, and `panel` is as wide as they are.
            #[target_feature(enable = $features)]
            unsafe fn tile<const R: usize>(levels: &[u8], width: usize, panel: &[i8], sums: &mut [Sums]) {
                let mut tile: [[int32x4_t; VECTORS]; R] = [[vdupq_n_s32(0); VECTORS]; R];
                for quad in 0..width / INT8_QUAD {
                    // SAFETY: `quad` is within the panel.
                    let weights: [int8x16_t; VECTORS] = std::array::from_fn(|vector| unsafe {
                        vld1q_s8(panel.as_ptr().add(quad * QUAD_BYTES + vector * VECTOR_BYTES))
                    });
                    for (row, sums) in tile.iter_mut().enumerate() {
                        // SAFETY: `row` is one of `R`, and `quad` within it.
                        let levels = unsafe { levels_of(levels, row * width + quad * INT8_QUAD) };
                        for (sums, weights) in sums.iter_mut().zip(weights) {
                            *sums = $add(*sums, weights, levels);
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
        }
    };
}

kernel!(dot, "neon,dotprod", add_dot);
kernel!(widening, "neon", add_widened);

/// Returns four levels in each channel.
///
/// # Safety
/// `at` is within `levels`, and so are the three after it.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn levels_of(levels: &[u8], at: usize) -> int8x16_t {
    // SAFETY: as the caller promised.
    vreinterpretq_s8_s32(vdupq_n_s32(unsafe { levels.as_ptr().add(at).cast::<i32>().read_unaligned() }))
}
