//! A file lock, so that two processes never write into one folder. It is released when its process ends in any way.

use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The lock file inside a folder that is being written to.
const LOCK_FILE: &str = ".dermake-lock";

/// Another process holds the lock.
#[derive(Debug, thiserror::Error)]
#[error("another dermake is writing to this folder; wait for it or name another one: {}", folder.display())]
pub struct Held {
    folder: PathBuf,
}

/// A lock of this process; its file is removed on drop.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    path: PathBuf,
}

impl Lock {
    /// Locks a folder that is there.
    ///
    /// # Errors
    /// [`Held`] by another process; when the folder cannot be written to.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        Self::at(folder.join(LOCK_FILE), folder)
    }

    /// Locks a folder that does not exist yet, with a file beside it.
    ///
    /// # Errors
    /// As [`Lock::of_folder`], of the folder around it.
    pub fn beside_folder(folder: &Path, parent: &Path) -> Result<Self> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        Self::at(parent.join(format!(".{name}{LOCK_FILE}")), folder)
    }

    fn at(path: PathBuf, folder: &Path) -> Result<Self> {
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
            let file = file.with_context(|| format!("cannot write to the folder {}", folder.display()))?;
            if !try_lock(&file).with_context(|| format!("cannot lock {}", path.display()))? {
                bail!(Held { folder: folder.into() });
            }
            // Where its last holder has removed it since it was opened, others lock another file.
            if is_in_place(&file, &path) {
                return Ok(Self { _file: file, path });
            }
        }
    }

    /// Path of the lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether a file in a folder is its lock file.
    pub fn is_lock(file_name: &std::ffi::OsStr) -> bool {
        file_name == LOCK_FILE
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while locked, so that no process removes another's lock. An empty file that stays is harmless.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Returns whether the path is this file.
#[cfg(unix)]
fn is_in_place(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(found)) => (held.dev(), held.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_in_place(_: &File, _: &Path) -> bool {
    true
}

/// Locks a file for this process; returns false if another process has the lock. On a file system without locks, it
/// always succeeds.
fn try_lock(file: &File) -> std::io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(err)) if err.kind() == ErrorKind::Unsupported || is_without_locks(&err) => {
            tracing::debug!("this file system has no locks: {err}");
            Ok(true)
        }
        Err(TryLockError::Error(err)) => Err(err),
    }
}

#[cfg(unix)]
fn is_without_locks(err: &std::io::Error) -> bool {
    matches!(err.raw_os_error(), Some(libc::ENOLCK | libc::ENOSYS | libc::EOPNOTSUPP))
}

#[cfg(not(unix))]
fn is_without_locks(_: &std::io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_writer_at_a_time_and_keeps_nothing_of_the_lock() {
        let root = tempfile::tempdir().unwrap();
        let lock = Lock::of_folder(root.path()).unwrap();
        let second = Lock::of_folder(root.path()).unwrap_err();
        assert!(second.is::<Held>() && second.to_string().contains("another dermake"), "{second:#}");
        drop(lock);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
        drop(Lock::of_folder(root.path()).unwrap());

        let out = root.path().join("out");
        let lock = Lock::beside_folder(&out, root.path()).unwrap();
        assert!(Lock::beside_folder(&out, root.path()).is_err());
        drop(lock);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_file_that_a_killed_process_left_is_free() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join(LOCK_FILE), "").unwrap();
        assert!(Lock::of_folder(root.path()).is_ok());
    }
}
