//! The library behind the `dermake` program.

pub mod annotate;
pub mod classify;
pub mod data;
pub mod demo_model;
pub mod device;
pub mod eval;
pub mod features;
pub mod file_finder;
pub mod host;
pub mod hub;
pub mod init;
pub mod interrupt;
pub mod labels;
pub mod model;
pub mod objective;
pub mod options;
pub mod output;
pub mod pictures;
mod progress;
pub mod quantize;
pub mod search;
pub mod server;
pub mod synth;
pub mod table_file;
pub mod text_file;
pub mod train;
