//! Training against the reference implementation, at the tolerances of the fixtures' `README.md`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod autograd;
mod experiments;
mod f16;
#[path = "../../../../tests/support/fixtures.rs"]
mod fixtures;
mod gradients;
mod ranks;
mod tiny;
mod train;
mod tuning;
