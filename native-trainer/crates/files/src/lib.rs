//! Files on disk: text, tables and label lists read as people write them, results that appear whole or not at all.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod append;
pub mod file_finder;
pub mod labels;
pub mod lock;
pub mod output;
pub mod table_file;
pub mod text_file;
