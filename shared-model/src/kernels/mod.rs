//! int8 matrix products: signed bytes for weights, finer integers for activations, exact sums between them.
//!
//! Activations are quantised a row at a time to as many levels as a 32-bit sum can bear, so that the weights' eight
//! bits are the only loss worth naming. The sums are integers: every instruction set gives the very same result, which
//! the property tests hold against [`scalar`].

mod matrix;
pub(crate) mod scalar;
pub(crate) mod short;
#[cfg(target_arch = "wasm32")]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use matrix::Int8Matrix;

/// Output channels that stand together in a packed weight.
pub const INT8_PANEL: usize = 8;

/// Rows of activations that a kernel takes at a time: enough independent sums to hide an instruction's latency, few
/// enough to stay in registers (wasm has 16 of 128 bits where x86-64 with AVX-512 has 32 of 256).
pub(crate) const TILE_ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 8 };

/// One tile's sums: `TILE_ROWS` rows by one panel.
pub(crate) type Tile = [[i32; INT8_PANEL]; TILE_ROWS];

/// Multiplies up to [`TILE_ROWS`] activation rows with one widened panel.
///
/// `rows` are `k` long each, `panel` is `[k / 2][8][2]`; both hold the very same pairs of `k`.
pub(crate) type TileKernel = fn(rows: [&[i16]; TILE_ROWS], panel: &[i16]) -> Tile;

/// The kernels that this machine runs, fastest first; the last is the scalar reference.
pub(crate) fn available_kernels() -> impl Iterator<Item = TileKernel> {
    let scalar: TileKernel = scalar::tile;
    #[cfg(target_arch = "wasm32")]
    let own = std::iter::once(wasm::tile as TileKernel);
    #[cfg(target_arch = "x86_64")]
    let own = x86::available();
    #[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
    let own = std::iter::empty();
    own.chain([scalar])
}
