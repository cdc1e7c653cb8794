//! The catalog of a store: the row of each content, and the content of each file. It is an append-only log of frames;
//! it is read as a whole, and rewritten without outdated entries once these are most of it.

use super::entries::{Chunk, Entry, Known, MAGIC, Totals, read_all};
use super::frames::framed;
use super::layout::{CATALOG_FILE, StoreError, refuse_other_than_file};
use crate::identity::Identity;
use crate::reading::Stamp;
use anyhow::{Context, Result, bail};
use dermake_files::append::AppendFile;
use dermake_files::output::replace_file;
use memmap2::Mmap;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

/// Number of outdated entries below which the file is not rewritten.
const FEW_OUTDATED: usize = 1000;
/// Rows that have a checksum together.
const ROWS_IN_CHUNK: usize = 1024;

/// The catalog, open for writing.
pub struct Catalog {
    log: AppendFile,
    /// Rows by content.
    pub rows: HashMap<[u8; 32], u64>,
    /// Result of each file.
    pub files: HashMap<String, (Stamp, Known)>,
    pub chunks: Vec<Chunk>,
    pub n_rows: u64,
}

/// New rows and new findings, in one frame.
#[derive(Default)]
pub struct Addition {
    frame: Vec<u8>,
}

impl Addition {
    /// Names rows that follow those before.
    ///
    /// # Shapes
    /// - `features`: `[n, E]`, row-major, a row for each content
    pub fn rows(&mut self, contents: &[[u8; 32]], features: &[f32]) {
        let embed_dim = features.len() / contents.len().max(1);
        let chunks = contents.chunks(ROWS_IN_CHUNK).zip(features.chunks(ROWS_IN_CHUNK * embed_dim.max(1)));
        for (contents, features) in chunks {
            let crc32 = crc32fast::hash(bytemuck::cast_slice(features));
            Entry::Rows { contents, crc32 }.write(&mut self.frame);
        }
    }

    pub fn file(&mut self, name: &str, stamp: Stamp, known: &Known) {
        Entry::of_file(name, stamp, known).write(&mut self.frame);
    }

    pub fn gone(&mut self, name: &str) {
        Entry::Gone { name }.write(&mut self.frame);
    }
}

impl Catalog {
    /// Opens or creates the catalog of a folder; removes an incomplete end.
    ///
    /// # Errors
    /// [`StoreError`] if it is damaged, of an older program or another model's.
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self> {
        let path = folder.join(CATALOG_FILE);
        if path.symlink_metadata().is_err() {
            let mut log = AppendFile::open_at_end(&path)?;
            log.append(&head(identity)?)?;
            log.sync()?;
            let (rows, files, chunks) = Default::default();
            return Ok(Self { log, rows, files, chunks, n_rows: 0 });
        }
        let (mut rows, mut files) = (HashMap::new(), HashMap::new());
        let map = map(&path, folder)?;
        let visit = |entry: &Entry<'_>, n_rows: u64| match *entry {
            Entry::Identity(_) => {}
            Entry::Rows { contents, .. } => rows.extend(contents.iter().copied().zip(n_rows..)),
            Entry::File { name, stamp, found } => {
                let known = found.map_or_else(|problem| Known::Problem(problem.into()), Known::Row);
                files.insert(name.to_string(), (stamp, known));
            }
            Entry::Gone { name } => {
                files.remove(name);
            }
        };
        let totals = read_all(&map, visit).map_err(|detail| damaged(detail, folder))?;
        drop(map);
        refuse_other_model(&totals.identity, identity, folder)?;
        let n_outdated = totals.n_entries.saturating_sub(1 + files.len() + totals.chunks.len());
        let Totals { chunks, n_rows, whole_bytes, .. } = totals;
        let mut catalog = Self { log: AppendFile::open_at_end(&path)?, rows, files, chunks, n_rows };
        if n_outdated > FEW_OUTDATED.max(catalog.files.len()) {
            catalog.write_anew(identity, &path)?;
        } else if totals.is_cut_short {
            tracing::debug!("the last save was not finished: {}", path.display());
            catalog.log.cut(whole_bytes)?;
        }
        Ok(catalog)
    }

    /// Writes all additions as one frame and syncs them to disk.
    pub fn add(&mut self, addition: &Addition) -> Result<()> {
        self.log.append(&framed(&addition.frame))?;
        self.log.sync()
    }

    /// Replaces the file by one without outdated entries.
    fn write_anew(&mut self, identity: &Identity, path: &Path) -> Result<()> {
        let mut contents = vec![[0; 32]; self.n_rows as usize];
        for (content, row) in &self.rows {
            contents[*row as usize] = *content;
        }
        let mut addition = Addition::default();
        for Chunk { first_row, n_rows, crc32 } in &self.chunks {
            let contents = &contents[*first_row as usize..][..*n_rows as usize];
            Entry::Rows { contents, crc32: *crc32 }.write(&mut addition.frame);
        }
        for (name, (stamp, known)) in &self.files {
            addition.file(name, *stamp, known);
        }
        replace_file(path, &[head(identity)?, framed(&addition.frame)].concat())?;
        self.log = AppendFile::open_at_end(path)?;
        Ok(())
    }
}

