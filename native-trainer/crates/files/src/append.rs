//! A file that grows by whole entries: an entry that cannot be written completely is removed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// An open file to append to.
pub struct AppendFile {
    file: File,
    path: PathBuf,
    len_bytes: u64,
}

impl AppendFile {
    /// Creates a new file.
    ///
    /// # Errors
    /// If there is one already, or none can be made.
    pub fn create(path: &Path) -> Result<Self> {
        Self::open(path, OpenOptions::new().read(true).append(true).create_new(true))
    }

    /// Opens a file at its end; creates it if it does not exist.
    pub fn open_at_end(path: &Path) -> Result<Self> {
        Self::open(path, OpenOptions::new().read(true).append(true).create(true))
    }

    fn open(path: &Path, options: &OpenOptions) -> Result<Self> {
        let opened = options.open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (len_bytes, file) = opened.with_context(|| format!("cannot open for appending: {}", path.display()))?;
        Ok(Self { file, path: path.to_path_buf(), len_bytes })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, to read it or to lock it.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Cuts the file back to its first `len_bytes`; what is appended follows them.
    ///
    /// # Errors
    /// When the file cannot be changed.
    pub fn cut(&mut self, len_bytes: u64) -> Result<()> {
        self.file.set_len(len_bytes).with_context(|| format!("cannot write {}", self.path.display()))?;
        self.len_bytes = len_bytes;
        Ok(())
    }

    /// Returns once everything that was appended is on the disk.
    ///
    /// # Errors
    /// If the disk cannot be written.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Writes one entry, at once and unbuffered, so that it is in the file even if the process is killed right after.
    ///
    /// # Errors
    /// Usually a full disk. The file is then cut back to its last complete entry and stays readable.
    pub fn append(&mut self, entry: &[u8]) -> Result<()> {
        if let Err(error) = self.file.write_all(entry) {
            // The error of the write is the one to report; readers tolerate an incomplete end.
            let _ = self.file.set_len(self.len_bytes);
            return Err(error).with_context(|| format!("cannot append to {}", self.path.display()));
        }
        self.len_bytes += entry.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create_refuses_what_is_there_and_open_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        AppendFile::create(&path).unwrap().append(b"one ").unwrap();
        assert!(AppendFile::create(&path).is_err());
        AppendFile::open_at_end(&path).unwrap().append(b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one two");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_names_the_file() {
        let error = AppendFile::open_at_end(Path::new("/dev/full")).unwrap().append(b"one").unwrap_err();
        assert!(error.to_string().contains("/dev/full"), "{error:#}");
    }
}
