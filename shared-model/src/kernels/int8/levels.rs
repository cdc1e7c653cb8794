//! How activations are stored for the kernels: levels of seven bits, in blocks of columns.

/// Columns that share a scale and a zero: narrow enough that a large value spoils few others, wide enough that the sums
/// of a block cost little beside its products.
pub(crate) const BLOCK_WIDTH: usize = 256;

/// The largest level of an activation; the smallest is 0.
pub(super) const LARGEST_LEVEL: u8 = 127;

/// The type in which the kernels read a level.
#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
pub(super) type Level = i16;
/// The type in which the kernels read a level.
#[cfg(not(all(target_arch = "wasm32", not(feature = "relaxed-simd"))))]
pub(super) type Level = u8;
