//! Numbers as 16-bit integers with a scale a row, and products of two such sets: what attention is made of.
//!
//! The sums are integers again, and each side has as many levels as a 32-bit sum of their products can bear.

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
