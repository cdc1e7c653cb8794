//! Files on disk: reading text, tables and label lists as people write them, and writing results whole or not at all.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod absent;
pub mod append;
pub mod created_folders;
mod destination;
pub mod file_finder;
pub mod hash;
pub mod inputs;
pub mod labels;
mod link;
pub mod lock;
pub mod missing;
pub mod new_file;
pub mod output;
pub mod table_file;
pub mod text_file;
