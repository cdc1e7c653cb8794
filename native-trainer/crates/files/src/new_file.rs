//! A file that gets its name when it is whole.

use crate::link::behind_link;
use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, TempPath};

/// A file beside the place that it is for, in which there may be another. It is removed with the value, unless it is given its name.
///
/// No error has the name that it has until then, which says nothing to people.
pub struct NewFile {
    file: File,
    temporary: TempPath,
    path: PathBuf,
}

impl NewFile {
    /// Makes a file that is to be at `path`; where it leads, if it is a link.
    ///
    /// # Errors
    /// When the folder does not exist or cannot be written to.
    pub fn for_place(path: &Path) -> Result<Self> {
        let path = behind_link(path);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let open = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let (file, temporary) = Builder::new().make_in(folder, open)?.into_parts();
        Ok(Self { file, temporary, path })
    }

    /// Where it is until it has its name.
    pub fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// Gives the file its name. An existing file is replaced; a link stays, and the file to which it leads is replaced.
    ///
    /// # Errors
    /// When the disk is full, or something else than a file has the name.
    pub fn persist(self) -> Result<()> {
        #[cfg(unix)]
        {
            // Results are readable by everyone, whatever the process's umask is.
            use std::os::unix::fs::PermissionsExt;
            self.file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        self.file.sync_all()?; // a full disk may show only now
        drop(self.file);
        self.temporary.persist(self.path).map_err(|err| err.error)
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_stays_and_its_file_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let (kept, links) = (root.path().join("kept"), root.path().join("links"));
        fs::create_dir(&kept).unwrap();
        fs::create_dir(&links).unwrap();
        symlink("../kept/file", links.join("first")).unwrap();
        symlink("first", links.join("second")).unwrap();
        for content in [b"1", b"2"] {
            let mut file = NewFile::for_place(&links.join("second")).unwrap();
            file.write_all(content).unwrap();
            file.persist().unwrap();
            assert_eq!(fs::read(kept.join("file")).unwrap(), content);
            assert!(["first", "second"].iter().all(|name| links.join(name).is_symlink()));
            let n_in = |folder: &Path| fs::read_dir(folder).unwrap().count();
            assert_eq!((n_in(&kept), n_in(&links)), (1, 2));
        }
        symlink("../nowhere/file", links.join("lost")).unwrap();
        assert!(NewFile::for_place(&links.join("lost")).is_err());
    }
}
