//! Detects truncated files in the cache, as a full disk or another program may leave them.

use std::fs::{self, File};
use std::path::Path;

use memmap2::Mmap;
use serde::de::IgnoredAny;
use shared_model::weights::is_cut_short;

use super::model_files::ModelFiles;

/// Returns whether no file of the model is truncated. Reads only headers and small files.
pub(super) fn are_whole(files: &ModelFiles) -> bool {
    let others = files.config.iter().chain([&files.weights]).chain(files.companions.values());
    files.weight_files().iter().chain(others).all(|path| is_whole(path))
}

/// Returns whether a file exists and is complete, as far as its format shows that.
pub(super) fn is_whole(path: &Path) -> bool {
    if path.extension().is_some_and(|extension| extension == "json") {
        let json = fs::read(path).unwrap_or_default();
        return !serde_json::from_slice::<IgnoredAny>(&json).is_err_and(|error| error.is_eof());
    }
    let Ok(file) = File::open(path) else { return false };
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return false; // nothing cannot be mapped
    }
    // SAFETY: a cached file is replaced by renaming another one over it and never written to.
    unsafe { Mmap::map(&file) }.is_ok_and(|bytes| !is_cut_short(&bytes))
}
