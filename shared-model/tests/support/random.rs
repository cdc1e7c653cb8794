//! Random values that are the same in every run, unlike candle's: a test of random weights passes always or never.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use candle_core::{Device, Shape, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Normal};
use std::cell::RefCell;

thread_local! {
    /// Each test has its own, as each has a thread; on one core, all draw from one, in the order of their names.
    static RNG: RefCell<ChaCha8Rng> = RefCell::new(ChaCha8Rng::seed_from_u64(0));
}

/// Returns f32 values of a normal distribution, other ones at each call of a test.
pub fn randn(mean: f32, deviation: f32, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let normal = Normal::new(mean, deviation).unwrap();
    let values = RNG.with_borrow_mut(|rng| normal.sample_iter(rng).take(shape.elem_count()).collect::<Vec<_>>());
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}
