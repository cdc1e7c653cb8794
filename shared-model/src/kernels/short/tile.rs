//! What every kernel computes: a tile, some rows times one panel.

/// Columns of a product that stand together in a packed side.
pub(crate) const SHORT_PANEL: usize = 8;

/// Rows that a kernel takes at a time: enough independent sums to hide an instruction's latency, few enough to stay in
/// registers (wasm has 16 of 128 bits where x86-64 with AVX-512 has 32 of 256).
pub(crate) const TILE_ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 8 };

/// One tile's sums: `TILE_ROWS` rows by one panel.
pub(crate) type Tile = [[i32; SHORT_PANEL]; TILE_ROWS];

/// Multiplies up to [`TILE_ROWS`] rows with one panel.
///
/// `rows` are `k` long each, `panel` is `[k / 2][8][2]`; both hold the very same pairs of `k`.
pub(crate) type TileKernel = fn(rows: [&[i16]; TILE_ROWS], panel: &[i16]) -> Tile;
