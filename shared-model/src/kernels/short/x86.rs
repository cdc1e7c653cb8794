//! x86-64: one 256-bit register holds the eight columns of a panel for two steps of `k`.

use super::tile::{SHORT_PANEL, TILE_ROWS, Tile, TileKernel};
use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_dpwssd_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_storeu_si256,
};

/// Returns the kernels of this file that the processor runs, fastest first.
pub(super) fn available() -> impl Iterator<Item = TileKernel> {
    let has_vnni = is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl");
    // SAFETY: the features that each function needs were just detected.
    let vnni: TileKernel = |rows, panel| unsafe { tile_vnni(rows, panel) };
    // SAFETY: as above.
    let avx2: TileKernel = |rows, panel| unsafe { tile_avx2(rows, panel) };
    let candidates = [(has_vnni, vnni), (is_x86_feature_detected!("avx2"), avx2)];
    candidates.into_iter().filter(|(is_available, _)| *is_available).map(|(_, kernel)| kernel)
}

macro_rules! tile {
    ($name:ident, $features:literal, $accumulate:expr) => {
        #[target_feature(enable = $features)]
        fn $name(rows: [&[i16]; TILE_ROWS], panel: &[i16]) -> Tile {
            let pairs = panel.len() / (2 * SHORT_PANEL);
            for row in rows {
                assert!(row.len() >= 2 * pairs, "a row is shorter than the panel");
            }
            let rows = rows.map(|row| row.as_ptr().cast::<i32>());
            let mut sums = [_mm256_setzero_si256(); TILE_ROWS];
            for pair in 0..pairs {
                // SAFETY: `pair` is below the number of pairs that the panel and, by the assertion, every row have.
                let weights = unsafe { _mm256_loadu_si256(panel.as_ptr().add(pair * 16).cast()) };
                for (sum, row) in sums.iter_mut().zip(rows) {
                    // SAFETY: as above; two 16-bit integers are read as one of 32 bits.
                    let activations = _mm256_set1_epi32(unsafe { row.add(pair).read_unaligned() });
                    *sum = $accumulate(*sum, activations, weights);
                }
            }
            sums.map(|sums| store(sums))
        }
    };
}

tile!(tile_vnni, "avx512vnni,avx512vl", |sum, a, b| _mm256_dpwssd_epi32(sum, a, b));
tile!(tile_avx2, "avx2", |sum, a, b| _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)));

#[target_feature(enable = "avx")]
fn store(sums: __m256i) -> [i32; SHORT_PANEL] {
    let mut row = [0; SHORT_PANEL];
    // SAFETY: `row` has room for eight 32-bit integers.
    unsafe { _mm256_storeu_si256(row.as_mut_ptr().cast(), sums) };
    row
}
