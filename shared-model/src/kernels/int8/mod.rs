//! Weights of signed bytes against activations of seven bits.
//!
//! Seven bits are what one instruction multiplies four at a time on every processor that has one (`pmaddubsw`,
//! `vpdpbusd`, ARM's `sdot`, wasm's relaxed dot products) without a sum of its own ever saturating: a pair of products is at most
//! 2 * 127 * 127 = 32,258. An activation's level is counted from a zero of its own, a row and a block of columns at a
//! time, so that a single large value coarsens no more than its block.

mod activations;
mod dispatch;
#[allow(dead_code, reason = "the kernels of some targets gain nothing by it")]
mod fitting;
mod kernel;
mod levels;
mod matrix;
#[cfg(target_arch = "aarch64")]
mod neon;
mod packed;
pub(crate) mod panels;
#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
mod plain_wasm;
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
mod relaxed_wasm;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use activations::Activations;
pub(crate) use levels::BLOCK_WIDTH;
pub(crate) use matrix::{Int8Matrix, Place};
