//! Text files beside images: `photo.txt`, `photo.caption` or `photo.json` of `photo.jpg`; also `photo.jpg.txt`.

use crate::columns::CAPTION_COLUMN;
use crate::json::{self, Record};
use dermake_files::text_file;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ENDINGS: [&str; 3] = ["txt", "caption", "json"];

/// Files that may belong to images.
pub(super) struct Sidecars {
    files: BTreeSet<PathBuf>,
}

impl Sidecars {
    pub fn new(files: Vec<PathBuf>) -> Self {
        Self { files: files.into_iter().collect() }
    }

    /// The text files of an image.
    pub fn take(&mut self, image: &Path) -> Vec<PathBuf> {
        if self.files.is_empty() {
            return Vec::new();
        }
        let name = image.file_name().unwrap_or_default().to_string_lossy();
        let behind = |ending: &str| image.with_file_name(format!("{name}.{ending}"));
        let candidates = ENDINGS.iter().flat_map(|ending| [image.with_extension(ending), behind(ending)]);
        candidates.filter(|path| self.files.remove(path)).collect()
    }

    /// The files that belong to no image.
    pub fn left(&self) -> Vec<PathBuf> {
        self.files.iter().cloned().collect()
    }
}

/// The texts of a file beside an image.
///
/// # Errors
/// Says why it cannot be read.
pub(super) fn record(path: &Path) -> Result<Record, String> {
    let text = text_file::read(path).map_err(|err| format!("{:#}", anyhow::Error::from(err)))?;
    if path.extension().is_some_and(|ending| ending == "json") {
        return json::record(&text).map_err(|err| format!("expected a JSON object ({err}): {}", path.display()));
    }
    Ok(vec![(CAPTION_COLUMN.into(), text.trim().to_owned())])
}
