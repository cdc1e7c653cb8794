//! Integer matrix products, with equal sums on every instruction set.
//!
//! [`int8`] multiplies weights of signed bytes by activations of seven bits, [`short`] 16-bit integers by 16-bit
//! integers. The property tests compare every kernel with a scalar reference.

pub(crate) mod int8;
pub(crate) mod short;
