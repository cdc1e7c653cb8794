//! Folders that all tests of one process share.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Creates a folder below the build's folder for tests.
///
/// A `TempDir` in a static is never removed, so folders of processes that have ended are removed here.
pub fn shared_folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shared");
    fs::create_dir_all(&root).unwrap();
    for entry in fs::read_dir(&root).unwrap().flatten() {
        if has_ended(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path()); // another process may be doing the same
        }
    }
    let folder = root.join(format!("{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Whether the process that made a folder has ended; where that cannot be known, whether the folder is a day old.
fn has_ended(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let Some((process, _)) = name.split_once('-') else { return false };
    if Path::new("/proc/self").exists() {
        return !Path::new("/proc").join(process).exists();
    }
    let modified = folder.metadata().and_then(|metadata| metadata.modified()).unwrap_or_else(|_| SystemTime::now());
    modified.elapsed().is_ok_and(|age| age > Duration::from_secs(24 * 60 * 60))
}
