//! Quantizes a model for `dermake quantize`: what it is calibrated on, and how it compares with the dense model.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod calibration;
mod comparison;

pub use calibration::{calibration_photos, calibration_texts, n_calibration_photos, pixel_values};
pub use comparison::{Change, Comparison, Features, expected_cosine};
