//! The library behind `dermake`.

pub mod hub;
