//! A file on disk that should have a known content. It is read to find out, once until it changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use std::{fs, io};

use dermake_files::hash;

/// Time, length and inode of a file, to notice changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    pub(super) size_bytes: u64,
    inode: u64,
}

/// Returns the stamp that a file has now.
///
/// # Errors
/// When the file has none, as it is gone.
pub(super) fn stamp(path: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Ok(Stamp { modified: metadata.modified().ok(), size_bytes: metadata.len(), inode })
}

/// A file, and the length and SHA-256 that it should have.
pub(super) struct DiskFile {
    path: PathBuf,
    size_bytes: u64,
    sha256: String,
    /// Result of the last reading: whether the file with this stamp has the hash.
    checked: Mutex<Option<(Stamp, bool)>>,
    /// Held while the file is read, so that two requests never read it at the same time.
    reading: Mutex<()>,
    /// As `reading`, for requests: they wait without a thread.
    waiting: Arc<tokio::sync::Mutex<()>>,
}

impl DiskFile {
    /// Takes a file that was not read yet.
    pub(super) fn unread(path: PathBuf, size_bytes: u64, sha256: String) -> Arc<Self> {
        let (checked, reading, waiting) = (Mutex::default(), Mutex::default(), Arc::default());
        Arc::new(Self { path, size_bytes, sha256, checked, reading, waiting })
    }

    /// Takes a file whose content had the hash `sha256` when its stamp was `stamp`.
    pub(super) fn hashed(path: PathBuf, stamp: Stamp, sha256: String) -> Arc<Self> {
        let (checked, reading, waiting) = (Mutex::new(Some((stamp, true))), Mutex::default(), Arc::default());
        Arc::new(Self { path, size_bytes: stamp.size_bytes, sha256, checked, reading, waiting })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether this is the file at `path`, with the same expected content.
    pub(super) fn is_of(&self, path: &Path, size_bytes: u64, sha256: &str) -> bool {
        self.path == path && self.size_bytes == size_bytes && self.sha256 == sha256
    }

    /// Returns whether the file has its hash; `None` if it was not read since it last changed.
    pub(super) fn known_hash(&self) -> Option<bool> {
        match stamp(&self.path) {
            Ok(now) if now.size_bytes == self.size_bytes => {
                lock(&self.checked).filter(|(stamp, _)| *stamp == now).map(|(_, has_hash)| has_hash)
            }
            _ => Some(false),
        }
    }

    /// Returns whether the file has its hash. Reads it if it was not read since it last changed.
    pub(super) fn has_hash(&self) -> bool {
        let read = || {
            let _reading = lock(&self.reading);
            self.known_hash().unwrap_or_else(|| {
                // Before it is read: a change meanwhile is noticed.
                let Ok(stamp) = stamp(&self.path) else { return false };
                // An error says nothing of the content: the next check reads again.
                let Ok(found) = hash::sha256_of_file(&self.path) else { return false };
                let has_hash = found.eq_ignore_ascii_case(&self.sha256);
                *lock(&self.checked) = Some((stamp, has_hash));
                has_hash
            })
        };
        self.known_hash().unwrap_or_else(read)
    }

    /// As [`Self::has_hash`], without keeping other requests from being answered. A reading goes on, alone, if its request
    /// is cancelled.
    pub(super) async fn has_hash_in_background(self: &Arc<Self>) -> bool {
        if let Some(has_hash) = self.known_hash() {
            return has_hash;
        }
        let waiting = Arc::clone(&self.waiting).lock_owned().await;
        let file = Arc::clone(self);
        let read = move || {
            let _waiting = waiting;
            file.has_hash()
        };
        tokio::task::spawn_blocking(read).await.unwrap_or(false)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "abc").unwrap();
        let file = DiskFile::unread(path.clone(), 3, hash::sha256("abc").to_uppercase());
        assert_eq!(file.known_hash(), None);
        assert!(file.has_hash());
        assert_eq!(file.known_hash(), Some(true));

        // Another file of the same length and time.
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "abd").unwrap();
        fs::File::options().append(true).open(&other).unwrap().set_modified(modified).unwrap();
        fs::rename(&other, &path).unwrap();
        #[cfg(unix)]
        assert_eq!(file.known_hash(), None);
        #[cfg(unix)]
        assert!(!file.has_hash());

        fs::write(&path, "abcd").unwrap();
        assert_eq!(file.known_hash(), Some(false), "its length tells");
        fs::remove_file(&path).unwrap();
        assert_eq!(file.known_hash(), Some(false));
    }
}
