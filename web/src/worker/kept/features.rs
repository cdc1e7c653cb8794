//! The kept features of one model.

use super::super::connection::Connection;
use super::super::protocol::{FeatureKeeping, MAX_KEPT_MEGABYTES, Reply};
use super::super::store::{OpenResult, StoredFile};
use super::folder;
use super::ring::{PhotoHash, Ring, feature_of, record};
use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use shared_model::manifest::{FileRole, Manifest};

/// Changes when features are computed in another way by the same files.
const VERSION: &str = "dermake-features/1";
/// Most bytes of a model's file; there are two.
const MAX_FILE_BYTES: u64 = MAX_KEPT_MEGABYTES * 1_000_000 / 2;
/// Records to read at once.
const RECORDS_AT_ONCE: u64 = 512;

/// The kept features of a model.
pub struct KeptFeatures {
    file_name: String,
    n_values: usize,
    /// `None` until the file is read.
    ring: Option<Ring>,
    /// Bytes of the other models' files.
    n_other_bytes: u64,
}

impl KeptFeatures {
    /// The features of a model, of `n_values` values each, computed with the engine that the page's query requests.
    pub fn new(manifest: &Manifest, n_values: usize, query: &str) -> Self {
        let engine = query.trim_start_matches('?').split('&').find(|part| part.starts_with("engine="));
        let weights = manifest.file(FileRole::Vision).map(|file| file.sha256.as_str()).unwrap_or_default();
        let (config, n) = (manifest.config.to_string(), n_values.to_string());
        let engine = engine.unwrap_or_default();
        let parts = [VERSION, env!("CARGO_PKG_VERSION"), weights, &config, engine, &n];
        let key = Sha256::digest(parts.join("\n"));
        let file_name = key.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { file_name, n_values, ring: None, n_other_bytes: 0 }
    }

    /// The feature of a photo; `None` if it is not kept, or cannot be read now.
    pub async fn find(&mut self, photo: &PhotoHash) -> Option<Vec<f32>> {
        // Without a record that is known, the file is read only once.
        if self.ring.as_ref().is_some_and(|ring| ring.position(photo).is_none()) {
            return None;
        }
        let file = self.open().await?;
        let ring = self.ring.as_ref()?;
        let bytes = read(&file, ring.position(photo)?, ring.record_bytes() as u32)?;
        feature_of(&bytes, photo).filter(|feature| feature.len() == self.n_values)
    }

    /// Keeps the feature of a photo, unless the visitor has changed their mind, another tab has the file, or there is no
    /// room; says how much is kept.
    pub async fn add(&mut self, photo: PhotoHash, feature: &[f32], connection: &Connection) {
        if feature.len() != self.n_values || !connection.keeps_features.get() {
            return;
        }
        let Some(mut file) = self.open().await else { return };
        let Some(ring) = self.ring.as_mut().filter(|_| connection.keeps_features.get()) else { return };
        let (position, number) = ring.next();
        let bytes = Uint8Array::from(record(&photo, number, feature).as_slice());
        let is_written = file.write(position, &bytes);
        if is_written {
            ring.note_written(photo);
        }
        let n_bytes = ring.n_bytes() + self.n_other_bytes;
        let keeping = if is_written { FeatureKeeping::Kept { n_bytes } } else { FeatureKeeping::Full { n_bytes } };
        connection.send(0, Reply::Keeping(keeping));
    }

    /// Opens and locks the file, and reads where its records are, as far as that is not known; `None` if another tab has
    /// locked it, or the browser keeps no files.
    async fn open(&mut self) -> Option<StoredFile> {
        let files = folder::open().await?;
        if self.ring.is_none() {
            self.n_other_bytes = folder::make_room_beside(&files, &self.file_name).await;
        }
        let OpenResult::Opened(file) = files.open_file(&self.file_name).await else { return None };
        let mut ring = self.ring.take().unwrap_or_else(|| Ring::new(self.n_values, MAX_FILE_BYTES));
        let n_records = ring.n_records_in(file.n_bytes());
        if n_records < ring.n_records() {
            // Another tab has deleted it since.
            ring = Ring::new(self.n_values, MAX_FILE_BYTES);
        }
        while ring.n_records() < n_records {
            let n_missing = (n_records - ring.n_records()).min(RECORDS_AT_ONCE);
            let n_bytes = n_missing * ring.record_bytes() as u64;
            ring.add_records(&read(&file, ring.n_bytes(), n_bytes as u32)?);
        }
        self.ring = Some(ring);
        Some(file)
    }
}

/// Reads so many bytes from a position; `None` if there are fewer.
fn read(file: &StoredFile, first: u64, n_bytes: u32) -> Option<Vec<u8>> {
    let buffer = Uint8Array::new_with_length(n_bytes);
    (file.read(first, &buffer)? == n_bytes).then(|| buffer.to_vec())
}
