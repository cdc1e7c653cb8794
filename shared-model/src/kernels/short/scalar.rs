//! The reference of all other kernels, and the kernel of processors without one.

use super::tile::{SHORT_PANEL, TILE_ROWS, Tile, one_by_one};

pub(super) fn multiply(rows: [&[i16]; TILE_ROWS], panels: &[i16], tiles: &mut [Tile]) {
    one_by_one(rows, panels, tiles, tile);
}

fn tile(rows: [&[i16]; TILE_ROWS], panel: &[i16]) -> Tile {
    let mut sums = Tile::default();
    for (row, sums) in rows.iter().zip(&mut sums) {
        for (pair, weights) in row.chunks_exact(2).zip(panel.chunks_exact(2 * SHORT_PANEL)) {
            for (sum, weight) in sums.iter_mut().zip(weights.chunks_exact(2)) {
                *sum += i32::from(pair[0]) * i32::from(weight[0]) + i32::from(pair[1]) * i32::from(weight[1]);
            }
        }
    }
    sums
}
