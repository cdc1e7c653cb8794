//! The demo model of [`shared_model::demo`] as the program names it: it answers without a download and without a file.

use anyhow::{Result, bail};
use bytes::Bytes;
use std::path::Path;

/// Its name for `--model`. A folder of this name is `./demo`.
pub const NAME: &str = "demo";

/// Returns whether `typed` is the demo model's name, in any case, and no file or folder has this name.
pub fn is_name(typed: &str) -> bool {
    typed == NAME || (typed.eq_ignore_ascii_case(NAME) && !Path::new(typed).exists())
}

/// A file of the model by the name that its manifest gives.
///
/// # Errors
/// If the demo model has no file of this name.
pub fn read(file: &str) -> Result<Bytes> {
    match shared_model::demo::file(file) {
        Some(bytes) => Ok(Bytes::from_static(bytes)),
        None => bail!("the demo model has no such file: {file}"),
    }
}
