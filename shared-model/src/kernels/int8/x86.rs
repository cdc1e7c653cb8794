//! x86-64: sixteen channels by four steps of `k` are two registers of 256 bits or one of 512.

use super::{INT8_PANEL, INT8_QUAD, PanelKernel, Sums, checked_rows};
use core::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256, _mm512_dpbusd_epi32,
    _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
};

const QUAD_BYTES: usize = INT8_PANEL * INT8_QUAD;

/// This file's kernels that the processor has, fastest first.
pub(super) fn available() -> impl Iterator<Item = PanelKernel> {
    let has_vnni = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
    // SAFETY: the features that each function asks for were just detected.
    let vnni: PanelKernel = |levels, width, panel, sums| unsafe { vnni(levels, width, panel, sums) };
    // SAFETY: as above.
    let avx2: PanelKernel = |levels, width, panel, sums| unsafe { avx2(levels, width, panel, sums) };
    let candidates = [(has_vnni, vnni), (is_x86_feature_detected!("avx2"), avx2)];
    candidates.into_iter().filter(|(is_available, _)| *is_available).map(|(_, kernel)| kernel)
}

/// A kernel of tiles of `$rows` rows, and of single ones for what is left.
macro_rules! kernel {
    ($name:ident, $features:literal, $rows:literal, $tile:ident) => {
        #[target_feature(enable = $features)]
        fn $name(levels: &[u8], width: usize, panel: &[i8], sums: &mut [Sums]) {
            let n_rows = checked_rows(levels, width, panel, sums);
            let whole_tiles = n_rows / $rows * $rows;
            for row in (0..whole_tiles).step_by($rows) {
                // SAFETY: so many rows are there, and the panel is as wide as they are.
                unsafe { $tile::<$rows>(&levels[row * width..], width, panel, &mut sums[row..]) };
            }
            for row in whole_tiles..n_rows {
                // SAFETY: as above.
                unsafe { $tile::<1>(&levels[row * width..], width, panel, &mut sums[row..]) };
            }
        }
    };
}

kernel!(avx2, "avx2", 4, avx2_tile);
kernel!(vnni, "avx512f,avx512vnni", 12, vnni_tile);

/// # Safety
/// There are levels and sums of `R` rows, and `panel` is as wide as they are.
#[target_feature(enable = "avx2")]
unsafe fn avx2_tile<const R: usize>(levels: &[u8], width: usize, panel: &[i8], sums: &mut [Sums]) {
    let ones = _mm256_set1_epi16(1);
    let mut tile = [[_mm256_setzero_si256(); 2]; R];
    for quad in 0..width / INT8_QUAD {
        // SAFETY: `quad` is within the panel.
        let weights = [0, 32]
            .map(|at| unsafe { _mm256_loadu_si256(panel.as_ptr().add(quad * QUAD_BYTES + at).cast::<__m256i>()) });
        for (row, tile) in tile.iter_mut().enumerate() {
            // SAFETY: `row` is one of `R`, and `quad` within it.
            let levels = _mm256_set1_epi32(unsafe { quad_of(levels, row * width + quad * INT8_QUAD) });
            for (sums, weights) in tile.iter_mut().zip(weights) {
                let pairs = _mm256_maddubs_epi16(levels, weights);
                *sums = _mm256_add_epi32(*sums, _mm256_madd_epi16(pairs, ones));
            }
        }
    }
    for (sums, tile) in sums.iter_mut().zip(tile) {
        // SAFETY: a row has sixteen sums.
        unsafe {
            _mm256_storeu_si256(sums.as_mut_ptr().cast(), tile[0]);
            _mm256_storeu_si256(sums.as_mut_ptr().add(8).cast(), tile[1]);
        }
    }
}

/// # Safety
/// As [`avx2_tile`].
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn vnni_tile<const R: usize>(levels: &[u8], width: usize, panel: &[i8], sums: &mut [Sums]) {
    let mut tile = [_mm512_setzero_si512(); R];
    for quad in 0..width / INT8_QUAD {
        // SAFETY: `quad` is within the panel.
        let weights = unsafe { _mm512_loadu_si512(panel.as_ptr().add(quad * QUAD_BYTES).cast::<__m512i>()) };
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

/// # Safety
/// Four levels stand from `at` on.
#[inline(always)]
unsafe fn quad_of(levels: &[u8], at: usize) -> i32 {
    // SAFETY: as the caller promised.
    unsafe { levels.as_ptr().add(at).cast::<i32>().read_unaligned() }
}
