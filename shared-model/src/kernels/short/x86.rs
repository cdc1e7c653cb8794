//! x86-64: the sixteen columns of a panel for two steps of `k` are two registers of 256 bits or one of 512.

use super::tile::{SHORT_PANEL, TILE_ROWS, Tile, TileKernel, one_by_one};
use core::arch::x86_64::{
    __m512i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_storeu_si256, _mm512_dpwssd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_storeu_si512,
};

/// Values of a panel for two steps.
const PAIR_LEN: usize = 2 * SHORT_PANEL;
/// Columns, and values for two steps, of a register of 256 bits.
const HALF: usize = SHORT_PANEL / 2;

/// Returns the kernels of this file that the processor runs, fastest first.
pub(super) fn available() -> impl Iterator<Item = TileKernel> {
    let has_vnni = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
    // SAFETY: the features that each function needs were just detected.
    let vnni: TileKernel = |rows, panels, tiles| unsafe { multiply_vnni(rows, panels, tiles) };
    // SAFETY: as above.
    let avx2: TileKernel = |rows, panels, tiles| unsafe { multiply_avx2(rows, panels, tiles) };
    let candidates = [(has_vnni, vnni), (is_x86_feature_detected!("avx2"), avx2)];
    candidates.into_iter().filter(|(is_available, _)| *is_available).map(|(_, kernel)| kernel)
}

/// Computes three tiles at a time, or two: with one, a sum would wait for the product before it, and each level of a row
/// would be read for one product.
#[target_feature(enable = "avx512f,avx512vnni")]
fn multiply_vnni(rows: [&[i16]; TILE_ROWS], panels: &[i16], tiles: &mut [Tile]) {
    let panel_len = panels.len() / tiles.len().max(1);
    let mut first = 0;
    while first < tiles.len() {
        let (panels, tiles) = (&panels[first * panel_len..], &mut tiles[first..]);
        first += match tiles {
            [] => unreachable!("there is a tile behind the first"),
            [tile] => tiles_vnni(rows, panels, panel_len, [tile]),
            [a, b] | [a, b, _, _] => tiles_vnni(rows, panels, panel_len, [a, b]),
            [a, b, c, ..] => tiles_vnni(rows, panels, panel_len, [a, b, c]),
        };
    }
}

#[target_feature(enable = "avx2")]
fn multiply_avx2(rows: [&[i16]; TILE_ROWS], panels: &[i16], tiles: &mut [Tile]) {
    one_by_one(rows, panels, tiles, |rows, panel| tile_avx2(rows, panel));
}

/// Returns the rows, to be read two steps at a time, and how often.
#[inline(always)]
fn pairs_of(rows: [&[i16]; TILE_ROWS], panel: &[i16]) -> ([*const i32; TILE_ROWS], usize) {
    let pairs = panel.len() / PAIR_LEN;
    for row in rows {
        assert!(row.len() >= 2 * pairs, "a row is shorter than the panel");
    }
    (rows.map(|row| row.as_ptr().cast()), pairs)
}

/// Computes the tiles of the first `P` panels, each `panel_len` long, and returns `P`.
#[target_feature(enable = "avx512f,avx512vnni")]
fn tiles_vnni<const P: usize>(
    rows: [&[i16]; TILE_ROWS],
    panels: &[i16],
    panel_len: usize,
    tiles: [&mut Tile; P],
) -> usize {
    let (rows, pairs) = pairs_of(rows, &panels[..panel_len]);
    assert!(panels.len() >= P * panel_len, "fewer panels than tiles");
    let mut sums = [[_mm512_setzero_si512(); P]; TILE_ROWS];
    for pair in 0..pairs {
        // SAFETY: `pair` is below the number of pairs that each panel and every row have.
        let weights: [__m512i; P] = std::array::from_fn(|panel| unsafe {
            _mm512_loadu_si512(panels.as_ptr().add(panel * panel_len + pair * PAIR_LEN).cast())
        });
        for (sums, row) in sums.iter_mut().zip(rows) {
            // SAFETY: as above; two 16-bit integers are read as one of 32 bits.
            let activations = _mm512_set1_epi32(unsafe { row.add(pair).read_unaligned() });
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpwssd_epi32(*sum, activations, weights);
            }
        }
    }
    for (panel, tile) in tiles.into_iter().enumerate() {
        for (to, sums) in tile.iter_mut().zip(&sums) {
            // SAFETY: a row has room for sixteen 32-bit integers.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), sums[panel]) };
        }
    }
    P
}

#[target_feature(enable = "avx2")]
fn tile_avx2(rows: [&[i16]; TILE_ROWS], panel: &[i16]) -> Tile {
    let (rows, pairs) = pairs_of(rows, panel);
    let mut tile = Tile::default();
    for half in 0..2 {
        let mut sums = [_mm256_setzero_si256(); TILE_ROWS];
        for pair in 0..pairs {
            // SAFETY: `pair` is below the number of pairs that the panel and every row have.
            let weights =
                unsafe { _mm256_loadu_si256(panel.as_ptr().add(pair * PAIR_LEN + half * 2 * HALF).cast()) };
            for (sum, row) in sums.iter_mut().zip(rows) {
                // SAFETY: as above; two 16-bit integers are read as one of 32 bits.
                let activations = _mm256_set1_epi32(unsafe { row.add(pair).read_unaligned() });
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(activations, weights));
            }
        }
        for (to, sums) in tile.iter_mut().zip(sums) {
            // SAFETY: half a row has room for eight 32-bit integers.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().add(half * HALF).cast(), sums) };
        }
    }
    tile
}
