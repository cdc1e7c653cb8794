//! x86-64: the sixteen channels of a panel are two registers of 256 bits or one of 512.
//!
//! For each step of the depth a tile reads the panels once and one value of each of its rows, and keeps all sums in
//! registers. Six rows of two registers, or eight of three panels, are as many sums as hide the latency of the products,
//! and more products than values are read. Each tile fetches its part of the next block, so that weights that come from
//! memory are there when they are multiplied.

use super::kernel::{Block, Kernel};
use super::prefetch::prefetch_part;
use crate::kernels::Values;
use crate::weights::packing::INT8_PANEL;
use core::arch::x86_64::{
    _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

/// Returns the kernels of this file that the processor runs, fastest first.
pub(super) fn available() -> impl Iterator<Item = Kernel> {
    // SAFETY: the features that each function needs are detected below.
    let avx512: Kernel = |block, sums| unsafe { avx512(block, sums) };
    // SAFETY: as above.
    let fma: Kernel = |block, sums| unsafe { fma(block, sums) };
    let has_fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let candidates = [(is_x86_feature_detected!("avx512f"), avx512), (has_fma, fma)];
    candidates.into_iter().filter(|(is_available, _)| *is_available).map(|(_, kernel)| kernel)
}

#[target_feature(enable = "avx2,fma")]
fn fma(block: Block<'_>, sums: &mut [Values]) {
    const ROWS: usize = 6;
    let depth = block.checked_depth(sums);
    let panels = block.panels.iter().zip(block.next);
    for ((panel, next), sums) in panels.zip(sums.chunks_exact_mut(block.n_rows.max(1))) {
        let (mut tiles, n_tiles) = (sums.chunks_exact_mut(ROWS), block.n_rows.div_ceil(ROWS));
        let mut row = 0;
        // SAFETY: so many rows of this depth are there.
        unsafe {
            for sums in &mut tiles {
                prefetch_part(next, row / ROWS, n_tiles);
                fma_tile::<ROWS>(block, panel, row, depth, sums);
                row += ROWS;
            }
            let sums = tiles.into_remainder();
            match sums.len() {
                1 => fma_tile::<1>(block, panel, row, depth, sums),
                2 => fma_tile::<2>(block, panel, row, depth, sums),
                3 => fma_tile::<3>(block, panel, row, depth, sums),
                4 => fma_tile::<4>(block, panel, row, depth, sums),
                5 => fma_tile::<5>(block, panel, row, depth, sums),
                _ => {}
            }
        }
    }
}

/// # Safety
/// `R` rows from `row` on have `depth` values, as the panel has, and there are so many sums.
#[target_feature(enable = "avx2,fma")]
unsafe fn fma_tile<const R: usize>(block: Block<'_>, panel: &[f32], row: usize, depth: usize, sums: &mut [Values]) {
    debug_assert_eq!(sums.len(), R);
    let rows: [*const f32; R] = std::array::from_fn(|at| block.rows[(row + at) * block.stride..].as_ptr());
    // SAFETY: a row has sixteen sums, and depth was checked.
    unsafe {
        let mut tile: [_; R] = std::array::from_fn(|at| {
            let sums = sums.as_ptr().add(at).cast::<f32>();
            [_mm256_loadu_ps(sums), _mm256_loadu_ps(sums.add(8))]
        });
        for step in 0..depth {
            let panel = panel.as_ptr().add(step * INT8_PANEL);
            let weights = [_mm256_loadu_ps(panel), _mm256_loadu_ps(panel.add(8))];
            for (sums, row) in tile.iter_mut().zip(rows) {
                let x = _mm256_broadcast_ss(&*row.add(step));
                *sums = [_mm256_fmadd_ps(x, weights[0], sums[0]), _mm256_fmadd_ps(x, weights[1], sums[1])];
            }
        }
        for (at, values) in tile.into_iter().enumerate() {
            let sums = sums.as_mut_ptr().add(at).cast::<f32>();
            _mm256_storeu_ps(sums, values[0]);
            _mm256_storeu_ps(sums.add(8), values[1]);
        }
    }
}

#[target_feature(enable = "avx512f")]
fn avx512(block: Block<'_>, sums: &mut [Values]) {
    let depth = block.checked_depth(sums);
    let n_tiles = block.n_rows.div_ceil(AVX512_ROWS);
    for row in (0..block.n_rows).step_by(AVX512_ROWS) {
        block.next.iter().for_each(|next| prefetch_part(next, row / AVX512_ROWS, n_tiles));
        // SAFETY: so many rows of this depth are there, and so many panels.
        unsafe {
            match block.panels.len() {
                3 => avx512_rows::<3>(block, row, depth, sums),
                2 => avx512_rows::<2>(block, row, depth, sums),
                _ => avx512_rows::<1>(block, row, depth, sums),
            }
        }
    }
}

/// Rows of a tile, whose sums of [`MOST_PANELS`](crate::kernels::MOST_PANELS) panels stay in registers.
const AVX512_ROWS: usize = 8;

/// Computes the tile of the rows from `row` on.
///
/// # Safety
/// The block has `P` panels of this depth, and more rows than `row`; there are sums for both.
#[target_feature(enable = "avx512f")]
unsafe fn avx512_rows<const P: usize>(block: Block<'_>, row: usize, depth: usize, sums: &mut [Values]) {
    // SAFETY: as the caller promised.
    unsafe {
        match block.n_rows - row {
            1 => avx512_tile::<1, P>(block, row, depth, sums),
            2 => avx512_tile::<2, P>(block, row, depth, sums),
            3 => avx512_tile::<3, P>(block, row, depth, sums),
            4 => avx512_tile::<4, P>(block, row, depth, sums),
            5 => avx512_tile::<5, P>(block, row, depth, sums),
            6 => avx512_tile::<6, P>(block, row, depth, sums),
            7 => avx512_tile::<7, P>(block, row, depth, sums),
            _ => avx512_tile::<AVX512_ROWS, P>(block, row, depth, sums),
        }
    }
}

/// # Safety
/// `R` rows from `row` on have `depth` values, as `P` panels have, and there are sums for both.
#[target_feature(enable = "avx512f")]
unsafe fn avx512_tile<const R: usize, const P: usize>(
    block: Block<'_>,
    row: usize,
    depth: usize,
    sums: &mut [Values],
) {
    let rows: [*const f32; R] = std::array::from_fn(|at| block.rows[(row + at) * block.stride..].as_ptr());
    let panels: [*const f32; P] = std::array::from_fn(|at| block.panels[at].as_ptr());
    let sums: [&mut [Values]; P] = {
        let mut panels = sums.chunks_exact_mut(block.n_rows);
        std::array::from_fn(|_| &mut panels.next().expect("sums of every panel")[row..][..R])
    };
    // SAFETY: a row of a panel has sixteen sums, and depth was checked.
    unsafe {
        let mut tile = [[_mm512_setzero_ps(); P]; R];
        for (row, tile) in tile.iter_mut().enumerate() {
            for (tile, sums) in tile.iter_mut().zip(&sums) {
                *tile = _mm512_loadu_ps(sums[row].as_ptr());
            }
        }
        for step in 0..depth {
            let mut weights = [_mm512_setzero_ps(); P];
            for (weights, panel) in weights.iter_mut().zip(panels) {
                *weights = _mm512_loadu_ps(panel.add(step * INT8_PANEL));
            }
            for (tile, row) in tile.iter_mut().zip(rows) {
                let x = _mm512_set1_ps(*row.add(step));
                for (sum, weights) in tile.iter_mut().zip(weights) {
                    *sum = _mm512_fmadd_ps(x, weights, *sum);
                }
            }
        }
        for (at, sums) in sums.into_iter().enumerate() {
            for (sums, tile) in sums.iter_mut().zip(tile) {
                _mm512_storeu_ps(sums.as_mut_ptr(), tile[at]);
            }
        }
    }
}
