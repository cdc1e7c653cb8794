//! What a model was loaded from, to tell later whether its files are still the same.

use crate::map_file;
use anyhow::{Context, Result, bail};
use dermake_hub::ModelFiles;
use shared_model::ZeroShotModel;
use shared_model::manifest::Manifest;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A model, its name, and what it was loaded from.
pub struct LoadedModel {
    pub model: ZeroShotModel,
    pub name: String,
    pub source: ModelSource,
}

/// What a model was loaded from.
pub enum ModelSource {
    /// The manifest of a quantized model, whose hashes its files were checked against.
    Quantized(Box<Manifest>),
    /// The files of a checkpoint's tensors.
    Dense(StampedFiles),
}

/// Files as they were before they were read.
#[derive(Debug)]
pub struct StampedFiles(Vec<(PathBuf, Stamp)>);

/// By what a file is taken to be unchanged.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    n_bytes: u64,
    modified: Option<SystemTime>,
    /// The device and the number of the file, where the system has them: another file may have this size and time.
    file: Option<(u64, u64)>,
}

impl StampedFiles {
    /// Notes the files that hold a checkpoint's tensors.
    ///
    /// # Errors
    /// When a file is not there.
    pub(crate) fn of(files: &ModelFiles) -> Result<Self> {
        let noted = |path: &PathBuf| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let stamp = Stamp::of(&path)?;
            Ok((path, stamp))
        };
        files.weight_files().iter().map(noted).collect::<Result<_>>().map(Self)
    }

    /// Calls `read` with the bytes of each file.
    ///
    /// # Errors
    /// When a file is not the one that was noted: these are not the bytes that the model was loaded from.
    pub fn each(&self, mut read: impl FnMut(&[u8])) -> Result<()> {
        for (path, noted) in &self.0 {
            let check = || match Stamp::of(path) {
                Ok(stamp) if stamp == *noted => Ok(()),
                _ => bail!("the file has changed since the model was loaded; load it again: {}", path.display()),
            };
            check()?;
            read(&map_file(path)?);
            check()?;
        }
        Ok(())
    }
}

impl Stamp {
    fn of(path: &Path) -> Result<Self> {
        let metadata = path.metadata().with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { n_bytes: metadata.len(), modified: metadata.modified().ok(), file: number(&metadata) })
    }
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(path: &Path) -> StampedFiles {
        StampedFiles(vec![(path.into(), Stamp::of(path).unwrap())])
    }

    fn bytes(files: &StampedFiles) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        files.each(|bytes| all.extend_from_slice(bytes)).map(|()| all)
    }

    #[test]
    fn files_are_read_only_while_they_are_those_that_were_noted() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("weights"), folder.path().join("other"));
        std::fs::write(&path, "old").unwrap();
        std::fs::write(&other, "new").unwrap();
        let time = path.metadata().unwrap().modified().unwrap();
        std::fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
        let files = noted(&path);
        assert_eq!(bytes(&files).unwrap(), b"old");
        // Of the same size and time, as an archive unpacks them.
        #[cfg(unix)]
        {
            std::fs::rename(&other, &path).unwrap();
            let message = bytes(&files).unwrap_err().to_string();
            assert!(message.contains("changed since the model was loaded"), "{message}");
        }
        let files = noted(&path);
        std::fs::write(&path, "longer").unwrap();
        assert!(bytes(&files).is_err());
        let files = noted(&path);
        std::fs::remove_file(&path).unwrap();
        assert!(bytes(&files).is_err());
    }
}
