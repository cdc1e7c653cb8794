//! Hashes of a run's tables: a run continues only with what it started with.

use anyhow::{Context, Result};
use dermake_data::TrainingTable;
use dermake_files::hash;
use std::path::Path;

/// Reads a file.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Returns the hash of a table: of a text file's bytes, and of what was read from any other source.
///
/// # Errors
/// When the file cannot be read.
pub fn table_sha256(path: &Path, table: &TrainingTable) -> Result<String> {
    let is_text = path.is_file() && (0..table.len().min(1)).all(|row| table.line(row).is_some());
    if is_text { Ok(hash::sha256(read(path)?)) } else { Ok(table.content_sha256()) }
}
