//! The objective against the reference implementation, at the tolerances of the fixtures' `README.md`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[allow(dead_code, reason = "each test program uses some of it")]
#[path = "../../../../tests/support/fixtures.rs"]
mod fixtures;
mod loss;
mod omake;
