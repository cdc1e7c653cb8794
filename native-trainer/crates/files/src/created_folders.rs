//! Folders that are made before the work, and are gone again if nothing comes of it.

use crate::output::create_folder;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Folders that were made for a result. On drop, those that are still empty are removed.
#[derive(Debug)]
pub struct CreatedFolders(Vec<PathBuf>);

impl CreatedFolders {
    /// Creates a folder and its parents. One that is there already is not changed, and not removed later.
    ///
    /// # Errors
    /// When something else has its name, or it cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        let is_new = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let created = Self(folder.ancestors().take_while(is_new).map(PathBuf::from).collect());
        create_folder(folder)?;
        Ok(created)
    }
}

impl Drop for CreatedFolders {
    fn drop(&mut self) {
        // The deepest first. One with something in it cannot be removed, and stays.
        for folder in &self.0 {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_folders_are_gone_if_they_stay_empty() {
        let root = tempfile::tempdir().unwrap();
        let (mine, new) = (root.path().join("mine"), root.path().join("new/deep"));
        std::fs::create_dir(&mine).unwrap();
        drop([&mine, &new].map(|folder| CreatedFolders::create(folder).unwrap()));
        assert!(mine.is_dir() && !new.exists() && !root.path().join("new").exists());
        let created = CreatedFolders::create(&new).unwrap();
        std::fs::write(new.join("result"), "1").unwrap();
        drop(created);
        assert!(new.join("result").is_file());
        assert!(CreatedFolders::create(&new.join("result/below")).is_err());
    }
}
