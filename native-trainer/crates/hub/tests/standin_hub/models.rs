//! The folder behind the stand-in, as revisions, commits and hashes.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::held;

/// `ROOT/owner/name` and `ROOT/owner/name@revision`.
pub(super) struct Models {
    pub(super) root: PathBuf,
    /// Large files are hashed once for each time they are written.
    hashes: Mutex<HashMap<(PathBuf, SystemTime), String>>,
}

impl Models {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), hashes: Mutex::default() }
    }

    /// The folder of a revision: its name, or its commit.
    pub(super) fn folder(&self, owner: &str, name: &str, revision: &str) -> Result<PathBuf, &'static str> {
        let main = self.root.join(owner).join(name);
        if !main.is_dir() {
            return Err("RepoNotFound");
        }
        let named = self.root.join(owner).join(format!("{name}@{revision}"));
        if revision == "main" || self.commit(&main) == revision {
            return Ok(main);
        }
        let others = std::fs::read_dir(self.root.join(owner)).into_iter().flatten().flatten();
        let is_other = |path: &PathBuf| {
            let folder = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            folder.starts_with(&format!("{name}@")) && self.commit(path) == revision
        };
        if named.is_dir() {
            return Ok(named);
        }
        others.map(|entry| entry.path()).find(is_other).ok_or("RevisionNotFound")
    }

    /// A commit that changes with the content.
    pub(super) fn commit(&self, folder: &Path) -> String {
        let mut hasher = Sha256::new();
        for path in files(folder) {
            hasher.update(path.as_os_str().as_encoded_bytes());
            hasher.update(self.sha256(&path));
        }
        format!("{:x}", hasher.finalize())[..40].to_owned()
    }

    pub(super) fn sha256(&self, path: &Path) -> String {
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        let key = (path.to_owned(), modified.unwrap_or(SystemTime::UNIX_EPOCH));
        let mut hashes = held(&self.hashes);
        let hash = hashes.entry(key).or_insert_with(|| {
            let mut hasher = Sha256::new();
            let file = std::fs::File::open(path).expect("the file was just listed");
            io::copy(&mut io::BufReader::with_capacity(1 << 20, file), &mut hasher)
                .expect("the models' files are readable");
            format!("{:x}", hasher.finalize())
        });
        hash.clone()
    }
}

/// The folder's files, in the order of their names.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}
