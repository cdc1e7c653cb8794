//! What a comparison starts from and what it finds.

use crate::layout::{ParameterLayout, Span};
use crate::rounding::Rounding;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared_model::config::ClipConfig;

/// The difference between a result on the GPU and on the CPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub name: String,
    /// Norm of the difference over that of the CPU's result; NaN where a value is not a number.
    pub error: f64,
    pub tolerance: f64,
}

impl Finding {
    pub fn new(name: impl Into<String>, found: &[f32], expected: &[f32], tolerance: f64) -> Self {
        let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
        let mut differences = found.iter().zip(expected).map(|(a, b)| f64::from(*a) - f64::from(*b));
        let difference = if found.len() == expected.len() { norm(&mut differences) } else { f64::NAN };
        let error = difference / norm(&mut expected.iter().copied().map(f64::from)).max(1e-30);
        Self { name: name.into(), error, tolerance }
    }

    pub fn is_within(&self) -> bool {
        self.error <= self.tolerance
    }
}

/// Numbers that both sides start from: the same for the same seed.
pub struct Random {
    rng: ChaCha8Rng,
    rounding: Rounding,
}

impl Random {
    pub fn new(seed: u64, rounding: Rounding) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), rounding }
    }

    pub fn values(&mut self, len: usize, scale: f32) -> Vec<f32> {
        (0..len).map(|_| self.rounding.of_value(scale * self.rng.random_range(-1.0..1.0f32))).collect()
    }
}

pub fn layout(config: &ClipConfig) -> ParameterLayout {
    let parameters: Vec<_> = config.vision_parameters().into_iter().chain(config.text_parameters()).collect();
    ParameterLayout::new(&parameters, |_, rank| rank >= 2)
}

pub fn compare_named(
    found: &[(String, Vec<f32>)],
    expected: &[(String, Vec<f32>)],
    tolerance: f64,
) -> Vec<Finding> {
    let pairs = found.iter().zip(expected);
    pairs.map(|((name, found), (_, expected))| Finding::new(name, found, expected, tolerance)).collect()
}

/// The gradients that are not zero.
pub fn compare_gradients(
    layout: &ParameterLayout,
    found: &[f32],
    expected: &[f32],
    tolerance: f64,
) -> Vec<Finding> {
    let of = |(name, span): (&str, &Span)| {
        let (found, expected) = (&found[span.range()], &expected[span.range()]);
        let is_used = expected.iter().any(|&value| value != 0.0);
        is_used.then(|| Finding::new(format!("gradient of {name}"), found, expected, tolerance))
    };
    layout.iter().filter_map(of).collect()
}
