//! The formats of tables, by the ending of a file's name.

use anyhow::{Result, bail};
use dermake_files::inputs::refuse_input;
use dermake_files::output::check_file;
use std::path::{Path, PathBuf};

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

    /// Checks, before the work, that the table which `option` names replaces none of the files that are read.
    ///
    /// # Errors
    /// When it or a file beside it is one of them, or the ending means no format.
    pub fn refuse_inputs(option: &str, path: &Path, read: &[impl AsRef<Path>]) -> Result<()> {
        Self::files(path)?.iter().try_for_each(|file| refuse_input(option, file, read))
    }

    /// The files that a table is written into: of `scores.npy` also `scores.rows.csv` and `scores.columns.txt`.
    ///
    /// # Errors
    /// When the ending means no format.
    pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
        Ok(match Self::of(path)? {
            Self::Numpy => vec![path.into(), rows_beside(path), columns_beside(path)],
            Self::Csv | Self::Tsv | Self::Parquet => vec![path.into()],
        })
    }
}

/// The file with the texts of the rows of a matrix.
pub(crate) fn rows_beside(path: &Path) -> PathBuf {
    path.with_extension("rows.csv")
}

/// The file with the names of the columns of a matrix.
pub(crate) fn columns_beside(path: &Path) -> PathBuf {
    path.with_extension("columns.txt")
}
