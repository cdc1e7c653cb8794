//! What a folder of smaller images records: which table and images it is a copy of, and what each image was made from.

use anyhow::{Context, Result, bail, ensure};
use dermake_files::append::AppendFile;
use dermake_files::lock::Lock;
use dermake_files::output::replace_file;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// Name of the file that records how a folder's images were shrunk.
pub const MARKER_FILE: &str = "dermake-shrunk.json";
/// Name of the file with a line of JSON for each image that was copied.
const SOURCES_FILE: &str = "dermake-shrunk.sources";

/// Settings of shrinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShrinkSettings {
    /// Short side in pixels; smaller images are copied as they are.
    pub short_side: u32,
    /// Of JPEG, 1 to 100.
    pub quality: u8,
}

/// How a folder's images were made, and of which.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    short_side: u32,
    quality: u8,
    /// The table that was copied; None in folders of older versions.
    #[serde(default)]
    table: Option<String>,
    /// The folder where its image names start.
    #[serde(default)]
    root: Option<String>,
}

/// Records in the folder how its images are made, and of which.
///
/// # Errors
/// When the folder has images that were made otherwise or are of another table, or other files.
pub(super) fn mark(out: &Path, settings: ShrinkSettings, table: &Path, root: &Path) -> Result<()> {
    let absolute = |path: &Path| -> Result<Option<String>> {
        let path = path.canonicalize().with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Some(path.to_string_lossy().into_owned()))
    };
    let ShrinkSettings { short_side, quality } = settings;
    let marker = Marker { short_side, quality, table: absolute(table)?, root: absolute(root)? };
    match read(out)? {
        Some(found) if found == marker => Ok(()),
        Some(found) if (found.short_side, found.quality) != (short_side, quality) => bail!(
            "the images of this folder have a short side of {} pixels and JPEG quality {}; name a new folder: {}",
            found.short_side,
            found.quality,
            out.display()
        ),
        Some(found) => bail!(
            "the folder is a copy of {} with the images below {}, and images of one name would be mixed; name a new folder \
             for another table: {}",
            found.table.as_deref().unwrap_or("an unknown table"),
            found.root.as_deref().unwrap_or("an unknown folder"),
            out.display()
        ),
        None => {
            let mut others = fs::read_dir(out).with_context(|| format!("cannot read {}", out.display()))?;
            let is_empty = others.all(|entry| entry.is_ok_and(|entry| Lock::is_lock(&entry.file_name())));
            ensure!(is_empty, "--out has other files, expected a new or an empty folder: {}", out.display());
            replace_file(&out.join(MARKER_FILE), &serde_json::to_vec_pretty(&marker)?)
        }
    }
}

/// Returns how a folder's images were shrunk, if they were.
///
/// # Errors
/// When the folder's marker cannot be read.
pub fn read_marker(folder: &Path) -> Result<Option<ShrinkSettings>> {
    let settings = |Marker { short_side, quality, .. }| ShrinkSettings { short_side, quality };
    Ok(read(folder)?.map(settings))
}

fn read(folder: &Path) -> Result<Option<Marker>> {
    let path = folder.join(MARKER_FILE);
    let content = match fs::read(&path) {
        Ok(content) => content,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(err).with_context(|| format!("cannot read {}", path.display())),
    };
    let marker = serde_json::from_slice(&content);
    marker.map(Some).with_context(|| format!("expected what `dermake data shrink` wrote: {}", path.display()))
}

/// What an image was made from: the length of its source and when that was changed last, as file systems say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl Source {
    /// The source in a file.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    pub fn of(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let found = path.metadata().with_context(cannot)?;
        let since = found.modified().with_context(cannot)?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { bytes: found.len(), modified: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) })
    }
}

/// A line of [`SOURCES_FILE`].
#[derive(Serialize, Deserialize)]
struct Line {
    /// The path of the image below the folder.
    image: String,
    #[serde(flatten)]
    source: Source,
}

/// The sources of a folder's images. A line is added behind each image, so that an interrupted copy continues.
pub(super) struct Sources {
    known: Mutex<HashMap<String, Source>>,
    file: Mutex<AppendFile>,
}

impl Sources {
    /// Reads what a folder records, or begins it. A line that a kill left incomplete is cut off.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(out: &Path) -> Result<Self> {
        let path = out.join(SOURCES_FILE);
        let mut file = AppendFile::open_at_end(&path)?;
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let len = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        if len < bytes.len() {
            file.cut(len as u64)?;
        }
        // An image whose line is damaged is copied again.
        let lines =
            bytes[..len].split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        let known = lines.map(|Line { image, source }| (image, source)).collect();
        Ok(Self { known: Mutex::new(known), file: Mutex::new(file) })
    }

    /// Returns whether an image was made from this source.
    pub fn has(&self, image: &str, source: Source) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(image) == Some(&source)
    }

    /// Records what an image was made from.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, image: &str, source: Source) -> Result<()> {
        let mut line = serde_json::to_vec(&Line { image: image.to_owned(), source })?;
        line.push(b'\n');
        self.file.lock().unwrap_or_else(PoisonError::into_inner).append(&line)?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(image.to_owned(), source);
        Ok(())
    }
}
