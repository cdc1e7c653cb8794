//! The levels of activations as the kernels read them.

/// Most columns that share a scale and a zero: few enough that a large value coarsens few others, many enough that a
/// block's sums cost little beside its products.
pub(crate) const BLOCK_WIDTH: usize = 256;

/// Most rows that are multiplied by a block of a panel at a time, in whole tiles of every kernel. Their levels, sums and
/// values fit the processor's first cache together with the block.
pub(super) const ROWS_AT_ONCE: usize = 48;

/// The largest level of an activation; the smallest is 0.
pub(super) const LARGEST_LEVEL: u8 = 127;

/// The type in which the kernels read a level.
#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
pub(super) type Level = i16;
/// The type in which the kernels read a level.
#[cfg(not(all(target_arch = "wasm32", not(feature = "relaxed-simd"))))]
pub(super) type Level = u8;
