//! Loops that the compiler turns into SIMD: sums and maxima in sixteen lanes, and functions compiled for wider vectors.

const LANES: usize = 16;

/// Defines a function that is also compiled for AVX2 and AVX-512, and uses the widest version that the processor has.
/// The results are the same.
macro_rules! widest {
    ($(#[$about:meta])* $visibility:vis fn $name:ident($($value:ident: $type:ty),*) $(-> $result:ty)? $body:block) => {
        $(#[$about])*
        $visibility fn $name($($value: $type),*) $(-> $result)? {
            #[inline(always)]
            fn anywhere($($value: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn in_avx2($($value: $type),*) $(-> $result)? {
                    anywhere($($value),*)
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn in_avx512($($value: $type),*) $(-> $result)? {
                    anywhere($($value),*)
                }
                if $crate::lanes::has_avx512() {
                    // SAFETY: the features were just detected.
                    return unsafe { in_avx512($($value),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the feature was just detected.
                    return unsafe { in_avx2($($value),*) };
                }
            }
            anywhere($($value),*)
        }
    };
}
pub(crate) use widest;

/// Whether the processor has the parts of AVX-512 that [`widest`] compiles for.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

/// Folds each lane by `fold`, starting from `first`, then joins the lanes by `join`.
#[inline(always)]
pub fn fold(x: &[f32], first: f32, fold: impl Fn(f32, f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [first; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = fold(*lane, x);
        }
    }
    let rest = rest.iter().fold(first, |lane, &x| fold(lane, x));
    lanes.into_iter().fold(rest, join)
}

/// Returns the nearest integer, ties to even, of a number of at most 2^21. Some processors call a function for
/// [`f32::round_ties_even`].
#[inline(always)]
pub fn round(x: f32) -> f32 {
    /// 1.5 * 2^23. A sum with it has no fraction bits.
    const ROUNDER: f32 = 12_582_912.0;
    (x + ROUNDER) - ROUNDER
}

/// Returns the sum.
#[inline(always)]
pub fn sum(x: &[f32]) -> f32 {
    fold(x, 0.0, |sum, x| sum + x, |a, b| a + b)
}

/// Returns the largest number, at least `first`.
#[inline(always)]
pub fn max(x: &[f32], first: f32) -> f32 {
    fold(x, first, larger, larger)
}

/// Returns the smallest number, at most `first`.
#[inline(always)]
pub fn min(x: &[f32], first: f32) -> f32 {
    let smaller = |a: f32, b: f32| if b < a { b } else { a };
    fold(x, first, smaller, smaller)
}

/// Returns the largest magnitude, 0 for no numbers.
#[inline(always)]
pub fn largest_magnitude(x: &[f32]) -> f32 {
    fold(x, 0.0, |largest, x| larger(largest, x.abs()), larger)
}

/// `f32::max` without its rule for NaN, which costs a call in wasm.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_and_the_remainder_are_joined() {
        let x: Vec<f32> = (0..37).map(|i| (i as f32 - 30.0) * if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert_eq!(sum(&x), x.iter().sum::<f32>());
        assert_eq!(min(&x, 0.0), x.iter().copied().fold(0.0, f32::min));
        assert_eq!(max(&x, f32::NEG_INFINITY), x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        assert_eq!(largest_magnitude(&x), 30.0);
        assert_eq!((sum(&[]), largest_magnitude(&[])), (0.0, 0.0));
    }
}
