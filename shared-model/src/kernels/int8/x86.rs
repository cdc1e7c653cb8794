//! x86-64: the sixteen channels of a panel for four steps of `k` are two registers of 256 bits or one of 512.

use super::kernel::{PanelKernel, Sums, Weights, checked_rows};
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};
use core::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi16, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
    _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
};

const QUAD_BYTES: usize = INT8_PANEL * INT8_QUAD;

/// Returns the kernels of this file that the processor runs, fastest first.
pub(super) fn available() -> impl Iterator<Item = PanelKernel> {
    let has_vnni = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
    // SAFETY: the features that each function needs were just detected.
    let vnni: PanelKernel = |levels, width, weights, sums| unsafe { vnni(levels, width, weights, sums) };
    // SAFETY: as above.
    let avx2: PanelKernel = |levels, width, weights, sums| unsafe { avx2(levels, width, weights, sums) };
    let candidates = [(has_vnni, vnni), (is_x86_feature_detected!("avx2"), avx2)];
    candidates.into_iter().filter(|(is_available, _)| *is_available).map(|(_, kernel)| kernel)
}

/// Defines a kernel of tiles of `$rows` rows; the remaining rows are tiles of one.
macro_rules! kernel {
    ($name:ident, $features:literal, $rows:literal, $tile:ident) => {
        #[target_feature(enable = $features)]
        fn $name(levels: &[u8], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
            let n_rows = checked_rows(levels, width, weights, sums);
            let whole_tiles = n_rows / $rows * $rows;
            for row in (0..whole_tiles).step_by($rows) {
                // SAFETY: so many rows are there, and the weights are as wide as they are.
                unsafe { $tile::<$rows>(&levels[row * width..], width, weights, &mut sums[row..]) };
            }
            for row in whole_tiles..n_rows {
                // SAFETY: as above.
                unsafe { $tile::<1>(&levels[row * width..], width, weights, &mut sums[row..]) };
            }
        }
    };
}

kernel!(avx2, "avx2", 4, avx2_tile);
kernel!(vnni, "avx512f,avx512vnni", 12, vnni_tile);

/// # Safety
/// There are levels and sums of `R` rows, and the weights are as wide as they are.
#[target_feature(enable = "avx2")]
unsafe fn avx2_tile<const R: usize>(levels: &[u8], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
    let n_quads = width / INT8_QUAD;
    let mut tile = [[_mm256_setzero_si256(); 2]; R];
    for at in 0..n_quads / 2 {
        let first = 2 * at;
        // SAFETY: both quads are within the rows and the weights.
        unsafe {
            if weights.fitting.at(at) {
                avx2_quads::<2, R>(levels, width, weights.values, first, &mut tile);
            } else {
                avx2_quads::<1, R>(levels, width, weights.values, first, &mut tile);
                avx2_quads::<1, R>(levels, width, weights.values, first + 1, &mut tile);
            }
        }
    }
    if !n_quads.is_multiple_of(2) {
        // SAFETY: the last quad is within the rows and the weights.
        unsafe { avx2_quads::<1, R>(levels, width, weights.values, n_quads - 1, &mut tile) };
    }
    for (sums, tile) in sums.iter_mut().zip(tile) {
        // SAFETY: a row has sixteen sums.
        unsafe {
            _mm256_storeu_si256(sums.as_mut_ptr().cast(), tile[0]);
            _mm256_storeu_si256(sums.as_mut_ptr().add(8).cast(), tile[1]);
        }
    }
}

/// Adds the products of `Q` quads from `first` on to the sums of `R` rows. The products of the quads are added in 16
/// bits.
///
/// # Safety
/// The quads are within the rows and the weights, and their products fit.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn avx2_quads<const Q: usize, const R: usize>(
    levels: &[u8],
    width: usize,
    weights: &[i8],
    first: usize,
    tile: &mut [[__m256i; 2]; R],
) {
    let ones = _mm256_set1_epi16(1);
    // SAFETY: as the caller promised.
    let weights: [_; Q] = std::array::from_fn(|quad| unsafe { avx2_weights(weights, first + quad) });
    for (row, sums) in tile.iter_mut().enumerate() {
        let at = row * width + first * INT8_QUAD;
        // SAFETY: as the caller promised.
        let level = |quad| unsafe { quad_of(levels, at + quad * INT8_QUAD) };
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

/// Returns a quad of all sixteen channels.
///
/// # Safety
/// The quad is within the weights.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn avx2_weights(weights: &[i8], quad: usize) -> [__m256i; 2] {
    // SAFETY: as the caller promised.
    [0, 32].map(|at| unsafe { _mm256_loadu_si256(weights.as_ptr().add(quad * QUAD_BYTES + at).cast()) })
}

/// # Safety
/// As [`avx2_tile`].
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn vnni_tile<const R: usize>(levels: &[u8], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
    let mut tile = [_mm512_setzero_si512(); R];
    for quad in 0..width / INT8_QUAD {
        // SAFETY: `quad` is within the weights.
        let weights =
            unsafe { _mm512_loadu_si512(weights.values.as_ptr().add(quad * QUAD_BYTES).cast::<__m512i>()) };
        for (row, sums) in tile.iter_mut().enumerate() {
            // SAFETY: `row` is one of `R`, and `quad` within it.
            let levels = _mm512_set1_epi32(unsafe { quad_of(levels, row * width + quad * INT8_QUAD) });
            *sums = _mm512_dpbusd_epi32(*sums, levels, weights);
        }
    }
    for (sums, tile) in sums.iter_mut().zip(tile) {
        // SAFETY: a row has sixteen sums.
        unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), tile) };
    }
}

/// Returns four levels.
///
/// # Safety
/// `at` is within `levels`, and so are the three after it.
#[inline(always)]
unsafe fn quad_of(levels: &[u8], at: usize) -> i32 {
    // SAFETY: as the caller promised.
    unsafe { levels.as_ptr().add(at).cast::<i32>().read_unaligned() }
}
