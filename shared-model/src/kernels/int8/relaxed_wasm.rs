//! wasm's relaxed dot products of signed bytes with seven-bit ones.
//!
//! What they give is the same everywhere as long as the second side stays within seven bits. What they cost is not: an
//! engine has one instruction for four products and their sum (ARM's `sdot`, `vpdpbusd`) or makes it of three.

use super::{INT8_PANEL, INT8_QUAD, Level, PanelKernel, Sums, checked_rows};
use core::arch::wasm32::{
    i8x16_splat, i16x8_relaxed_dot_i8x16_i7x16, i16x8_splat, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane,
    i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, v128, v128_load, v128_load32_splat, v128_store,
};
use std::hint::black_box;

/// Rows and vectors of four channels whose sums stay in registers: of the shapes tried, the fastest in V8.
const ROWS: usize = 3;
const VECTORS: usize = 2;
const VECTOR_BYTES: usize = 16;
const QUAD_BYTES: usize = INT8_PANEL * INT8_QUAD;

/// Both kernels, the one first that this engine is faster with.
pub(super) fn available() -> impl Iterator<Item = PanelKernel> {
    let whole: PanelKernel = |levels, width, panel, sums| multiply::<Whole>(levels, width, panel, sums);
    let in_parts: PanelKernel = |levels, width, panel, sums| multiply::<InParts>(levels, width, panel, sums);
    if has_whole_instruction() { [whole, in_parts] } else { [in_parts, whole] }.into_iter()
}

/// Beyond seven bits engines differ, and show what they are made of: 255 is -1 to ARM's instructions and 255 to
/// `vpdpbusd`; `pmaddubsw`, of which the sum would be made in three instructions, saturates.
fn has_whole_instruction() -> bool {
    let sum =
        i32x4_relaxed_dot_i8x16_i7x16_add(black_box(i8x16_splat(127)), black_box(i8x16_splat(-1)), i32x4_splat(0));
    i32x4_extract_lane::<0>(sum) != 2 * i32::from(i16::MAX)
}

/// Four levels times four weights of each of four channels, added to those channels' sums.
trait Dot {
    /// # Safety
    /// The engine has relaxed SIMD.
    unsafe fn add(sums: v128, weights: v128, levels: v128) -> v128;
}

struct Whole;
struct InParts;

impl Dot for Whole {
    #[inline]
    #[target_feature(enable = "relaxed-simd")]
    unsafe fn add(sums: v128, weights: v128, levels: v128) -> v128 {
        i32x4_relaxed_dot_i8x16_i7x16_add(weights, levels, sums)
    }
}

impl Dot for InParts {
    #[inline]
    #[target_feature(enable = "relaxed-simd")]
    unsafe fn add(sums: v128, weights: v128, levels: v128) -> v128 {
        i32x4_add(sums, i32x4_dot_i16x8(i16x8_relaxed_dot_i8x16_i7x16(weights, levels), i16x8_splat(1)))
    }
}

fn multiply<D: Dot>(levels: &[Level], width: usize, panel: &[i8], sums: &mut [Sums]) {
    let n_rows = checked_rows(levels, width, panel, sums);
    let whole_tiles = n_rows / ROWS * ROWS;
    for row in (0..whole_tiles).step_by(ROWS) {
        // SAFETY: the engine has relaxed SIMD, and the rows are there.
        unsafe { tile::<D, ROWS>(&levels[row * width..], width, panel, &mut sums[row..]) };
    }
    for row in whole_tiles..n_rows {
        // SAFETY: as above.
        unsafe { tile::<D, 1>(&levels[row * width..], width, panel, &mut sums[row..]) };
    }
}

/// # Safety
/// The engine has relaxed SIMD; there are levels and sums of `R` rows, and `panel` is as wide as they are.
#[target_feature(enable = "relaxed-simd")]
unsafe fn tile<D: Dot, const R: usize>(levels: &[u8], width: usize, panel: &[i8], sums: &mut [Sums]) {
    for first in (0..INT8_PANEL / 4).step_by(VECTORS) {
        let mut tile = [[i32x4_splat(0); VECTORS]; R];
        for quad in 0..width / INT8_QUAD {
            // SAFETY: `quad` is within the rows and the panel.
            unsafe {
                let levels: [v128; R] = std::array::from_fn(|row| {
                    v128_load32_splat(levels.as_ptr().add(row * width + quad * INT8_QUAD).cast())
                });
                for vector in 0..VECTORS {
                    let at = quad * QUAD_BYTES + (first + vector) * VECTOR_BYTES;
                    let weights = v128_load(panel.as_ptr().add(at).cast());
                    for row in 0..R {
                        tile[row][vector] = D::add(tile[row][vector], weights, levels[row]);
                    }
                }
            }
        }
        for (row, tile) in sums.iter_mut().zip(tile) {
            for (vector, values) in tile.into_iter().enumerate() {
                // SAFETY: a row has sixteen sums, and four of them stand from here on.
                unsafe { v128_store(row.as_mut_ptr().add((first + vector) * 4).cast(), values) };
            }
        }
    }
}
