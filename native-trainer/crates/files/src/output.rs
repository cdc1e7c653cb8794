//! A result folder that appears whole or not at all.

use crate::destination::{refuse_occupied, take_place};
use crate::link::behind_link;
use crate::lock::Lock;
use crate::new_file::NewFile;
use anyhow::{Context, Result, bail};
use dermake_process::interrupt::{self, Unfinished};
use safetensors::SafeTensorError;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Creates a folder and its parents; an existing one is not changed.
///
/// # Errors
/// When something else has its name, or it cannot be made.
pub fn create_folder(folder: &Path) -> Result<()> {
    let Err(err) = std::fs::create_dir_all(folder) else { return Ok(()) };
    for part in folder.ancestors().filter(|part| !part.is_dir()) {
        match part.symlink_metadata() {
            Ok(found) if found.is_symlink() => {
                bail!("this is a link to a place that is not there, expected a folder: {}", part.display())
            }
            Ok(_) => bail!("this is a file, expected a folder: {}", part.display()),
            Err(_) => {}
        }
    }
    Err(err).with_context(|| format!("cannot create {}", folder.display()))
}

/// Converts an error of writing a safetensors file. An IO error is returned itself, since the crate's error would print
/// it twice, in its text and as its cause.
pub fn write_error(err: SafeTensorError) -> anyhow::Error {
    match err {
        SafeTensorError::IoError(err) => err.into(),
        err => err.into(),
    }
}

/// Files are written beside the final folder, which takes its name in [`OutputFolder::finish`].
///
/// Without it, after an error or a signal, nothing is left; files of a killed process are removed by the next one.
pub struct OutputFolder {
    partial: PartialFolder,
    destination: PathBuf,
    unfinished: Unfinished,
    lock: Lock,
}

/// Removed with all that is in it, unless it was given another name.
struct PartialFolder(PathBuf);

impl OutputFolder {
    /// # Errors
    /// When `destination` exists and is not an empty folder, or one that cannot be replaced: nothing of the user's is
    /// overwritten; when another process is making it.
    pub fn create(destination: &Path) -> Result<Self> {
        refuse_occupied(destination)?;
        let destination = behind_link(destination);
        if destination.file_name().is_none() {
            bail!("name a new folder for the result: {}", destination.display());
        }
        let parent = match destination.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let cannot_create = || format!("cannot create a folder in {}", parent.display());
        create_folder(parent)?;
        let lock = Lock::beside_folder(&destination, parent)?;
        // The process that had the lock may have finished the folder.
        refuse_occupied(&destination)?;
        let name = destination.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let partial = parent.join(format!(".{name}.dermake-partial"));
        if partial.exists() {
            std::fs::remove_dir_all(&partial).with_context(cannot_create)?;
        }
        std::fs::create_dir(&partial).with_context(cannot_create)?;
        let partial = PartialFolder(partial);
        if destination.is_dir() {
            take_place(&partial.0, &destination)?;
            std::fs::create_dir(&partial.0).with_context(cannot_create)?;
        }
        let unfinished = interrupt::discard_on_request(vec![partial.0.clone(), lock.path().into()])?;
        Ok(Self { partial, destination, unfinished, lock })
    }

    /// Returns the path where a file of this name is written.
    pub fn path(&self, name: &str) -> PathBuf {
        self.partial.0.join(name)
    }

    pub fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        std::fs::write(self.path(name), content).with_context(|| format!("cannot write {name}"))
    }

    /// Gives the folder its name.
    pub fn finish(self) -> Result<()> {
        let Self { partial, destination, unfinished, lock } = self;
        let cannot_rename = || format!("cannot put the result at {}", destination.display());
        #[cfg(unix)]
        // Results are readable by everyone, whatever the process's umask is.
        make_public(&partial.0).with_context(cannot_rename)?;
        let renamed = std::fs::rename(&partial.0, &destination).with_context(cannot_rename);
        drop(partial); // while the lock is held
        drop(unfinished); // before another process may have the lock
        drop(lock);
        renamed
    }
}

