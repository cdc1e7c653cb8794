//! The product of rows and panels.

use super::operands::{ShortPanels, ShortRows};
use super::tile::{SHORT_PANEL, TILE_ROWS, Tile, TileKernel};
use crate::lanes::widest;
use crate::output::Rows;

/// Tiles side by side that become values together: few enough for the first cache.
const TILES_AT_ONCE: usize = 16;

/// Computes `out = rows panels^T * factor`.
///
/// # Panics
/// When `out` has fewer rows or columns than the product.
pub(crate) fn multiply(
    rows: &ShortRows,
    panels: &ShortPanels,
    factor: f32,
    kernel: TileKernel,
    out: &mut Rows<'_, f32>,
) {
    let (n_rows, n_columns) = (rows.scales.len(), out.size().width);
    let panel_len = 2 * panels.n_pairs * SHORT_PANEL;
    let mut tiles = [Tile::default(); TILES_AT_ONCE];
    for first in (0..n_rows).step_by(TILE_ROWS) {
        let tile = std::array::from_fn(|row| rows.row((first + row).min(n_rows - 1)));
        let row_scales = &rows.scales[first..n_rows.min(first + TILE_ROWS)];
        for (group, values) in panels.values.chunks(TILES_AT_ONCE * panel_len).enumerate() {
            let tiles = &mut tiles[..values.len() / panel_len];
            kernel(tile, values, tiles);
            let column = group * TILES_AT_ONCE * SHORT_PANEL;
            let scales = &panels.scales[column..][..(tiles.len() * SHORT_PANEL).min(n_columns - column)];
            scale(tiles, row_scales, factor, scales, out, (first, column));
        }
    }
}

widest! {
    /// Turns the sums of tiles side by side, whose place is `(row, column)`, to values.
    fn scale(
        tiles: &[Tile],
        row_scales: &[f32],
        factor: f32,
        scales: &[f32],
        out: &mut Rows<'_, f32>,
        place: (usize, usize)
    ) {
        let (row, first_column) = place;
        for (panel, (sums, scales)) in tiles.iter().zip(scales.chunks(SHORT_PANEL)).enumerate() {
            let column = first_column + panel * SHORT_PANEL;
            for (at, (sums, row_scale)) in sums.iter().zip(row_scales).enumerate() {
                let row_scale = row_scale * factor;
                let out = out.part(row + at, column, scales.len());
                let value = |sum: i32, scale: f32| sum as f32 * (row_scale * scale);
                let whole: (Option<&mut [f32; SHORT_PANEL]>, Option<&[f32; SHORT_PANEL]>) =
                    (out.first_chunk_mut(), scales.first_chunk());
                if let (Some(out), Some(scales)) = whole {
                    for at in 0..SHORT_PANEL {
                        out[at] = value(sums[at], scales[at]);
                    }
                } else {
                    for ((out, &sum), &scale) in out.iter_mut().zip(sums).zip(scales) {
                        *out = value(sum, scale);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dispatch::available_kernels;
    use super::super::operands::Source;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn products_are_within_what_rounding_can_be(
            // Up to three tiles at once, and more than become values together.
            (n_rows, n_columns, width) in (1usize..20, prop_oneof![1usize..70, 250usize..280], 1usize..70),
            seed: u64,
        ) {
            let mut state = seed | 1;
            let mut draw = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((state >> 33) as i32 % 2001 - 1000) as f32 / 77.0
            };
            let stride = width + 3;
            let a: Vec<f32> = (0..n_rows * stride).map(|_| draw()).collect();
            let b: Vec<f32> = (0..n_columns.max(width) * stride.max(n_columns)).map(|_| draw()).collect();
            let levels = 3000.0;
            let mut rows = ShortRows::default();
            rows.quantize(Source { values: &a, n_rows, width, stride }, levels);
            let mut panels = ShortPanels::default();
            for by_columns in [false, true] {
                let b_stride = if by_columns { n_columns } else { stride };
                let (n, w) = if by_columns { (width, n_columns) } else { (n_columns, width) };
                let side = Source { values: &b, n_rows: n, width: w, stride: b_stride };
                if by_columns { panels.pack_columns(side, levels) } else { panels.pack_rows(side, levels) }
                let value = |column: usize, step: usize| {
                    if by_columns { b[step * b_stride + column] } else { b[column * b_stride + step] }
                };
                let mut first: Option<Vec<f32>> = None;
                for kernel in available_kernels() {
                    let mut out = vec![0f32; n_rows * n_columns];
                    multiply(&rows, &panels, 0.5, kernel, &mut Rows::of(&mut out, n_columns));
                    prop_assert_eq!(first.get_or_insert_with(|| out.clone()), &out);
                }
                for (at, ours) in first.unwrap().iter().enumerate() {
                    let (row, column) = (at / n_columns, at % n_columns);
                    let exact: f32 = (0..width).map(|step| a[row * stride + step] * value(column, step)).sum();
                    // Each factor of up to 13 is off by half a level at most.
                    let bound = width as f32 * 13.0 * 13.0 / levels;
                    prop_assert!((ours - 0.5 * exact).abs() <= 0.5 * bound, "{ours} {exact}");
                }
            }
        }
    }
}
