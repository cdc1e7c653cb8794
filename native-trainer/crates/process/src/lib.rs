//! The process and its environment: variables, standard streams, stop requests, progress bars.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod host;
pub mod interrupt;
pub mod print;
pub mod progress;
