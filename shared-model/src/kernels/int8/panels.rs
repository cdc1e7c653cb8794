//! From the kernels' sums to the sixteen values of a row and panel.
//!
//! wasm has SIMD written by hand here: the compiler leaves these loops scalar, which takes three times as long.

use super::kernel::Sums;
use super::rounding::Step;
use crate::kernels::Values;
use crate::lanes::widest;

/// The sums of some rows in one block.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    /// The kernel's sums, one entry for each row.
    pub sums: &'a [Sums],
    /// What the levels of each row mean.
    pub steps: &'a [Step],
    /// The sums of the block's weights.
    pub weight_sums: &'a Values,
    /// Whether it is the first block of the panel.
    pub is_first: bool,
}

widest! {
    /// Adds `scale * sum - offset * weight_sum` to the values, which the first block replaces.
    pub(super) fn take_sums(values: &mut [Values], found: Found<'_>) {
        let Found { sums, steps, weight_sums, is_first } = found;
        for ((values, sums), step) in values.iter_mut().zip(sums).zip(steps) {
            lanes::zip3(values, sums, weight_sums, |value, sum, weight_sum| {
                let own = lanes::sub(
                    lanes::mul(lanes::splat(step.scale), sum),
                    lanes::mul(lanes::splat(step.offset), weight_sum),
                );
                if is_first { own } else { lanes::add(value, own) }
            });
        }
    }
}

widest! {
    /// Computes `value * scale + bias` by channel.
    pub(super) fn scale(values: &mut [Values], scales: &Values, bias: &Values) {
        for values in values {
            lanes::zip2(values, scales, bias, |value, scale, bias| lanes::add(lanes::mul(value, scale), bias));
        }
    }
}

/// Adds values to those of a row of tokens.
///
/// # Panics
/// When there are fewer than sixteen.
pub(crate) fn add(to: &mut [f32], values: &Values) {
    let to = to.first_chunk_mut().expect("the caller takes sixteen values");
    lanes::zip2(to, values, values, |to, value, _| lanes::add(to, value));
}

#[cfg(target_arch = "wasm32")]
mod lanes {
    use super::{Sums, Values};
    pub use core::arch::wasm32::{
        f32x4_add as add, f32x4_mul as mul, f32x4_splat as splat, f32x4_sub as sub, v128 as Lanes,
    };
    use core::arch::wasm32::{f32x4_convert_i32x4, v128_load, v128_store};

    #[inline(always)]
    pub fn zip2(values: &mut Values, a: &Values, b: &Values, work: impl Fn(Lanes, Lanes, Lanes) -> Lanes) {
        for at in (0..values.len()).step_by(4) {
            // SAFETY: `at` is a multiple of four below sixteen.
            unsafe {
                let value = values.as_mut_ptr().add(at).cast();
                let (a, b) = (a.as_ptr().add(at).cast(), b.as_ptr().add(at).cast());
                v128_store(value, work(v128_load(value), v128_load(a), v128_load(b)));
            }
        }
    }

    #[inline(always)]
    pub fn zip3(values: &mut Values, sums: &Sums, b: &Values, work: impl Fn(Lanes, Lanes, Lanes) -> Lanes) {
        for at in (0..values.len()).step_by(4) {
            // SAFETY: as above.
            unsafe {
                let value = values.as_mut_ptr().add(at).cast();
                let sum = f32x4_convert_i32x4(v128_load(sums.as_ptr().add(at).cast()));
                v128_store(value, work(v128_load(value), sum, v128_load(b.as_ptr().add(at).cast())));
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod lanes {
    use super::{Sums, Values};
    use std::ops::{Add, Mul, Sub};

    #[inline(always)]
    pub fn add(a: f32, b: f32) -> f32 {
        a.add(b)
    }
    #[inline(always)]
    pub fn sub(a: f32, b: f32) -> f32 {
        a.sub(b)
    }
    #[inline(always)]
    pub fn mul(a: f32, b: f32) -> f32 {
        a.mul(b)
    }
    #[inline(always)]
    pub fn splat(value: f32) -> f32 {
        value
    }

    #[inline(always)]
    pub fn zip2(values: &mut Values, a: &Values, b: &Values, work: impl Fn(f32, f32, f32) -> f32) {
        for at in 0..values.len() {
            values[at] = work(values[at], a[at], b[at]);
        }
    }

    #[inline(always)]
    pub fn zip3(values: &mut Values, sums: &Sums, b: &Values, work: impl Fn(f32, f32, f32) -> f32) {
        for at in 0..values.len() {
            values[at] = work(values[at], sums[at] as f32, b[at]);
        }
    }
}
