//! What the kernels of 256 bits share: a panel is two registers.

use crate::kernels::Values;
use crate::kernels::int8::kernel::{Part, Product};
use crate::kernels::int8::rounding::Step;
use crate::weights::packing::QUAD_BYTES;
use core::arch::x86_64::{
    __m256i, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_mul_ps, _mm256_set1_ps,
    _mm256_storeu_ps, _mm256_sub_ps,
};

/// Multiplies the panels one after the other, in tiles of `$rows` rows; the remaining rows are one tile.
macro_rules! multiply_by_tiles {
    ($product:ident, $values:ident, $tile:ident, $rows:literal, $($rest:literal)*) => {{
        let n_rows = $product.checked_rows($values);
        for (panel, values) in $product.panels.iter().zip($values.chunks_mut($product.stride)) {
            let mut tiles = values[..n_rows].chunks_exact_mut($rows);
            let mut row = 0;
            for values in &mut tiles {
                // SAFETY: so many rows are there, and the weights are as wide as they are.
                unsafe { $tile::<$rows>($product, *panel, row, values) };
                row += $rows;
            }
            let values = tiles.into_remainder();
            match values.len() {
                // SAFETY: as above.
                $($rest => unsafe { $tile::<$rest>($product, *panel, row, values) },)*
                _ => {}
            }
        }
    }};
}
pub(super) use multiply_by_tiles;

/// Returns a quad of all sixteen channels.
///
/// # Safety
/// The quad is within the weights.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn weights_of(weights: &[i8], quad: usize) -> [__m256i; 2] {
    // SAFETY: as the caller promised.
    [0, 32].map(|at| unsafe { _mm256_loadu_si256(weights.as_ptr().add(quad * QUAD_BYTES + at).cast()) })
}

/// Adds what the sums of some rows mean to their values.
///
/// # Safety
/// The product has steps of `R` rows from `row` on, and there are as many values.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn store_values<const R: usize>(
    product: Product<'_>,
    panel: Part<'_>,
    row: usize,
    values: &mut [Values],
    sums: [[__m256i; 2]; R],
) {
    let Product { is_first, is_last, .. } = product;
    let Part { weight_sums, channels, .. } = panel;
    for ((values, sums), &Step { scale, offset }) in values.iter_mut().zip(sums).zip(&product.steps[row..]) {
        let (scale, offset) = (_mm256_set1_ps(scale), _mm256_set1_ps(offset));
        for (half, sums) in sums.into_iter().enumerate() {
            // SAFETY: a row has sixteen values, and so has what belongs to channels.
            unsafe {
                let of = |values: &Values| _mm256_loadu_ps(values.as_ptr().add(8 * half));
                let zero = _mm256_mul_ps(offset, of(weight_sums));
                let own = _mm256_sub_ps(_mm256_mul_ps(scale, _mm256_cvtepi32_ps(sums)), zero);
                let mut value = if is_first { own } else { _mm256_add_ps(of(values), own) };
                if is_last {
                    let [scales, bias] = channels.map(of);
                    value = _mm256_add_ps(_mm256_mul_ps(value, scales), bias);
                }
                _mm256_storeu_ps(values.as_mut_ptr().add(8 * half), value);
            }
        }
    }
}
