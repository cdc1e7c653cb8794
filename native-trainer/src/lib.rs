//! The library behind the `dermake` program.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `print` does not

pub mod annotate;
mod append;
pub mod classify;
pub mod data;
pub mod demo_model;
pub mod device;
pub mod engine;
pub mod eval;
pub mod features;
pub mod file_finder;
pub mod gpu_check;
pub mod host;
pub mod hub;
pub mod init;
pub mod inputs;
pub mod interrupt;
pub mod labels;
mod lock;
pub mod model;
pub mod objective;
pub mod options;
pub mod output;
pub mod pictures;
pub mod print;
mod progress;
pub mod quantize;
pub mod search;
pub mod server;
pub mod synth;
pub mod table_file;
pub mod text_file;
pub mod train;
