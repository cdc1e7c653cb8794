//! The library behind `dermake`.

pub mod hub;
pub mod server;
