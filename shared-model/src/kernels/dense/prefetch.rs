//! Weights that are likely to be multiplied next are fetched from memory while others are multiplied.

use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

/// Values of a line of the cache.
const LINE: usize = 16;

/// Begins to fetch the part of a block that belongs to one of `n_tiles`.
pub(super) fn prefetch_part(block: &[f32], tile: usize, n_tiles: usize) {
    let n_lines = block.len() / LINE;
    for line in n_lines * tile / n_tiles..n_lines * (tile + 1) / n_tiles {
        // SAFETY: every x86-64 has SSE, and a prefetch reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(block[line * LINE..].as_ptr().cast()) };
    }
}
