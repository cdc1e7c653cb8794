//! The library behind the `dermake` program.

pub mod classify;
pub mod data;
pub mod demo_model;
pub mod device;
pub mod hub;
pub mod init;
pub mod model;
pub mod objective;
pub mod options;
pub mod output;
mod progress;
pub mod quantize;
pub mod server;
pub mod synth;
pub mod train;
