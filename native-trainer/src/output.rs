//! A result folder that appears whole or not at all.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Files are written beside the final folder, which takes its name in [`OutputFolder::finish`].
pub struct OutputFolder {
    partial: TempDir,
    destination: PathBuf,
}

impl OutputFolder {
    /// # Errors
    /// When `destination` exists and is not an empty folder: nothing of the user's is overwritten.
    pub fn create(destination: &Path) -> Result<Self> {
        let is_occupied = match std::fs::read_dir(destination) {
            Ok(mut entries) => entries.next().is_some(),
            Err(_) => destination.exists(),
        };
        if is_occupied {
            bail!("the output folder exists already and is not empty: {}", destination.display());
        }
        let parent = match destination.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let cannot_create = || format!("cannot create a folder in {}", parent.display());
        std::fs::create_dir_all(parent).with_context(cannot_create)?;
        let partial =
            tempfile::Builder::new().prefix(".dermake-partial-").tempdir_in(parent).with_context(cannot_create)?;
        Ok(Self { partial, destination: destination.into() })
    }

    /// Where a file of this name is to be written.
    pub fn path(&self, name: &str) -> PathBuf {
        self.partial.path().join(name)
    }

    pub fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        std::fs::write(self.path(name), content).with_context(|| format!("cannot write {name}"))
    }

    /// Gives the folder its name.
    pub fn finish(self) -> Result<()> {
        let Self { partial, destination } = self;
        let cannot_rename = || format!("cannot put the result at {}", destination.display());
        #[cfg(unix)]
        // A temporary folder and files written through one are private; a result is not.
        make_public(partial.path()).with_context(cannot_rename)?;
        std::fs::rename(partial.path(), &destination).with_context(cannot_rename)?;
        let _ = partial.keep();
        Ok(())
    }
}

/// Gives everyone leave to read the folder and all below it.
#[cfg(unix)]
fn make_public(folder: &Path) -> std::io::Result<()> {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    set_permissions(folder, Permissions::from_mode(0o755))?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_public(&entry.path())?;
        } else {
            set_permissions(entry.path(), Permissions::from_mode(0o644))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn sub_folders_can_be_entered() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("result");
        let folder = OutputFolder::create(&out).unwrap();
        std::fs::create_dir_all(folder.path("a/b")).unwrap();
        folder.write("a/b/c", b"1").unwrap();
        folder.finish().unwrap();
        let mode = |name: &str| std::fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("a"), mode("a/b"), mode("a/b/c")), (0o755, 0o755, 0o644));
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("deep/result");
        let folder = OutputFolder::create(&out).unwrap();
        folder.write("a", b"1").unwrap();
        assert!(!out.exists());
        folder.finish().unwrap();
        assert_eq!(std::fs::read(out.join("a")).unwrap(), b"1");
        assert!(OutputFolder::create(&out).is_err(), "an occupied folder is refused");

        let abandoned = OutputFolder::create(&root.path().join("other")).unwrap();
        abandoned.write("a", b"1").unwrap();
        drop(abandoned);
        let left: Vec<_> =
            std::fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["deep"]);
    }
}