/// The beginning of a catalog.
fn head(identity: &Identity) -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    Entry::Identity(&serde_json::to_vec(identity)?).write(&mut frame);
    Ok([MAGIC.to_vec(), framed(&frame)].concat())
}

/// The catalog, open for reading only.
pub struct CatalogReader {
    map: Mmap,
    /// Rows and where in the map the name of a file that has them is, by row and name.
    names: Vec<(u64, Range<usize>)>,
    pub totals: Totals,
}

impl CatalogReader {
    /// # Errors
    /// [`StoreError`] if it is damaged or its end is missing.
    pub fn open(folder: &Path) -> Result<Self> {
        let map = map(&folder.join(CATALOG_FILE), folder)?;
        let start = map.as_ptr() as usize;
        let mut files: HashMap<&str, u64> = HashMap::new();
        let totals = read_all(&map, |entry, _| match *entry {
            Entry::File { name, found: Ok(row), .. } => {
                files.insert(name, row);
            }
            Entry::File { name, .. } | Entry::Gone { name } => {
                files.remove(name);
            }
            Entry::Identity(_) | Entry::Rows { .. } => {}
        });
        let totals = totals.map_err(|detail| damaged(detail, folder))?;
        if totals.is_cut_short {
            bail!(damaged("the end of its catalog is missing", folder));
        }
        let mut named: Vec<(u64, &str)> = files.into_iter().map(|(name, row)| (row, name)).collect();
        named.sort_unstable();
        let place = |(row, name): (u64, &str)| {
            let at = name.as_ptr() as usize - start;
            (row, at..at + name.len())
        };
        let names = named.into_iter().map(place).collect();
        Ok(Self { names, totals, map })
    }

    /// The files that have a row's content, in the order of their names.
    pub fn names(&self, row: u64) -> impl Iterator<Item = String> {
        let first = self.names.partition_point(|(other, _)| *other < row);
        let of_row = self.names[first..].iter().take_while(move |(other, _)| *other == row);
        of_row.map(|(_, place)| String::from_utf8_lossy(&self.map[place.clone()]).into_owned())
    }
}

/// Maps a catalog into memory.
fn map(path: &Path, folder: &Path) -> Result<Mmap> {
    refuse_other_than_file(path, folder)?;
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    if file.metadata()?.len() == 0 {
        bail!(damaged("its catalog is empty", folder)); // nothing cannot be mapped
    }
    // SAFETY: complete frames are never overwritten, and a rewritten catalog is another file.
    unsafe { Mmap::map(&file) }.with_context(|| format!("cannot map {}", path.display()))
}

fn refuse_other_model(found: &Identity, expected: &Identity, folder: &Path) -> Result<()> {
    match expected.difference(found) {
        Some(difference) => bail!(StoreError::OtherModel { difference, path: folder.into() }),
        None => Ok(()),
    }
}

fn damaged(detail: &str, folder: &Path) -> StoreError {
    StoreError::Damaged { detail: detail.into(), path: folder.into() }
}
