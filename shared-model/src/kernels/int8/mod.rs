//! Weights of signed bytes against activations of seven bits.
//!
//! Seven bits are what one instruction multiplies four at a time on every processor that has one (`pmaddubsw`,
//! `vpdpbusd`, ARM's `sdot`, wasm's relaxed dot products) without a sum of its own ever saturating: a pair of products is at most
//! 2 * 127 * 127 = 32,258. An activation's level is counted from a zero of its own, a row and a block of columns at a
//! time, so that a single large value coarsens no more than its block.

mod activations;
#[allow(dead_code, reason = "the kernels of some targets gain nothing by it")]
mod fitting;
mod matrix;
#[cfg(target_arch = "aarch64")]
mod neon;
mod packed;
pub(crate) mod panels;
#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
mod plain_wasm;
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
mod relaxed_wasm;
pub(crate) mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use activations::{Activations, BLOCK_WIDTH, Room};
use fitting::Fitting;
pub use matrix::Int8Matrix;
pub(crate) use matrix::Place;
use std::sync::OnceLock;

/// Output channels that stand together in a packed weight.
pub const INT8_PANEL: usize = 16;

/// Steps along `in` that stand together in a packed weight.
pub const INT8_QUAD: usize = 4;

/// The largest level of an activation; the smallest is 0.
pub(crate) const LARGEST_LEVEL: u8 = 127;

/// How a level is held: as the kernels read it.
#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
pub(crate) type Level = i16;
#[cfg(not(all(target_arch = "wasm32", not(feature = "relaxed-simd"))))]
pub(crate) type Level = u8;

/// One row's sums of one panel.
pub(crate) type Sums = [i32; INT8_PANEL];

/// A block of a panel.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    /// `[width / 4][16][4]`
    pub values: &'a [i8],
    /// Which quads' products may be added in 16 bits.
    #[allow(dead_code, reason = "the kernels of some targets gain nothing by it")]
    pub fitting: Fitting,
}

/// Multiplies rows of levels with a block of a panel: `sums[row][channel]` is the sum over `k` of level times weight.
///
/// # Shapes
/// - `levels`: `[rows, width]`, `width` in [`INT8_QUAD`]s
/// - `sums`: `[rows][16]`
pub(crate) type PanelKernel = fn(levels: &[Level], width: usize, weights: Weights<'_>, sums: &mut [Sums]);

/// The kernels that this machine runs, fastest first; the last is the scalar reference.
pub(crate) fn available_kernels() -> impl Iterator<Item = PanelKernel> {
    let scalar: PanelKernel = scalar::multiply;
    #[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
    let own = std::iter::once(plain_wasm::multiply as PanelKernel);
    #[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
    let own = relaxed_wasm::available();
    #[cfg(target_arch = "x86_64")]
    let own = x86::available();
    #[cfg(target_arch = "aarch64")]
    let own = std::iter::once(neon::multiply as PanelKernel);
    #[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64", target_arch = "aarch64")))]
    let own = std::iter::empty();
    own.chain([scalar])
}

/// The fastest of [`available_kernels`], looked up once.
pub(crate) fn fastest_kernel() -> PanelKernel {
    static FASTEST: OnceLock<PanelKernel> = OnceLock::new();
    *FASTEST.get_or_init(|| available_kernels().next().expect("the scalar kernel is always there"))
}

/// Checks what a kernel reads and writes without further checks, and returns the number of rows.
fn checked_rows(levels: &[Level], width: usize, weights: Weights<'_>, sums: &[Sums]) -> usize {
    assert!(width > 0 && width.is_multiple_of(INT8_QUAD), "a width of {width} is not in quads");
    assert_eq!(weights.values.len(), width * INT8_PANEL, "the panel is not as wide as the rows");
    assert_eq!(levels.len(), width * sums.len(), "there is not a sum for every row");
    sums.len()
}
