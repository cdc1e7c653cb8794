//! Integer matrix products: what they count is the same on every instruction set.
//!
//! [`int8`] multiplies weights of signed bytes with activations of seven bits, [`short`] 16-bit integers on both sides.
//! Each has a scalar reference that the property tests hold every other kernel against.

pub(crate) mod int8;
pub(crate) mod short;
