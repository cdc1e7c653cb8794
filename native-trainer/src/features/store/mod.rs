//! A folder of features: rows of f32 in one file that is mapped into memory, and a small database of whose they are.
//!
//! A feature belongs to a content, by its SHA-256; any number of files may have that content. A file that has the size
//! and time of writing that were noted is not opened again. Rows are on disk before the database names them, and the
//! database's commits are atomic, so a kill loses at most what came after the last [`FeatureStore::save`].

mod catalog;
mod index;

pub use index::{Hit, SearchIndex};

use super::identity::Identity;
use super::reading::Stamp;
use anyhow::{Context, Result, bail};
use catalog::Catalog;
use memmap2::Mmap;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const FEATURES_FILE: &str = "features.f32";
const CATALOG_FILE: &str = "catalog.redb";

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("another dermake is using the features in {}", path.display())]
    InUse { path: PathBuf },
    #[error(
        "the features are another model's, another precision's or an older program's ({found}; this one is {expected}); \
         name that model, or delete the folder to make them anew: {}", path.display()
    )]
    OtherModel { found: String, expected: String, path: PathBuf },
    #[error("the features are damaged ({detail}); delete the folder to make them anew: {}", path.display())]
    Damaged { detail: String, path: PathBuf },
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// The row of its feature.
    Row(u64),
    /// It is no image that can be read.
    Problem(String),
}

/// Features that are being added to; one process at a time.
pub struct FeatureStore {
    folder: PathBuf,
    catalog: Catalog,
    file: File,
    embed_dim: usize,
    /// Rows in the file, saved or not.
    n_rows: u64,
    /// Not yet in the database.
    pending: Pending,
    /// Rows that the database knows, by content.
    rows: HashMap<[u8; 32], u64>,
}

#[derive(Default)]
struct Pending {
    rows: Vec<([u8; 32], u64)>,
    files: Vec<(String, Stamp, Known)>,
}

impl FeatureStore {
    /// Opens the folder's features, or begins with none.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be used.
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let catalog = Catalog::open(&folder.join(CATALOG_FILE), identity)?;
        let path = folder.join(FEATURES_FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        let (rows, n_rows) = catalog.rows()?;
        let embed_dim = identity.embed_dim;
        let found = file.metadata()?.len();
        let expected = n_rows * embed_dim as u64 * 4;
        if found < expected {
            let detail = format!("{found} bytes of features, expected {expected}");
            bail!(StoreError::Damaged { detail, path: folder.into() });
        }
        Ok(Self { folder: folder.into(), catalog, file, embed_dim, n_rows, pending: Pending::default(), rows })
    }

    /// The features that a cache has for this identity; `None`, with a warning, while another process adds to them.
    pub fn open_cache(cache: &Path, identity: &Identity) -> Result<Option<Self>> {
        match Self::open(&cache.join(identity.key()?), identity) {
            Ok(store) => Ok(Some(store)),
            Err(err) if matches!(err.downcast_ref(), Some(StoreError::InUse { .. })) => {
                tracing::warn!("{err:#}: none are kept this time");
                Ok(None)
            }
            Err(err) => Err(err),
        }
    }

    /// What is known of files, by name, as they were when their stamp was taken.
    pub fn files(&self) -> Result<HashMap<String, (Stamp, Known)>> {
        self.catalog.files()
    }

    /// The row of a content's feature.
    pub fn row(&self, content: &[u8; 32]) -> Option<u64> {
        self.rows.get(content).copied()
    }

    /// Appends the features of contents; on disk before the next [`Self::save`] names them.
    ///
    /// # Shapes
    /// - `features`: `[n, E]`, row-major, a row for each content
    pub fn add(&mut self, contents: &[[u8; 32]], features: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = features.iter().flat_map(|value| value.to_le_bytes()).collect();
        let offset = self.n_rows * self.embed_dim as u64 * 4;
        let written = self.file.seek(SeekFrom::Start(offset)).and_then(|_| self.file.write_all(&bytes));
        written.with_context(|| format!("cannot write {FEATURES_FILE} in {}", self.folder.display()))?;
        for content in contents {
            self.rows.insert(*content, self.n_rows);
            self.pending.rows.push((*content, self.n_rows));
            self.n_rows += 1;
        }
        Ok(())
    }

    /// Notes what was found in a file.
    pub fn note_file(&mut self, name: &str, stamp: Stamp, known: Known) {
        self.pending.files.push((name.into(), stamp, known));
    }

