//! wasm's relaxed dot products of signed bytes and seven-bit levels.
//!
//! With seven bits the results are the same on every engine, but not the cost: an engine has one instruction for four
//! products and their sum (ARM's `sdot`, `vpdpbusd`) or uses three.

use super::kernel::{PanelKernel, Sums, Weights, checked_rows};
use super::levels::Level;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD, QUAD_BYTES};
use core::arch::wasm32::{
    i8x16_splat, i16x8_add, i16x8_relaxed_dot_i8x16_i7x16, i16x8_splat, i32x4_add, i32x4_dot_i16x8,
    i32x4_extract_lane, i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, v128, v128_load, v128_load32_splat,
    v128_store,
};
use std::hint::black_box;

/// Rows and vectors of four channels in a tile: the fastest of the shapes tried in V8.
const ROWS: usize = 3;
const VECTORS: usize = 2;
const VECTOR_BYTES: usize = 16;

/// Returns both kernels, the faster one of this engine first.
pub(super) fn available() -> impl Iterator<Item = PanelKernel> {
    let [whole, in_parts] = [multiply::<Whole>, multiply::<InParts>].map(PanelKernel::Sums);
    if has_whole_instruction() { [whole, in_parts] } else { [in_parts, whole] }.into_iter()
}

/// Returns whether the engine has one instruction. Beyond seven bits engines differ: 255 is -1 to ARM's instructions
/// and 255 to `vpdpbusd`, while `pmaddubsw`, the first of three instructions, saturates.
fn has_whole_instruction() -> bool {
    let sum =
        i32x4_relaxed_dot_i8x16_i7x16_add(black_box(i8x16_splat(127)), black_box(i8x16_splat(-1)), i32x4_splat(0));
    i32x4_extract_lane::<0>(sum) != 2 * i32::from(i16::MAX)
}

/// A way to add products of levels and the weights of four channels.
trait Dot {
    /// Whether it is faster for two quads that fit 16 bits together.
    const WIDENS: bool;

    /// Adds the products of `Q` quads, which fit 16 bits together.
    ///
    /// # Safety
    /// The engine has relaxed SIMD.
    unsafe fn add<const Q: usize>(sums: v128, weights: [v128; Q], levels: [v128; Q]) -> v128;
}

struct Whole;
struct InParts;

impl Dot for Whole {
    const WIDENS: bool = false;

    #[inline]
    #[target_feature(enable = "relaxed-simd")]
    unsafe fn add<const Q: usize>(mut sums: v128, weights: [v128; Q], levels: [v128; Q]) -> v128 {
        for (weights, levels) in weights.into_iter().zip(levels) {
            sums = i32x4_relaxed_dot_i8x16_i7x16_add(weights, levels, sums);
        }
        sums
    }
}

impl Dot for InParts {
    const WIDENS: bool = true;

    #[inline]
    #[target_feature(enable = "relaxed-simd")]
    unsafe fn add<const Q: usize>(sums: v128, weights: [v128; Q], levels: [v128; Q]) -> v128 {
        let mut products = i16x8_relaxed_dot_i8x16_i7x16(weights[0], levels[0]);
        for quad in 1..Q {
            products = i16x8_add(products, i16x8_relaxed_dot_i8x16_i7x16(weights[quad], levels[quad]));
        }
        i32x4_add(sums, i32x4_dot_i16x8(products, i16x8_splat(1)))
    }
}

fn multiply<D: Dot>(levels: &[Level], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
    let n_rows = checked_rows(levels, width, weights, sums);
    let whole_tiles = n_rows / ROWS * ROWS;
    for row in (0..whole_tiles).step_by(ROWS) {
        // SAFETY: the engine has relaxed SIMD, and the rows are there.
        unsafe { tile::<D, ROWS>(&levels[row * width..], width, weights, &mut sums[row..]) };
    }
    for row in whole_tiles..n_rows {
        // SAFETY: as above.
        unsafe { tile::<D, 1>(&levels[row * width..], width, weights, &mut sums[row..]) };
    }
}

/// # Safety
/// The engine has relaxed SIMD; there are levels and sums of `R` rows, and the weights are as wide as they are.
#[target_feature(enable = "relaxed-simd")]
unsafe fn tile<D: Dot, const R: usize>(levels: &[u8], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
    let n_quads = width / INT8_QUAD;
    for first in (0..INT8_PANEL / 4).step_by(VECTORS) {
        let part = Part { levels, width, values: weights.values, first };
        let mut tile = [[i32x4_splat(0); VECTORS]; R];
        // SAFETY: the quads are within the rows and the weights.
        unsafe {
            for at in 0..n_quads / 2 {
                if D::WIDENS && weights.fitting.at(at) {
                    part.add::<D, 2, R>(2 * at, &mut tile);
                } else {
                    part.add::<D, 1, R>(2 * at, &mut tile);
                    part.add::<D, 1, R>(2 * at + 1, &mut tile);
                }
            }
            if !n_quads.is_multiple_of(2) {
                part.add::<D, 1, R>(n_quads - 1, &mut tile);
            }
        }
        for (row, tile) in sums.iter_mut().zip(tile) {
            for (vector, values) in tile.into_iter().enumerate() {
                // SAFETY: a row has sixteen sums, of which these are four.
                unsafe { v128_store(row.as_mut_ptr().add((first + vector) * 4).cast(), values) };
            }
        }
    }
}

/// The operands of a tile: rows, and some vectors of a panel's channels.
#[derive(Clone, Copy)]
struct Part<'a> {
    levels: &'a [u8],
    width: usize,
    values: &'a [i8],
    /// The first vector.
    first: usize,
}

impl Part<'_> {
    /// Adds the products of `Q` quads, from one on, to the sums of `R` rows.
    ///
    /// # Safety
    /// The engine has relaxed SIMD; the quads are within the rows and the weights, and fit 16 bits together.
    #[inline]
    #[target_feature(enable = "relaxed-simd")]
    unsafe fn add<D: Dot, const Q: usize, const R: usize>(self, first: usize, tile: &mut [[v128; VECTORS]; R]) {
        // SAFETY: as the caller promised.
        unsafe {
            let weights: [[v128; Q]; VECTORS] =
                std::array::from_fn(|vector| std::array::from_fn(|quad| self.weights_of(vector, first + quad)));
            for (row, sums) in tile.iter_mut().enumerate() {
                let levels: [v128; Q] = std::array::from_fn(|quad| self.levels_of(row, first + quad));
                for (sums, weights) in sums.iter_mut().zip(weights) {
                    *sums = D::add(*sums, weights, levels);
                }
            }
        }
    }

    /// # Safety
    /// The quad is within the row.
    #[inline(always)]
    unsafe fn levels_of(self, row: usize, quad: usize) -> v128 {
        // SAFETY: as the caller promised.
        unsafe { v128_load32_splat(self.levels.as_ptr().add(row * self.width + quad * INT8_QUAD).cast()) }
    }

    /// # Safety
    /// The quad is within the weights.
    #[inline(always)]
    unsafe fn weights_of(self, vector: usize, quad: usize) -> v128 {
        let at = quad * QUAD_BYTES + (self.first + vector) * VECTOR_BYTES;
        // SAFETY: as the caller promised.
        unsafe { v128_load(self.values.as_ptr().add(at).cast()) }
    }
}
