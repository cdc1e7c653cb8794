//! `exp` in plain arithmetic, which the compiler turns into SIMD, and softmax.

use crate::lanes::{self, widest};

/// `e^x` for f32, within 2 units in the last place between -87 and 88. It is 0 below and finite above.
///
/// Cody-Waite reduction by multiples of ln 2, then the degree-6 Taylor polynomial on [-ln 2 / 2, ln 2 / 2].
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "ln 2 in two parts, exact where it has to be")]
pub fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_375;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    /// Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // Comparisons are one instruction each in wasm, where `f32::clamp` and a conversion to an integer are many.
    let clamped = if x < -87.3 { -87.3 } else { x };
    let clamped = if clamped > 88.3 { 88.3 } else { clamped };
    let rounded = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0)));
    let poly = 1.0 + r + r * r * (0.5 + r * tail);
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    if x < -87.3 { 0.0 } else { poly * scale }
}

/// Replaces the logits of one row by their softmax.
pub fn softmax(logits: &mut [f32]) {
    let inverse = 1.0 / powers(logits);
    logits.iter_mut().for_each(|value| *value *= inverse);
}

widest! {
    /// Replaces the logits of one row by `e^(x - largest)` and returns their sum. Softmax divides by it.
    pub fn powers(logits: &mut [f32]) -> f32 {
        let max = lanes::max(logits, f32::NEG_INFINITY);
        logits.iter_mut().for_each(|value| *value = exp(*value - max));
        lanes::sum(logits)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn exp_is_exp() {
        for step in -8700..8800 {
            let x = step as f32 / 100.0;
            let (found, expected) = (super::exp(x), x.exp());
            assert!((found - expected).abs() <= 4e-7 * expected, "exp({x}) = {found}, expected {expected}");
        }
        assert_eq!((super::exp(f32::NEG_INFINITY), super::exp(-1000.0), super::exp(0.0)), (0.0, 0.0, 1.0));
        assert!(super::exp(f32::NAN).is_nan());
    }
}