    /// Makes everything added so far last.
    pub fn save(&mut self) -> Result<()> {
        if self.pending.rows.is_empty() && self.pending.files.is_empty() {
            return Ok(());
        }
        self.file.sync_data().with_context(|| format!("cannot write {}", self.folder.display()))?;
        self.catalog.add(&self.pending.rows, &self.pending.files, self.n_rows)?;
        self.pending = Pending::default();
        Ok(())
    }

    /// Forgets files; their features stay, in case the content comes back.
    pub fn forget(&mut self, names: &[String]) -> Result<()> {
        self.catalog.forget(names)
    }

    /// The features so far, `[n, E]` row-major, mapped into memory.
    pub fn features(&self) -> Result<Features> {
        Features::map(&self.file, self.n_rows as usize, self.embed_dim)
    }
}

/// Features on disk, as if in memory.
pub struct Features {
    /// `None` for no features: an empty file cannot be mapped.
    map: Option<Mmap>,
    n_rows: usize,
    embed_dim: usize,
}

impl Features {
    fn map(file: &File, n_rows: usize, embed_dim: usize) -> Result<Self> {
        // SAFETY: rows that are named are never written again; only this program writes the file.
        let map =
            if n_rows == 0 { None } else { Some(unsafe { Mmap::map(file) }.context("cannot map the features")?) };
        Ok(Self { map, n_rows, embed_dim })
    }

    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// `[n, E]` row-major.
    pub fn values(&self) -> &[f32] {
        let n_bytes = self.n_rows * self.embed_dim * 4;
        // A map begins at a page, and every machine this runs on is little-endian.
        self.map.as_ref().map_or(&[], |map| bytemuck::cast_slice(&map[..n_bytes]))
    }

    /// # Panics
    /// When there is no such row.
    pub fn row(&self, row: u64) -> &[f32] {
        let start = row as usize * self.embed_dim;
        &self.values()[start..start + self.embed_dim]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { bytes: 3, modified_ns: 7 };

    fn identity(model_name: &str) -> Identity {
        let json = serde_json::json!({
            "model_sha256": "0", "model_name": model_name, "embed_dim": 2, "precision": "f32",
            "applies_exif": true, "arithmetic": 1,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_was_saved_is_there_and_what_was_not_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let open = || FeatureStore::open(folder.path(), &identity("m")).unwrap();
        let mut store = open();
        store.add(&[[1; 32], [2; 32]], &[1.0, 0.0, 0.0, 1.0]).unwrap();
        store.note_file("a.png", STAMP, Known::Row(1));
        store.note_file("b.png", STAMP, Known::Problem("torn".into()));
        store.save().unwrap();
        store.add(&[[3; 32]], &[9.0, 9.0]).unwrap();
        store.note_file("c.png", STAMP, Known::Row(2));
        drop(store);

        let mut store = open();
        assert_eq!((store.row(&[2; 32]), store.row(&[3; 32])), (Some(1), None));
        let files = store.files().unwrap();
        assert_eq!(files["a.png"], (STAMP, Known::Row(1)));
        assert_eq!(files["b.png"], (STAMP, Known::Problem("torn".into())));
        assert_eq!(files.len(), 2);
        store.add(&[[4; 32]], &[0.6, 0.8]).unwrap();
        store.save().unwrap();
        assert_eq!(store.features().unwrap().values(), [1.0, 0.0, 0.0, 1.0, 0.6, 0.8]);
        drop(store);

        let index = SearchIndex::open(folder.path()).unwrap();
        let hits = index.nearest(&[0.0, 1.0], 5).unwrap();
        assert_eq!(hits, [Hit { file: "a.png".into(), cosine: 1.0 }], "the others have no file");
        assert_eq!(index.nearest(&[0.0, 1.0], usize::MAX).unwrap(), hits, "more than there are");
        assert_eq!(index.nearest(&[0.0, 1.0], 1).unwrap(), hits, "the nearest with a file");
        assert!(index.nearest(&[0.0], 5).is_err());
    }

    #[test]
    fn a_store_is_one_model_s_and_one_process_s_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let _store = FeatureStore::open(folder.path(), &identity("m")).unwrap();
        let second = FeatureStore::open(folder.path(), &identity("m")).err().unwrap();
        assert!(matches!(second.downcast_ref(), Some(StoreError::InUse { .. })), "{second:#}");
        drop(_store);
        let other = FeatureStore::open(folder.path(), &identity("n")).err().unwrap();
        assert!(matches!(other.downcast_ref(), Some(StoreError::OtherModel { .. })), "{other:#}");
        let cache = FeatureStore::open_cache(folder.path(), &identity("n")).unwrap();
        assert!(cache.is_some(), "a cache has a folder for each model");
    }
}
