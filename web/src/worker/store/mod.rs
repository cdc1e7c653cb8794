//! Stores weights in the browser, each file under its SHA-256. Readers check the hash again.
//!
//! Uses the origin private file system, where files are written while they are downloaded; in browsers without it, Cache
//! Storage, which holds whole files. A store that is missing, full, forbidden or does not respond is not an error: what
//! it does not have is downloaded at the next visit.

mod cache;
mod files;
mod name;

use crate::time::timeout;
use cache::CacheStore;
pub use files::{FileStore, OpenResult, StoredFile};
use name::WEIGHTS;
pub use name::name_of;
use shared_model::manifest::Manifest;
use std::collections::HashSet;
use std::future::Future;
use web_sys::Response;

/// A store that takes longer to respond is treated as missing.
const STORE_SECS: u32 = 5;

/// A store that takes longer to write a whole file is treated as full.
const PUT_SECS: u32 = 60;

/// The weights stored by this visit and earlier ones.
pub struct WeightStore {
    files: Option<FileStore>,
    /// The only store, or, beside files, the entries of an earlier version of this page.
    cache: Option<CacheStore>,
}

impl WeightStore {
    /// Opens the stores that the browser has.
    pub async fn open() -> Self {
        match or_missing(FileStore::open(&name_of(WEIGHTS))).await {
            Some(files) => Self { files: Some(files), cache: or_missing(CacheStore::open_existing()).await },
            None => Self { files: None, cache: or_missing(CacheStore::open()).await },
        }
    }

    /// Opens and locks the file with this hash, creating an empty one if there is none.
    pub async fn open_file(&self, sha256: &str) -> OpenResult {
        match &self.files {
            Some(files) => timeout(STORE_SECS, files.open_file(sha256)).await.unwrap_or(OpenResult::Unavailable),
            None => OpenResult::Unavailable,
        }
    }

    /// The entry with this hash in Cache Storage.
    pub async fn cache_entry(&self, sha256: &str) -> Option<Response> {
        or_missing(self.cache.as_ref()?.find(sha256)).await
    }

    /// Removes the entry with this hash from Cache Storage.
    pub async fn remove_cache_entry(&self, sha256: &str) {
        if let Some(cache) = &self.cache {
            cache.remove(sha256).await;
        }
    }

    /// Stores a whole, checked file that this tab has not stored while downloading; returns whether it is stored.
    pub async fn put(&self, sha256: &str, content: &[u8]) -> bool {
        match (&self.files, &self.cache) {
            // Another tab has locked the file, or the store is full.
            (Some(_), _) => self.has(sha256, content.len() as u64).await,
            (None, Some(cache)) => timeout(PUT_SECS, cache.put(sha256, content)).await.unwrap_or(false),
            (None, None) => false,
        }
    }

    /// Whether the whole file with this hash and length is stored.
    pub async fn has(&self, sha256: &str, n_bytes: u64) -> bool {
        match &self.files {
            Some(files) => timeout(STORE_SECS, files.n_bytes(sha256)).await == Some(n_bytes),
            None => self.cache_entry(sha256).await.is_some(),
        }
    }

    /// Removes the files that none of these manifests names.
    pub async fn retain(self, manifests: &[Manifest]) {
        let files = manifests.iter().flat_map(|manifest| &manifest.files);
        let named: HashSet<&str> = files.map(|file| file.sha256.as_str()).collect();
        let is_named = |sha256: &String| named.contains(sha256.as_str());
        if let Some(files) = &self.files {
            for sha256 in files.names().await.iter().filter(|sha256| !is_named(sha256)) {
                files.remove(sha256).await;
            }
        }
        let Some(cache) = self.cache else { return };
        let (wanted, unwanted): (Vec<_>, Vec<_>) = cache.hashes().await.into_iter().partition(is_named);
        for sha256 in unwanted {
            cache.remove(&sha256).await;
        }
        if self.files.is_some() && wanted.is_empty() {
            cache.remove_all().await; // all entries have been moved to files
        }
    }
}

/// Treats a store that does not respond as missing.
async fn or_missing<T>(work: impl Future<Output = Option<T>>) -> Option<T> {
    timeout(STORE_SECS, work).await.flatten()
}
