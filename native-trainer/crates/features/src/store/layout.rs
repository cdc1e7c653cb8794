//! The files of a store, and why one cannot be used.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

pub(super) const FEATURES_FILE: &str = "features.f32";
pub(super) const CATALOG_FILE: &str = "catalog.log";
/// Which row is of which file, for people and other programs.
pub(super) const FILES_TABLE: &str = "files.csv";
/// The catalog of an older program.
pub(super) const OLD_CATALOG_FILE: &str = "catalog.redb";

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the features are of {difference}; use that, or delete the folder to make them anew: {}", path.display()
    )]
    OtherModel { difference: String, path: PathBuf },
    #[error("the index is damaged ({detail}); delete it or run `dermake embed` again: {}", path.display())]
    Damaged { detail: String, path: PathBuf },
}

pub(super) fn refuse_old(folder: &Path) -> Result<()> {
    if folder.join(OLD_CATALOG_FILE).symlink_metadata().is_ok() {
        let detail = format!("{OLD_CATALOG_FILE} is an older program's");
        bail!(StoreError::Damaged { detail, path: folder.into() });
    }
    Ok(())
}

/// # Errors
/// When files with a store's names are there without a catalog: they are somebody else's, and would be written over.
pub(super) fn refuse_others_files(folder: &Path) -> Result<()> {
    let is_there = |name: &str| folder.join(name).symlink_metadata().is_ok();
    if is_there(CATALOG_FILE) || is_there(OLD_CATALOG_FILE) {
        return Ok(());
    }
    match [FEATURES_FILE, FILES_TABLE].into_iter().find(|name| is_there(name)) {
        Some(name) => bail!(
            "{name} is there without an index and would be written over; choose another folder for the index, or move \
             it away: {}",
            folder.display()
        ),
        None => Ok(()),
    }
}

/// Removes the files of a store, and nothing else; the catalog last, since without it the others are nobody's.
pub(super) fn remove_all(folder: &Path) -> Result<()> {
    for name in [FILES_TABLE, FEATURES_FILE, CATALOG_FILE, OLD_CATALOG_FILE] {
        let path = folder.join(name);
        if path.symlink_metadata().is_ok() {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// # Errors
/// [`StoreError::Damaged`] when something else is in the place of a file.
pub(super) fn refuse_other_than_file(path: &Path, folder: &Path) -> Result<()> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        bail!(StoreError::Damaged { detail: format!("{name} is no file"), path: folder.into() });
    }
    Ok(())
}
