//! A store as an index: which files are nearest to a feature.

use super::catalog::CatalogReader;
use super::layout::{CATALOG_FILE, FEATURES_FILE, StoreError, refuse_old, refuse_other_than_file};
use super::rows::{Features, bytes_of};
use crate::identity::Identity;
use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::path::Path;

/// Rows that one thread looks through at a time.
const ROWS_AT_ONCE: usize = 4096;

/// A store, open for searching only.
pub struct SearchIndex {
    catalog: CatalogReader,
    features: Features,
    identity: Identity,
}

/// A file and how near it is.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Hit {
    /// As it was named when it was embedded.
    pub file: String,
    pub cosine: f32,
}

impl SearchIndex {
    /// # Errors
    /// When there is no store in the folder, or [`StoreError`] if it cannot be used.
    pub fn open(folder: &Path) -> Result<Self> {
        if folder.is_file() {
            bail!("expected the folder of an index or of its photos, found a file: {}", folder.display());
        }
        refuse_old(folder)?;
        if folder.join(CATALOG_FILE).symlink_metadata().is_err() {
            bail!("there is no index; `dermake embed` makes one: {}", folder.display());
        }
        let catalog = CatalogReader::open(folder)?;
        let identity = catalog.totals.identity.clone();
        let path = folder.join(FEATURES_FILE);
        if path.symlink_metadata().is_err() {
            bail!(StoreError::Damaged { detail: format!("{FEATURES_FILE} is missing"), path: folder.into() });
        }
        refuse_other_than_file(&path, folder)?;
        let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let features = Features::map(&file, catalog.totals.n_rows, identity.embed_dim, folder)?;
        features.check(&catalog.totals.chunks, folder)?;
        if file.metadata()?.len() > bytes_of(catalog.totals.n_rows, identity.embed_dim) {
            tracing::warn!("the index was not finished; `dermake embed` goes on with it: {}", folder.display());
        }
        Ok(Self { catalog, features, identity })
    }

    /// The model whose features these are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Features, of files that are gone too.
    pub fn n_rows(&self) -> usize {
        self.features.n_rows()
    }

    /// The `top_k` files nearest to a unit feature `[E]`, the nearest first.
    ///
    /// Files of one content come one after the other.
    pub fn nearest(&self, query: &[f32], top_k: usize) -> Result<Vec<Hit>> {
        if query.len() != self.identity.embed_dim {
            bail!("the query has {} values, expected {}", query.len(), self.identity.embed_dim);
        }
        let mut hits = Vec::new();
        let mut wanted = top_k.min(self.n_rows());
        loop {
            let rows = self.nearest_rows(query, wanted);
            hits.clear();
            for near in &rows {
                // A row may have no file any more.
                let files = self.catalog.names(near.row as u64);
                hits.extend(files.map(|file| Hit { file, cosine: near.cosine }));
            }
            if hits.len() >= top_k || wanted == self.n_rows() {
                hits.truncate(top_k);
                return Ok(hits);
            }
            wanted = (wanted * 4).min(self.n_rows());
        }
    }

    fn nearest_rows(&self, query: &[f32], n: usize) -> Vec<Near> {
        let embed_dim = query.len();
        let of_chunk = |(chunk, rows): (usize, &[f32])| {
            let mut heap = BinaryHeap::new();
            for (at, row) in rows.chunks_exact(embed_dim).enumerate() {
                push(&mut heap, Near { cosine: dot(query, row), row: chunk * ROWS_AT_ONCE + at }, n);
            }
            heap
        };
        let merge = |mut all: BinaryHeap<Near>, heap: BinaryHeap<Near>| {
            heap.into_iter().for_each(|near| push(&mut all, near, n));
            all
        };
        let chunks = self.features.values().par_chunks(ROWS_AT_ONCE * embed_dim).enumerate();
        chunks.map(of_chunk).reduce(BinaryHeap::new, merge).into_sorted_vec()
    }
}

/// A row and its cosine; the greatest is the farthest, so that a heap removes that first.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Near {
    cosine: f32,
    row: usize,
}

impl Eq for Near {}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        other.cosine.total_cmp(&self.cosine).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn push(heap: &mut BinaryHeap<Near>, near: Near, n: usize) {
    if heap.len() < n {
        heap.push(near);
    } else if heap.peek().is_some_and(|farthest| near < *farthest) {
        heap.pop();
        heap.push(near);
    }
}

/// Sums in sixteen lanes, which the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..16 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_ties_keep_their_order() {
        let mut heap = BinaryHeap::new();
        for (row, cosine) in [0.1, 0.9, 0.5, 0.9, -0.2].into_iter().enumerate() {
            push(&mut heap, Near { cosine, row }, 3);
        }
        let rows: Vec<usize> = heap.into_sorted_vec().iter().map(|near| near.row).collect();
        assert_eq!(rows, [1, 3, 2]);
    }

    #[test]
    fn dot_is_the_sum_of_products() {
        let a: Vec<f32> = (0..37).map(|i| i as f32 * 0.25).collect();
        let expected: f32 = a.iter().map(|x| x * x).sum();
        assert!((dot(&a, &a) - expected).abs() < 1e-2);
    }
}
