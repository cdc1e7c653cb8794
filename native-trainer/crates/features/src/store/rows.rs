//! The features file of a store, mapped into memory.

use super::entries::Chunk;
use super::layout::{FEATURES_FILE, StoreError};
use anyhow::{Context, Result, bail};
use memmap2::Mmap;
use rayon::prelude::*;
use std::fs::File;
use std::path::Path;

/// Bytes of so many rows.
pub fn bytes_of(n_rows: u64, embed_dim: usize) -> u64 {
    n_rows.saturating_mul(embed_dim as u64 * 4)
}

/// Features on disk, mapped into memory.
pub struct Features {
    /// `None` for no features: an empty file cannot be mapped.
    map: Option<Mmap>,
    n_rows: usize,
    embed_dim: usize,
}

impl Features {
    /// # Errors
    /// [`StoreError::Damaged`] when the file is too short.
    pub fn map(file: &File, n_rows: u64, embed_dim: usize, folder: &Path) -> Result<Self> {
        let (found, expected) = (file.metadata()?.len(), bytes_of(n_rows, embed_dim));
        if found < expected {
            let detail = format!("{found} bytes of features, expected {expected}");
            bail!(StoreError::Damaged { detail, path: folder.into() });
        }
        let map = if expected == 0 {
            None
        } else {
            // SAFETY: rows that are named are never written again; only this program writes the file.
            Some(unsafe { Mmap::map(file) }.context("cannot map the features")?)
        };
        Ok(Self { map, n_rows: n_rows as usize, embed_dim })
    }

    /// # Errors
    /// [`StoreError::Damaged`] when rows are not what was written.
    pub fn check(&self, chunks: &[Chunk], folder: &Path) -> Result<()> {
        let is_as_written = |chunk: &Chunk| {
            let (start, n_values) = (chunk.first_row as usize, chunk.n_rows as usize);
            let values = &self.values()[start * self.embed_dim..][..n_values * self.embed_dim];
            crc32fast::hash(bytemuck::cast_slice(values)) == chunk.crc32
        };
        if !chunks.par_iter().all(is_as_written) {
            let detail = format!("{FEATURES_FILE} is not what was written");
            bail!(StoreError::Damaged { detail, path: folder.into() });
        }
        Ok(())
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
    /// When there is no row of this number.
    pub fn row(&self, row: u64) -> &[f32] {
        let start = row as usize * self.embed_dim;
        &self.values()[start..start + self.embed_dim]
    }
}
