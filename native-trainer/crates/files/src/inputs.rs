//! No result replaces a file that it is made from.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Returns whether both paths lead to one place, where a file may not be yet.
pub fn is_same_place(a: &Path, b: &Path) -> bool {
    place(a).is_some_and(|a| place(b) == Some(a))
}

/// Returns whether a path leads to a place in a folder or below it.
pub fn is_below(path: &Path, folder: &Path) -> bool {
    matches!((place(path), folder.canonicalize()), (Some(path), Ok(folder)) if path.starts_with(&folder))
}

/// Checks, before the work, that the file which `option` names for a result is none of those that are read.
///
/// # Errors
/// When it is one of them.
pub fn refuse_input(option: &str, out: &Path, read: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<()> {
    // A terminal may be read and written.
    let Some(place) = out.canonicalize().ok().filter(|place| place.is_file()) else { return Ok(()) };
    if read.into_iter().any(|path| path.as_ref().canonicalize().is_ok_and(|path| path == place)) {
        bail!("{option} names a file that is read and would be overwritten, expected another: {}", out.display());
    }
    Ok(())
}

fn place(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_read_is_refused_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("x")).unwrap();
        std::fs::write(path("t.csv"), "a").unwrap();
        for name in ["t.csv", "x/../t.csv", "./x/.././t.csv"] {
            let error = refuse_input("--out", &path(name), [path("x"), path("t.csv")]).unwrap_err().to_string();
            assert!(error.starts_with("--out names a file that is read") && error.ends_with(name), "{error}");
            assert!(is_same_place(&path(name), &path("t.csv")) && is_below(&path(name), folder.path()));
        }
        for name in ["new.csv", "x/t.csv", "gone/t.csv"] {
            refuse_input("--out", &path(name), [path("t.csv")]).unwrap();
            assert!(!is_same_place(&path(name), &path("t.csv")));
        }
        assert!(is_same_place(&path("new.csv"), &path("x/../new.csv")));
        assert!(!is_same_place(&path("gone/t.csv"), &path("gone/t.csv")), "the folder does not exist");
        assert!(is_below(&path("x/new.csv"), &path("x")) && !is_below(&path("new.csv"), &path("x")));
    }
}
