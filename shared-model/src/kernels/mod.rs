//! Integer matrix products: what they count is the same on every instruction set.
//!
//! [`short`] multiplies 16-bit integers, and [`Int8Matrix`] is a weight of signed bytes whose products are made of it:
//! activations are quantised a row at a time to as many levels as a 32-bit sum can bear, so that the weights' eight bits
//! are the only loss worth naming. A scalar reference stands beside the kernels, which the property tests hold against it.

mod matrix;
pub(crate) mod short;

pub use matrix::Int8Matrix;
pub use short::SHORT_PANEL;
