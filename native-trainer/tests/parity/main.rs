//! Training against the reference implementation, at the tolerances of the fixtures' `README.md`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod augment;
mod autograd;
mod dataset;
mod fixtures;
mod gradients;
mod loss;
mod metrics;
mod tiny;
mod train;
