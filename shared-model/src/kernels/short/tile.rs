//! What every kernel computes: tiles, each of which is some rows times one panel.

/// Columns of a panel, the unit in which [`ShortPanels`](super::ShortPanels) are packed: those of a register of AVX-512
/// where there may be one.
pub(crate) const SHORT_PANEL: usize = if cfg!(target_arch = "x86_64") { 16 } else { 8 };

/// Rows of a tile: enough independent sums to hide the latency of an instruction, few enough to stay in registers (wasm
/// has 16 of 128 bits, x86-64 has 16 of 256, or 32 of 512).
pub(crate) const TILE_ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 8 };

/// The sums of one tile, rows by columns.
pub(crate) type Tile = [[i32; SHORT_PANEL]; TILE_ROWS];

/// Multiplies [`TILE_ROWS`] rows of `k` values by panels `[tiles][k / 2][P][2]`, P being [`SHORT_PANEL`].
pub(crate) type TileKernel = fn(rows: [&[i16]; TILE_ROWS], panels: &[i16], tiles: &mut [Tile]);

/// Computes one tile after the other.
#[inline(always)]
pub(super) fn one_by_one(
    rows: [&[i16]; TILE_ROWS],
    panels: &[i16],
    tiles: &mut [Tile],
    of_panel: impl Fn([&[i16]; TILE_ROWS], &[i16]) -> Tile,
) {
    let panel_len = panels.len() / tiles.len().max(1);
    for (tile, panel) in tiles.iter_mut().zip(panels.chunks_exact(panel_len.max(1))) {
        *tile = of_panel(rows, panel);
    }
}
