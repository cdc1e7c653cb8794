//! Files of weights in memory.

use anyhow::{Context, Result};
use bytes::Bytes;
use std::fs::File;
use std::path::Path;

/// Maps a file into memory: weights are read once, as they are converted.
pub fn map_file(path: &Path) -> Result<Bytes> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return Ok(Bytes::new()); // which no system maps
    }
    // SAFETY: a map is as safe as the file is still; a checkpoint that another program truncates while it is being
    // read can end this process, which is the price of not copying gigabytes.
    let map = unsafe { memmap2::Mmap::map(&file) }.with_context(|| format!("cannot map {}", path.display()))?;
    Ok(Bytes::from_owner(map))
}
