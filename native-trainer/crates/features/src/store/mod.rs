//! A folder of features: rows of f32 in one file that is mapped into memory, and a catalog of their contents and files.
//!
//! A feature belongs to a content, by its SHA-256; any number of files may have that content. A file that has the size
//! and time of writing that were noted is not opened again. Rows are on disk before the catalog names them, and the
//! catalog grows by whole frames, so a kill loses at most what came after the last [`FeatureStore::save`]. Everything
//! has a checksum: what was damaged is never taken for features.

mod catalog;
mod entries;
mod frames;
mod index;
mod layout;
mod rows;

pub use entries::Known;
pub use index::{Hit, SearchIndex};
pub use layout::StoreError;

use super::identity::Identity;
use super::reading::Stamp;
use anyhow::{Context, Result};
use catalog::{Addition, Catalog};
use dermake_files::append::AppendFile;
use dermake_files::lock::{Held, Lock};
use dermake_files::output::{create_folder, replace_file};
use layout::{FEATURES_FILE, FILES_TABLE, refuse_old, refuse_other_than_file, refuse_others_files, remove_all};
use rows::{Features, bytes_of};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A store for writing, by one process at a time.
pub struct FeatureStore {
    folder: PathBuf,
    catalog: Catalog,
    file: AppendFile,
    embed_dim: usize,
    /// Rows in the file, saved or not.
    n_rows: u64,
    /// Not yet in the catalog.
    pending: Pending,
    keeping: Keeping,
    _lock: Lock,
}

/// What to do if the store cannot be written any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeping {
    /// The store is the result: return the error.
    Must,
    /// The store is a cache: continue without storing more.
    May,
    /// That has happened.
    NoMore,
}

#[derive(Default)]
struct Pending {
    contents: Vec<[u8; 32]>,
    features: Vec<f32>,
    files: Vec<(String, Stamp, Known)>,
}

impl FeatureStore {
    /// Opens or creates a store. Removes damaged files, with a warning.
    ///
    /// # Errors
    /// When another process adds to them, they are another model's or no store's, or the folder cannot be written to.
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self> {
        let lock = locked(folder)?;
        refuse_others_files(folder)?;
        Self::open_locked(folder, identity, lock)
    }

    fn open_locked(folder: &Path, identity: &Identity, lock: Lock) -> Result<Self> {
        let mut opened = Self::open_parts(folder, identity);
        if let Err(err) = &opened
            && let Some(StoreError::Damaged { detail, path }) = err.downcast_ref()
        {
            tracing::warn!("the kept features are damaged ({detail}) and are made anew: {}", path.display());
            remove_all(folder)?;
            opened = Self::open_parts(folder, identity);
        }
        let (catalog, file) = opened?;
        let (embed_dim, n_rows) = (identity.embed_dim, catalog.n_rows);
        let (folder, pending, keeping) = (folder.into(), Pending::default(), Keeping::Must);
        Ok(Self { folder, catalog, file, embed_dim, n_rows, pending, keeping, _lock: lock })
    }

    /// The catalog, and the features that it names, checked.
    fn open_parts(folder: &Path, identity: &Identity) -> Result<(Catalog, AppendFile)> {
        refuse_old(folder)?;
        let catalog = Catalog::open(folder, identity)?;
        let path = folder.join(FEATURES_FILE);
        refuse_other_than_file(&path, folder)?;
        let mut file = AppendFile::open_at_end(&path)?;
        Features::map(file.file(), catalog.n_rows, identity.embed_dim, folder)?.check(&catalog.chunks, folder)?;
        // What comes after them was never named.
        file.cut(bytes_of(catalog.n_rows, identity.embed_dim))?;
        Ok((catalog, file))
    }

    /// Opens the cache's features for this identity; returns `None`, with a warning, if it cannot be used. If it cannot
    /// be written any more, the work continues without storing features.
    pub fn open_cache(cache: &Path, identity: &Identity) -> Option<Self> {
        let open = |key: String| {
            let folder = cache.join(key);
            Self::open_locked(&folder, identity, locked(&folder)?)
        };
        match identity.key().and_then(open) {
            Ok(store) => Some(Self { keeping: Keeping::May, ..store }),
            Err(err) if err.is::<Held>() => {
                tracing::warn!(
                    "another dermake is using the cache of features, so none are kept: {}",
                    cache.display()
                );
                None
            }
            Err(err) => {
                tracing::warn!("the cache of features cannot be used, so none are kept: {err:#}");
                None
            }
        }
    }

