//! Reads a data set, whatever its path names.

use crate::dataset::Dataset;
use crate::{Result, folder, pattern};
use std::path::Path;

impl Dataset {
    /// Reads a file, a folder, or the files that fit a pattern.
    ///
    /// # Errors
    /// When nothing is there, it has no form that is known, is damaged, or has no rows.
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return folder::read(path);
        }
        if path.symlink_metadata().is_err() && pattern::is_pattern(path) {
            return Self::of_files(path, &pattern::files(path)?);
        }
        Self::of_files(path, &[path.to_path_buf()])
    }
}
