//! Products of f32 rows with a weight that is packed once, when it is loaded.
//!
//! A general product packs the weight anew in each call and leaves bias, activation and residual to passes of their own.

mod dispatch;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "it has no kernel of ours"))]
mod kernel;
mod matrix;
#[cfg(target_arch = "x86_64")]
mod prefetch;
mod product;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use matrix::DenseMatrix;
