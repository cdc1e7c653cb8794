//! Images to leave out (`--exclude`): those that `dermake data overlap` found in the training data, too.

use super::table::Table;
use anyhow::{Result, bail};
use dermake_files::table_file;
use dermake_sources::SourceError;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The columns of the image and of its file's hash in our lists of overlaps.
pub const IMAGE_COLUMN: &str = "image";
pub const SHA256_COLUMN: &str = "sha256";

/// Columns of the image in lists of overlaps: ours and DermFM-Zero's. Another table has one of the usual names.
const IMAGES: [&str; 2] = [IMAGE_COLUMN, "downstream_image"];

/// A list of images.
pub struct Exclusion {
    sha256: HashSet<String>,
    /// Paths of images without a hash, by their file names.
    paths: HashMap<String, Vec<String>>,
    /// Paths of all images, by their file names, for tables without hashes.
    all_paths: HashMap<String, Vec<String>>,
    was_used: AtomicBool,
}

impl Exclusion {
    /// Reads a table of images: a column of paths, and perhaps `sha256`.
    ///
    /// # Errors
    /// When it cannot be read or has no column of images.
    pub fn read(path: &Path) -> Result<Self> {
        let is_empty = |err: &anyhow::Error| matches!(err.downcast_ref(), Some(SourceError::NoRows { .. }));
        match Table::read(path) {
            // A list without rows is that of an evaluation without overlap.
            Err(err) if is_empty(&err) => Ok(Self::empty()),
            table => Self::of(&table?),
        }
    }

    fn empty() -> Self {
        let (sha256, paths, all_paths) = Default::default();
        Self { sha256, paths, all_paths, was_used: AtomicBool::new(true) }
    }

    fn of(table: &Table) -> Result<Self> {
        let has_usual =
            table.find_column(&IMAGES).is_none() && table.find_column(&table_file::IMAGE_COLUMNS).is_some();
        let image = if has_usual { table.column(&table_file::IMAGE_COLUMNS)? } else { table.column(&IMAGES)? };
        let sha256 = table.find_column(&[SHA256_COLUMN]).map(|_| table.column(&[SHA256_COLUMN])).transpose()?;
        let mut list = Self { was_used: AtomicBool::new(false), ..Self::empty() };
        for row in 0..table.n_rows() {
            let path = normal(table.cell(row, image));
            // Other words, such as "nan", say that the hash is missing.
            let is_hash = |hash: &String| !hash.is_empty() && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
            let hash = sha256.map(|column| table.cell(row, column).to_lowercase()).filter(is_hash);
            if path.is_empty() && hash.is_none() {
                bail!("row {} names no image: {}", row + 1, table.path.display());
            }
            let name = file_name(&path).to_string();
            if hash.is_none() {
                list.paths.entry(name.clone()).or_default().push(path.clone());
            }
            list.all_paths.entry(name).or_default().push(path);
            list.sha256.extend(hash);
        }
        Ok(list)
    }

    /// For each image, by its path and hash, 0 if it is left out and 1 otherwise.
    pub fn counts<'a>(&self, images: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Vec<u32> {
        let counts: Vec<u32> = images.map(|(path, sha256)| u32::from(!self.contains(path, sha256))).collect();
        if counts.contains(&0) {
            self.was_used.store(true, Ordering::Relaxed);
        }
        counts
    }

    /// Whether the list has an image: one of the same content, or, if one of them has no hash, of the same path from
    /// some folder on.
    fn contains(&self, path: &str, sha256: Option<&str>) -> bool {
        let path = normal(path);
        let paths = match sha256 {
            Some(sha256) if self.sha256.contains(sha256) => return true,
            Some(_) => &self.paths,
            None => &self.all_paths,
        };
        let same = |other: &String| ends_with(other, &path) || ends_with(&path, other);
        paths.get(file_name(&path)).is_some_and(|paths| paths.iter().any(same))
    }

    /// Warns if no scored image was in the list, which may be of other benchmarks.
    pub fn warn_unused(&self, path: &Path) {
        if !self.was_used.load(Ordering::Relaxed) {
            tracing::warn!("no scored image is in the list of images to leave out: {}", path.display());
        }
    }
}

fn normal(path: &str) -> String {
    path.trim().replace('\\', "/").trim_start_matches("./").to_string()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path ends with another one, at the border of a folder.
fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/') || end.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Exclusion {
        Exclusion::of(&Table::from_bytes(text.as_bytes(), Path::new("o.csv")).unwrap()).unwrap()
    }

    #[test]
    fn images_are_known_by_their_content_or_the_end_of_their_path() {
        let with_hash = list("benchmark,image,sha256\npad,images/a.png,ABCD\n,images/b.png,\n");
        assert!(with_hash.contains("renamed.png", Some("abcd")), "the same content");
        assert!(!with_hash.contains("images/a.png", Some("ffff")), "another content of the same name");
        assert!(with_hash.contains("images/a.png", None) && with_hash.contains("/data/images/b.png", Some("ffff")));
        let theirs = list("downstream_image,cosine_similarity\ndata/HAM/images/ISIC_1.jpg,0.94\n");
        assert!(theirs.contains("images/ISIC_1.jpg", None) && theirs.contains("ISIC_1.jpg", Some("00")));
        assert!(!theirs.contains("other/ISIC_1.jpg", None) && !theirs.contains("ISIC_11.jpg", None));
        let counts = theirs.counts([("ISIC_1.jpg", None), ("b.jpg", None)].into_iter());
        assert_eq!(counts, [0, 1]);
    }

    #[test]
    fn a_list_without_rows_leaves_out_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("o.csv");
        std::fs::write(&path, "benchmark,image,sha256\n").unwrap();
        assert_eq!(Exclusion::read(&path).unwrap().counts([("a", None)].into_iter()), [1]);
        std::fs::write(&path, "benchmark,photo\na,b\n").unwrap();
        assert!(Exclusion::read(&path).err().unwrap().to_string().contains("lacks the column image"));
    }
}
