//! A file that gets its name when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::path::Path;
use tempfile::{Builder, TempPath};

/// A file beside the place that it is for. It is removed with the value, unless it is given its name.
///
/// No error has the name that it has until then, which says nothing to people.
pub struct NewFile {
    file: File,
    temporary: TempPath,
}

impl NewFile {
    /// Makes a file beside `path`.
    ///
    /// # Errors
    /// When the folder does not exist or cannot be written to.
    pub fn beside(path: &Path) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let open = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let (file, temporary) = Builder::new().make_in(folder, open)?.into_parts();
        Ok(Self { file, temporary })
    }

    /// Where it is until it has its name.
    pub fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// Gives the file its name. An existing file is replaced.
    ///
    /// # Errors
    /// When the disk is full, or something else than a file has the name.
    pub fn persist(self, path: &Path) -> Result<()> {
        #[cfg(unix)]
        {
            // Results are readable by everyone, whatever the process's umask is.
            use std::os::unix::fs::PermissionsExt;
            self.file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        self.file.sync_all()?; // a full disk may show only now
        drop(self.file);
        self.temporary.persist(path).map_err(|err| err.error)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}
