//! Products of 16-bit integers, for attention and the patch embedding.
//!
//! Each row has a scale. Both sides have as many levels as a 32-bit sum of their products can hold.

mod dispatch;
mod matrix;
mod operands;
mod product;
mod scalar;
pub(crate) mod tile;
#[cfg(target_arch = "wasm32")]
pub(crate) mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use dispatch::fastest_kernel;
pub(crate) use matrix::ShortMatrix;
pub(crate) use operands::{ShortPanels, ShortRows, Source};
pub(crate) use product::multiply;
