//! The activation between the two layers of an MLP: QuickGELU, `x sigmoid(1.702 x)`; GELU, `x Phi(x)`; or GELU with Phi
//! approximated, `x sigmoid(2 u(x))` with `u(x) = sqrt(2 / pi) (x + 0.044715 x^3)`, which is `x (1 + tanh u) / 2`.

use super::exp::exp;
use crate::config::Activation;
use crate::lanes::widest;
use crate::parallel::for_each_chunk;
use std::f32::consts::{FRAC_1_SQRT_2, PI};

const VALUES_PER_TASK: usize = 16 * 1024;

/// Applies the activation in place, on the calling thread.
pub fn activate(kind: Activation, values: &mut [f32]) {
    match kind {
        Activation::QuickGelu => quick_gelus(values),
        Activation::Gelu => gelus(values),
        Activation::TanhGelu => tanh_gelus(values),
    }
}

/// Computes `y = activation(x)`.
///
/// # Panics
/// When the lengths differ.
pub fn activation(kind: Activation, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    for_each_chunk(y, VALUES_PER_TASK, |task, y| {
        y.copy_from_slice(&x[task * VALUES_PER_TASK..][..y.len()]);
        activate(kind, y);
    });
}

/// Multiplies `gradient` by `activation'(x)` in place.
///
/// # Panics
/// When the lengths differ.
pub fn activation_gradient(kind: Activation, x: &[f32], gradient: &mut [f32]) {
    assert_eq!(x.len(), gradient.len());
    for_each_chunk(gradient, VALUES_PER_TASK, |task, gradient| {
        let x = &x[task * VALUES_PER_TASK..][..gradient.len()];
        match kind {
            Activation::QuickGelu => quick_gelu_gradients(x, gradient),
            Activation::Gelu => gelu_gradients(x, gradient),
            Activation::TanhGelu => tanh_gelu_gradients(x, gradient),
        }
    });
}

widest! {
    fn quick_gelus(values: &mut [f32]) {
        values.iter_mut().for_each(|x| *x *= sigmoid(1.702 * *x));
    }
}

widest! {
    fn gelus(values: &mut [f32]) {
        values.iter_mut().for_each(|x| *x *= normal_cdf(*x));
    }
}

widest! {
    fn tanh_gelus(values: &mut [f32]) {
        values.iter_mut().for_each(|x| *x *= sigmoid(TWICE_ROOT * *x * (1.0 + CUBIC * *x * *x)));
    }
}

widest! {
    fn tanh_gelu_gradients(x: &[f32], gradient: &mut [f32]) {
        for (gradient, &x) in gradient.iter_mut().zip(x) {
            let s = sigmoid(TWICE_ROOT * x * (1.0 + CUBIC * x * x));
            *gradient *= s + x * s * (1.0 - s) * TWICE_ROOT * (1.0 + 3.0 * CUBIC * x * x);
        }
    }
}

widest! {
    fn quick_gelu_gradients(x: &[f32], gradient: &mut [f32]) {
        for (gradient, &x) in gradient.iter_mut().zip(x) {
            let s = sigmoid(1.702 * x);
            *gradient *= s * (1.0 + 1.702 * x * (1.0 - s));
        }
    }
}

widest! {
    fn gelu_gradients(x: &[f32], gradient: &mut [f32]) {
        for (gradient, &x) in gradient.iter_mut().zip(x) {
            let density = exp(-0.5 * x * x) * (0.5 / PI).sqrt();
            *gradient *= normal_cdf(x) + x * density;
        }
    }
}

/// 2 sqrt(2 / pi)
const TWICE_ROOT: f32 = std::f32::consts::SQRT_2 * std::f32::consts::FRAC_2_SQRT_PI;

const CUBIC: f32 = 0.044_715;

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The cumulative normal distribution at x, within 1e-7: Abramowitz and Stegun 7.1.26, in arithmetic that the
/// compiler turns into SIMD.
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    let z = x.abs() * FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = 0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4)));
    let beyond = 0.5 * t * poly * exp(-z * z);
    if x < 0.0 { beyond } else { 1.0 - beyond }
}
