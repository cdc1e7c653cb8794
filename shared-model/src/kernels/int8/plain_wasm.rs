//! wasm SIMD128 without relaxed SIMD: levels and weights become 16-bit integers for the tiles of
//! [`crate::kernels::short`].

use super::kernel::{Sums, Weights, checked_rows};
use super::levels::{BLOCK_WIDTH, Level};
use crate::kernels::short::tile::{SHORT_PANEL, TILE_ROWS};
use crate::kernels::short::wasm::tile;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};
use core::arch::wasm32::{i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_shuffle, v128_load, v128_store};

/// Panels of the tiles in one int8 panel.
const N_HALVES: usize = INT8_PANEL / SHORT_PANEL;
/// Steps of a pair; a quad has two pairs.
const PAIR: usize = 2;

pub(super) fn multiply(levels: &[Level], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
    let n_rows = checked_rows(levels, width, weights, sums);
    assert!(width <= BLOCK_WIDTH, "a block of {width} columns, at most {BLOCK_WIDTH} fit");
    let mut halves = [[0i16; BLOCK_WIDTH * SHORT_PANEL]; N_HALVES];
    widen(weights.values, &mut halves);
    for first in (0..n_rows).step_by(TILE_ROWS) {
        let rows = std::array::from_fn(|row| &levels[(first + row).min(n_rows - 1) * width..][..width]);
        for (half, weights) in halves.iter().enumerate() {
            let tile = tile(rows, &weights[..width * SHORT_PANEL]);
            for (sums, values) in sums[first..].iter_mut().zip(tile) {
                sums[half * SHORT_PANEL..][..SHORT_PANEL].copy_from_slice(&values);
            }
        }
    }
}

/// Widens `[width / 4][16][4]` bytes to `[width / 2][8][2]` 16-bit integers for each half of the channels.
fn widen(panel: &[i8], halves: &mut [[i16; BLOCK_WIDTH * SHORT_PANEL]; N_HALVES]) {
    for (quad, weights) in panel.chunks_exact(INT8_PANEL * INT8_QUAD).enumerate() {
        for (four, weights) in weights.chunks_exact(4 * INT8_QUAD).enumerate() {
            let half = &mut halves[four / 2];
            let at = quad * 2 * SHORT_PANEL * PAIR + four % 2 * 4 * PAIR;
            // SAFETY: four channels' quads are sixteen bytes; both pairs of the quad are within the half, whose length
            // the slices check.
            unsafe {
                let bytes = v128_load(weights.as_ptr().cast());
                let (low, high) = (i16x8_extend_low_i8x16(bytes), i16x8_extend_high_i8x16(bytes));
                let first = &mut half[at..][..4 * PAIR];
                v128_store(first.as_mut_ptr().cast(), i32x4_shuffle::<0, 2, 4, 6>(low, high));
                let second = &mut half[at + SHORT_PANEL * PAIR..][..4 * PAIR];
                v128_store(second.as_mut_ptr().cast(), i32x4_shuffle::<1, 3, 5, 7>(low, high));
            }
        }
    }
}
