//! Products of weights of signed bytes and activations of seven bits.
//!
//! The instructions for four products and their sum (`pmaddubsw`, `vpdpbusd`, ARM's `sdot`, wasm's relaxed dot
//! products) never saturate with seven bits: a pair of products is at most 2 * 127 * 127 = 32,258. Activations of 14
//! bits are multiplied in two passes, their upper seven bits and their lower ones. Each block of
//! columns of each row of activations has its own scale and zero, so that a large value makes only its own block
//! coarser.

mod activations;
mod dispatch;
#[allow(dead_code, reason = "the kernels of some targets do not use it")]
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
mod rounding;
mod row_levels;
mod rows;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use activations::{Activations, round_to_levels};
pub(crate) use levels::BLOCK_WIDTH;
pub(crate) use matrix::Int8Matrix;
pub(crate) use rounding::{FINE_STEPS, Rounding, STEPS};
