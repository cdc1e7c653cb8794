//! The formats of tables, by the ending of a file's name.

use anyhow::{Result, bail};
use dermake_files::output::check_file;
use std::path::Path;

/// The format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetFormat {
    Csv,
    Tsv,
    Parquet,
    /// A matrix of numbers; texts go into a file beside it.
    Numpy,
}

impl SheetFormat {
    /// The format of a file by its name.
    ///
    /// # Errors
    /// When the ending means none.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        Ok(match ending.as_deref() {
            Some("csv") => Self::Csv,
            Some("tsv") => Self::Tsv,
            Some("parquet" | "pq") => Self::Parquet,
            Some("npy") => Self::Numpy,
            _ => bail!("expected a name ending in .csv, .tsv, .parquet or .npy: {}", path.display()),
        })
    }

    /// Checks, before the work, that a table can be written to a path.
    ///
    /// # Errors
    /// When the ending means no format, or no file can be written there.
    pub fn check(path: &Path) -> Result<()> {
        Self::of(path)?;
        check_file(path)
    }
}
