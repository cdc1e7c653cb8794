//! wasm SIMD128: `i32x4.dot_i16x8_s` multiplies eight 16-bit integers by eight and adds neighboring products.

use super::tile::{SHORT_PANEL, TILE_ROWS, Tile, one_by_one};
use core::arch::wasm32::{i32x4_add, i32x4_dot_i16x8, i32x4_splat, v128, v128_load, v128_load32_splat, v128_store};

pub(super) fn multiply(rows: [&[i16]; TILE_ROWS], panels: &[i16], tiles: &mut [Tile]) {
    one_by_one(rows, panels, tiles, tile);
}

pub(crate) fn tile(rows: [&[i16]; TILE_ROWS], panel: &[i16]) -> Tile {
    let pairs = panel.len() / (2 * SHORT_PANEL);
    for row in rows {
        assert!(row.len() >= 2 * pairs, "a row is shorter than the panel");
    }
    let [row0, row1, row2, row3] = rows.map(|row| row.as_ptr());
    let weights = panel.as_ptr();
    let mut sums = [[i32x4_splat(0); 2]; TILE_ROWS];
    for pair in 0..pairs {
        // SAFETY: `pair` is below the number of pairs that the panel and, by the assertion, every row have.
        unsafe {
            let low = v128_load(weights.add(pair * 16).cast());
            let high = v128_load(weights.add(pair * 16 + 8).cast());
            let activations = [row0, row1, row2, row3].map(|row| v128_load32_splat(row.add(pair * 2).cast()));
            for (sums, activation) in sums.iter_mut().zip(activations) {
                sums[0] = i32x4_add(sums[0], i32x4_dot_i16x8(activation, low));
                sums[1] = i32x4_add(sums[1], i32x4_dot_i16x8(activation, high));
            }
        }
    }
    sums.map(store)
}

fn store(sums: [v128; 2]) -> [i32; SHORT_PANEL] {
    let mut row = [0; SHORT_PANEL];
    // SAFETY: `row` has room for eight 32-bit integers.
    unsafe {
        v128_store(row.as_mut_ptr().cast(), sums[0]);
        v128_store(row.as_mut_ptr().add(4).cast(), sums[1]);
    }
    row
}
