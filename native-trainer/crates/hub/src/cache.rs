//! One model's corner of the cache, laid out as `huggingface_hub` lays it out:
//! `models--owner--name/` with `blobs/ETAG`, `snapshots/COMMIT/FILE` (links) and `refs/REVISION`.
//!
//! A blob appears only by being renamed into place, whole and checked. Until then it lives under
//! `.locks/`, which `huggingface_hub` leaves out when it lists the cache.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fs4::{FileExt, TryLockError};
use hf_hub::{Cache, CacheRepo, Repo};

use super::error::{Error, Result};
use super::local;
use super::model_files::{ModelFiles, WeightsKind};
use super::model_id::{ModelId, is_plain};
use super::names::{self, Choice};
use super::whole;

pub(super) struct ModelCache<'a> {
    root: &'a Path,
    model: &'a ModelId,
}

impl<'a> ModelCache<'a> {
    pub(super) fn new(root: &'a Path, model: &'a ModelId) -> Self {
        Self { root, model }
    }

    /// The model's files if the cache has them all, for the revision as it was last seen.
    pub(super) fn complete(&self) -> Option<ModelFiles> {
        let commit = self.commit()?;
        let names = local::file_names(&self.snapshot(&commit)).ok()?;
        let Choice::One(weights) = names::choose_weights(&names) else { return None };
        let config = names::CONFIGS.iter().find_map(|config| self.file(&commit, config))?;
        let passed_over = names::passed_over(&names, &weights);
        Some(ModelFiles { passed_over, ..self.files(config, self.file(&commit, &weights)?).ok()? })
    }

    /// The answer for files at these paths.
    ///
    /// # Errors
    /// A shard of the weights is missing.
    pub(super) fn files(&self, config: PathBuf, weights: PathBuf) -> Result<ModelFiles> {
        let shards = local::shards(&weights)?;
        let (name, weights_kind) = (self.model.to_string(), WeightsKind::Checkpoint);
        let companions = local::files_of(config.parent().unwrap_or(self.root), names::companions());
        let (config, passed_over) = (Some(config), Vec::new());
        Ok(ModelFiles { name, config, companions, weights, weights_kind, shards, passed_over })
    }

    /// Those of these files that the cache has, for the revision as it was last seen; `None` if there are none.
    pub(super) fn some_of(&self, names: &[&str]) -> Option<BTreeMap<String, PathBuf>> {
        let files = local::files_of(&self.snapshot(&self.commit()?), names.iter().copied());
        Some(files).filter(|files| !files.is_empty())
    }

    /// Path of `file` at `commit`, if the cache has it.
    pub(super) fn file(&self, commit: &str, file: &str) -> Option<PathBuf> {
        Some(self.snapshot(commit).join(file)).filter(|path| path.is_file())
    }

    /// Path of `file` at `commit`, if the cache has it whole.
    pub(super) fn whole_file(&self, commit: &str, file: &str) -> Option<PathBuf> {
        self.file(commit, file).filter(|path| whole::is_whole(path))
    }

    /// Path of the content with this tag, there or not.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.repo().blob_path(etag)
    }

    /// Moves the checked file at `staged` to its final name, and links it into the snapshot.
    pub(super) fn place(&self, staged: &Path, etag: &str, commit: &str, file: &str) -> Result<PathBuf> {
        let blob = self.blob(etag);
        // The bytes must be on disk before the name is: a power cut would leave a hollow file.
        File::open(staged)
            .and_then(|staged| staged.sync_all())
            .and_then(|()| fs::create_dir_all(blob.parent().unwrap_or(self.root)))
            .and_then(|()| fs::rename(staged, &blob))
            .map_err(failed(&blob))?;
        self.link(etag, commit, file)
    }

    /// Links `snapshots/COMMIT/FILE` to the blob; replaces a dangling link.
    pub(super) fn link(&self, etag: &str, commit: &str, file: &str) -> Result<PathBuf> {
        let pointer = self.snapshot(commit).join(file);
        let fresh = pointer.with_file_name(passing_name());
        fs::remove_file(&fresh).ok(); // left by a crash of a process of the same number
        fs::create_dir_all(self.snapshot(commit))
            .and_then(|()| symlink(&self.blob(etag), etag, &fresh))
            .and_then(|()| fs::rename(&fresh, &pointer))
            .map_err(failed(&pointer))?;
        Ok(pointer)
    }

    /// Remembers that the revision now means `commit`.
    pub(super) fn set_commit(&self, commit: &str) -> Result<()> {
        if self.commit().as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.ref_path();
        let fresh = path.with_file_name(passing_name());
        fs::create_dir_all(path.parent().unwrap_or(self.root))
            .and_then(|()| fs::write(&fresh, commit))
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(failed(&path))
    }

    /// Staging folder of downloads.
    pub(super) fn staging(&self) -> Cache {
        Cache::new(self.root.join(".locks").join("dermake"))
    }

    /// Waits until no other process downloads this model; the lock ends with the value. `None` where the file system
    /// knows no locks.
    pub(super) fn lock(&self) -> Result<Option<File>> {
        let folder = self.staging().path().clone();
        let path = folder.join(format!("{}.lock", self.model.repo("main").folder_name()));
        let lock = fs::create_dir_all(&folder).and_then(|()| File::create(&path));
        let lock = lock.map_err(failed(&path))?;
        match FileExt::try_lock(&lock) {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => {
                tracing::info!("waiting for another process that downloads {}", self.model);
            }
            Err(TryLockError::Error(error)) => {
                tracing::warn!(
                    "downloading without a lock ({error}); do not download {} twice at once",
                    self.model
                );
                return Ok(None);
            }
        }
        FileExt::lock(&lock).map_err(failed(&path))?;
        Ok(Some(lock))
    }

    fn commit(&self) -> Option<String> {
        if self.model.is_commit() {
            return Some(self.model.revision.clone());
        }
        let commit = fs::read_to_string(self.ref_path()).ok()?;
        Some(commit.trim().to_owned()).filter(|commit| is_plain(commit))
    }

    fn ref_path(&self) -> PathBuf {
        let folder: Repo = self.model.repo("main");
        self.root.join(folder.folder_name()).join("refs").join(&self.model.revision)
    }

    fn snapshot(&self, commit: &str) -> PathBuf {
        self.repo().pointer_path(commit)
    }

    fn repo(&self) -> CacheRepo {
        Cache::new(self.root.to_owned()).repo(self.model.repo("main"))
    }
}

/// A name that no other thread or process uses, for what is renamed at once.
fn passing_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(".{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Cache { path: path.to_owned(), source }
}

/// A relative link, so that the cache can be moved as a whole. Where the file system has none, or links need a
/// privilege, a second name for the same bytes or a copy of them.
fn symlink(blob: &Path, etag: &str, link: &Path) -> io::Result<()> {
    relative_link(&Path::new("../../blobs").join(etag), link)
        .or_else(|_| fs::hard_link(blob, link))
        .or_else(|_| fs::copy(blob, link).map(drop))
}

#[cfg(unix)]
fn relative_link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn relative_link(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
