//! x86-64: the sixteen channels of a panel are two registers of 256 bits or one of 512.
//!
//! For each step of the depth a tile reads the panel once and one value of each of its rows, and keeps all sums in
//! registers. Six rows of two registers, or twelve of one, are as many sums as hide the latency of the products.

use super::kernel::{Block, Kernel};
use crate::kernels::Values;
use crate::weights::packing::INT8_PANEL;
use core::arch::x86_64::{
    _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_set1_ps, _mm512_storeu_ps,
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

/// Defines a kernel of tiles of `$rows` rows; the remaining rows are one tile.
macro_rules! kernel {
    ($name:ident, $features:literal, $tile:ident, $rows:literal, $($rest:literal)*) => {
        #[target_feature(enable = $features)]
        fn $name(block: Block<'_>, sums: &mut [Values]) {
            let depth = block.checked_depth(sums.len());
            let mut tiles = sums.chunks_exact_mut($rows);
            let mut row = 0;
            for sums in &mut tiles {
                // SAFETY: so many rows of this depth are there.
                unsafe { $tile::<$rows>(block, row, depth, sums) };
                row += $rows;
            }
            let sums = tiles.into_remainder();
            match sums.len() {
                // SAFETY: as above.
                $($rest => unsafe { $tile::<$rest>(block, row, depth, sums) },)*
                _ => {}
            }
        }
    };
}

kernel!(fma, "avx2,fma", fma_tile, 6, 1 2 3 4 5);
kernel!(avx512, "avx512f", avx512_tile, 12, 1 2 3 4 5 6 7 8 9 10 11);

/// # Safety
/// `R` rows from `row` on have `depth` values, and there are so many sums.
#[target_feature(enable = "avx2,fma")]
unsafe fn fma_tile<const R: usize>(block: Block<'_>, row: usize, depth: usize, sums: &mut [Values]) {
    debug_assert_eq!(sums.len(), R);
    let rows: [*const f32; R] = std::array::from_fn(|at| block.rows[(row + at) * block.stride..].as_ptr());
    // SAFETY: a row has sixteen sums, and depth was checked.
    unsafe {
        let mut tile: [_; R] = std::array::from_fn(|at| {
            let sums = sums.as_ptr().add(at).cast::<f32>();
            [_mm256_loadu_ps(sums), _mm256_loadu_ps(sums.add(8))]
        });
        for step in 0..depth {
            let panel = block.panel.as_ptr().add(step * INT8_PANEL);
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

/// # Safety
/// `R` rows from `row` on have `depth` values, and there are so many sums.
#[target_feature(enable = "avx512f")]
unsafe fn avx512_tile<const R: usize>(block: Block<'_>, row: usize, depth: usize, sums: &mut [Values]) {
    debug_assert_eq!(sums.len(), R);
    let rows: [*const f32; R] = std::array::from_fn(|at| block.rows[(row + at) * block.stride..].as_ptr());
    // SAFETY: a row has sixteen sums, and depth was checked.
    unsafe {
        let mut tile: [_; R] = std::array::from_fn(|at| _mm512_loadu_ps(sums.as_ptr().add(at).cast()));
        for step in 0..depth {
            let weights = _mm512_loadu_ps(block.panel.as_ptr().add(step * INT8_PANEL));
            for (sums, row) in tile.iter_mut().zip(rows) {
                *sums = _mm512_fmadd_ps(_mm512_set1_ps(*row.add(step)), weights, *sums);
            }
        }
        for (at, values) in tile.into_iter().enumerate() {
            _mm512_storeu_ps(sums.as_mut_ptr().add(at).cast(), values);
        }
    }
}
