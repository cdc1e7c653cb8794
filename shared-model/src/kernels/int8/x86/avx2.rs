//! AVX2: sums of two registers, of 16-bit products that are added in pairs.

use super::levels::load_quad;
use super::ymm::{multiply_by_tiles, store_values, weights_of};
use crate::kernels::Values;
use crate::kernels::int8::kernel::{Part, Product};
use crate::weights::packing::INT8_QUAD;
use core::arch::x86_64::{
    __m256i, _mm256_add_epi16, _mm256_add_epi32, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_setzero_si256,
};

#[target_feature(enable = "avx2")]
pub(super) fn multiply(product: Product<'_>, values: &mut [Values]) {
    multiply_by_tiles!(product, values, tile, 4, 1 2 3);
}

/// # Safety
/// There are `R` rows from `row` on, and as many values; the weights are as wide as the rows are.
#[target_feature(enable = "avx2")]
unsafe fn tile<const R: usize>(product: Product<'_>, panel: Part<'_>, row: usize, values: &mut [Values]) {
    let (width, weights) = (product.width, panel.weights);
    let levels = &product.levels[row * width..];
    let n_quads = width / INT8_QUAD;
    let mut sums = [[_mm256_setzero_si256(); 2]; R];
    for at in 0..n_quads / 2 {
        let first = 2 * at;
        // SAFETY: both quads are within the rows and the weights.
        unsafe {
            if weights.fitting.at(at) {
                add_quads::<2, R>(levels, width, weights.values, first, &mut sums);
            } else {
                add_quads::<1, R>(levels, width, weights.values, first, &mut sums);
                add_quads::<1, R>(levels, width, weights.values, first + 1, &mut sums);
            }
        }
    }
    if !n_quads.is_multiple_of(2) {
        // SAFETY: the last quad is within the rows and the weights.
        unsafe { add_quads::<1, R>(levels, width, weights.values, n_quads - 1, &mut sums) };
    }
    // SAFETY: there are as many values and steps as sums.
    unsafe { store_values(product, panel, row, values, sums) };
}

/// Adds the products of `Q` quads from `first` on to the sums of `R` rows. The products of the quads are added in 16
/// bits.
///
/// # Safety
/// The quads are within the rows and the weights, and their products fit.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn add_quads<const Q: usize, const R: usize>(
    levels: &[u8],
    width: usize,
    weights: &[i8],
    first: usize,
    sums: &mut [[__m256i; 2]; R],
) {
    let ones = _mm256_set1_epi16(1);
    // SAFETY: as the caller promised.
    let weights: [_; Q] = std::array::from_fn(|quad| unsafe { weights_of(weights, first + quad) });
    for (row, sums) in sums.iter_mut().enumerate() {
        let at = row * width + first * INT8_QUAD;
        // SAFETY: as the caller promised.
        let level = |quad| unsafe { load_quad(levels, at + quad * INT8_QUAD) };
        let levels: [_; Q] = std::array::from_fn(|quad| _mm256_set1_epi32(level(quad)));
        for (half, sums) in sums.iter_mut().enumerate() {
            let mut pairs = _mm256_maddubs_epi16(levels[0], weights[0][half]);
            for quad in 1..Q {
                pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(levels[quad], weights[quad][half]));
            }
            *sums = _mm256_add_epi32(*sums, _mm256_madd_epi16(pairs, ones));
        }
    }
}