    /// Entries of files, by name, with the stamp at that time.
    pub fn files(&self) -> &HashMap<String, (Stamp, Known)> {
        &self.catalog.files
    }

    /// The row of a content's feature.
    pub fn row(&self, content: &[u8; 32]) -> Option<u64> {
        self.catalog.rows.get(content).copied()
    }

    /// The content of each row.
    pub fn contents(&self) -> Vec<[u8; 32]> {
        let mut contents = vec![[0; 32]; self.n_rows as usize];
        for (content, row) in &self.catalog.rows {
            contents[*row as usize] = *content;
        }
        contents
    }

    /// Appends the features of contents; on disk before the next [`Self::save`] names them.
    ///
    /// # Shapes
    /// - `features`: `[n, E]`, row-major, a row for each content
    pub fn add(&mut self, contents: &[[u8; 32]], features: &[f32]) -> Result<()> {
        if self.keeping == Keeping::NoMore {
            return Ok(());
        }
        let bytes: Vec<u8> = features.iter().flat_map(|value| value.to_le_bytes()).collect();
        let written = self.file.append(&bytes);
        if written.is_ok() {
            self.catalog.rows.extend(contents.iter().copied().zip(self.n_rows..));
            self.pending.contents.extend(contents);
            self.pending.features.extend(features);
            self.n_rows += contents.len() as u64;
        }
        self.tolerate(written)
    }

    /// Records the result of a file.
    pub fn note_file(&mut self, name: &str, stamp: Stamp, known: Known) {
        self.pending.files.push((name.into(), stamp, known));
    }

    /// Saves everything that was added so far.
    pub fn save(&mut self) -> Result<()> {
        let Pending { contents, features, files } = std::mem::take(&mut self.pending);
        if self.keeping == Keeping::NoMore || (contents.is_empty() && files.is_empty()) {
            return Ok(());
        }
        let mut addition = Addition::default();
        addition.rows(&contents, &features);
        files.iter().for_each(|(name, stamp, known)| addition.file(name, *stamp, known));
        let saved = self.file.sync().and_then(|()| self.catalog.add(&addition));
        if saved.is_ok() {
            self.catalog.files.extend(files.into_iter().map(|(name, stamp, known)| (name, (stamp, known))));
        }
        self.tolerate(saved)
    }

    /// Forgets files; their features stay, in case the content comes back.
    pub fn forget(&mut self, names: &[String]) -> Result<()> {
        let mut addition = Addition::default();
        for name in names {
            addition.gone(name);
            self.catalog.files.remove(name);
        }
        if names.is_empty() { Ok(()) } else { self.catalog.add(&addition) }
    }

    /// The features so far, `[n, E]` row-major, mapped into memory.
    pub fn features(&self) -> Result<Features> {
        Features::map(self.file.file(), self.n_rows, self.embed_dim, &self.folder)
    }

    /// Writes the table of which row is of which file, and returns where it is and how many rows there are.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_files_table(&self) -> Result<(PathBuf, u64)> {
        let path = self.folder.join(FILES_TABLE);
        let mut rows: Vec<(u64, &str)> = Vec::new();
        for (name, (_, known)) in self.files() {
            if let Known::Row(row) = known {
                rows.push((*row, name));
            }
        }
        rows.sort_unstable();
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["row", "file"])?;
        for (row, name) in rows {
            table.write_record([row.to_string().as_str(), name])?;
        }
        replace_file(&path, &table.into_inner().context("cannot write a table into memory")?)?;
        Ok((path, self.n_rows))
    }

    /// Stops storing after a failure, if the store is a cache.
    fn tolerate(&mut self, written: Result<()>) -> Result<()> {
        match written {
            Err(err) if self.keeping == Keeping::May => {
                tracing::warn!("the cache of features cannot be written to, so no more are kept: {err:#}");
                self.keeping = Keeping::NoMore;
                Ok(())
            }
            written => written,
        }
    }
}

/// Locks a folder, which is created if it does not exist.
fn locked(folder: &Path) -> Result<Lock> {
    create_folder(folder)?;
    Lock::of_folder(folder)
}

#[cfg(test)]
mod tests;
