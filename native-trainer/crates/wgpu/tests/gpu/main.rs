//! The kernels and towers on a real driver: Mesa's lavapipe where the machine has no GPU. Without one the tests fail;
//! `just setup` installs it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod attention;
mod failures;
mod launch;
mod product;
#[path = "../../../../../shared-model/tests/support/random.rs"]
mod random;
mod random_model;
mod towers;
