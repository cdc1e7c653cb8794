//! How a tower is quantized.

use super::{Steps, WeightFormat};

/// How a tower is quantized.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Format of the big matrices. The steps have no effect on GGML's.
    pub format: WeightFormat,
    /// The steps that are taken.
    pub steps: Steps,
    /// How near the weights stay to their dense values where they aim at the dense outputs: added to the variances of
    /// the inputs, as a share of their mean. Few photos tell little of directions in which inputs vary little.
    pub fit_damping: f32,
}

impl Options {
    /// All steps.
    pub fn new(format: WeightFormat) -> Self {
        Self { format, steps: Steps::ALL, fit_damping: 1.0 }
    }
}