impl Drop for PartialFolder {
    fn drop(&mut self) {
        // After a rename there is nothing of this name; what cannot be removed the next run removes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes a file whole or not at all; an existing one is replaced. A link stays, and the file to which it leads is
/// written. A device or a pipe, such as `/dev/stdout`, is written to and stays what it is.
///
/// # Errors
/// If it cannot be written; an existing one is unchanged then.
pub fn replace_file(path: &Path, content: &[u8]) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return std::fs::write(path, content).with_context(cannot);
    }
    let mut file = NewFile::for_place(path).with_context(cannot)?;
    file.write_all(content).with_context(cannot)?;
    file.persist().with_context(cannot)
}

/// Checks, before work whose result it is to have, that a file can be written. An existing one is not changed.
///
/// # Errors
/// When the path is a folder's, its folder does not exist, or nothing can be written there.
pub fn check_file(path: &Path) -> Result<()> {
    let cannot = || format!("cannot write {}; choose another place", path.display());
    if path.is_dir() {
        bail!("this is a folder, expected the name of a file: {}", path.display());
    }
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Ok(()); // a device or a pipe
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        bail!("cannot write {}, as there is no folder {}; make it first", path.display(), folder.display());
    }
    NewFile::for_place(path).map(drop).with_context(cannot)
}

/// Makes the folder and everything below it readable by everyone.
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
        assert_eq!(names_in(root.path()), ["deep"]);
        assert_eq!(names_in(&root.path().join("deep")), ["result"]);
    }

    #[test]
    fn what_has_the_name_of_a_folder_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, b"1").unwrap();
        for taken in [file.clone(), file.join("a"), file.join("a/b")] {
            let error = create_folder(&taken).unwrap_err().to_string();
            assert!(error.starts_with("this is a file, expected a folder: "), "{error}");
        }
        let error = OutputFolder::create(&file).err().unwrap().to_string();
        assert!(error.starts_with("there is a file or link of this name"), "{error}");
        #[cfg(unix)]
        {
            let link = root.path().join("link");
            std::os::unix::fs::symlink("nowhere", &link).unwrap();
            let error = create_folder(&link).unwrap_err().to_string();
            assert!(error.starts_with("this is a link to a place that is not there"), "{error}");
        }
        create_folder(&root.path().join("new/deep")).unwrap();
        create_folder(&root.path().join("new/deep")).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_replaced_is_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        replace_file(&path, b"1").unwrap();
        replace_file(&path, b"2").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"2");
        assert!(replace_file(&path.join("below"), b"3").is_err());
        assert_eq!(names_in(root.path()), ["file"]);
    }

    #[test]
    fn where_no_file_can_be_is_known_before_and_said_without_a_temporary_name() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        check_file(&path).unwrap();
        assert!(names_in(root.path()).is_empty(), "nothing is left of the check");
        replace_file(&path, b"1").unwrap();
        check_file(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"1");
        let error = |path: &Path| format!("{:#}", check_file(path).unwrap_err());
        assert!(error(root.path()).starts_with("this is a folder, expected the name of a file"));
        assert!(error(&root.path().join("no/such")).contains("make it first"));
        #[cfg(target_os = "linux")]
        {
            let nowhere = Path::new("/proc/x.csv");
            let written = format!("{:#}", replace_file(nowhere, b"1").unwrap_err());
            for error in [error(nowhere), written] {
                assert!(error.starts_with("cannot write /proc/x.csv") && !error.contains(".tmp"), "{error}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt;
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("pipe");
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: the name is a C string that outlives the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| std::fs::read(&path).unwrap());
            replace_file(&path, b"1").unwrap();
            assert!(path.metadata().unwrap().file_type().is_fifo());
            assert_eq!(reader.join().unwrap(), b"1");
        });
    }

    fn names_in(folder: &Path) -> Vec<std::ffi::OsString> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_folder_has_one_maker_at_a_time_and_what_a_killed_one_left_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("result");
        std::fs::create_dir(root.path().join(".result.dermake-partial")).unwrap();
        std::fs::write(root.path().join(".result.dermake-partial/half"), "half").unwrap();
        let folder = OutputFolder::create(&out).unwrap();
        let second = OutputFolder::create(&out).err().unwrap();
        assert!(second.is::<crate::lock::Held>(), "{second:#}");
        folder.finish().unwrap();
        assert_eq!(names_in(root.path()), ["result"]);
        assert_eq!(names_in(&out).len(), 0);
    }
}
