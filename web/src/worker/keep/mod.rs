//! The browser's own store of weights: each file under its SHA-256, checked again by whoever reads it.
//!
//! Files that grow as they arrive where the browser has them (the origin private file system), whole entries of Cache
//! Storage elsewhere. A store that is missing, full, forbidden or hangs is no error: what it lacks is fetched again next
//! time.

mod cache;
mod files;

use crate::time::within;
use cache::CacheStore;
use files::FileStore;
pub use files::{KeptFile, Opened};
use shared_model::manifest::Manifest;
use std::collections::HashSet;
use std::future::Future;
use web_sys::Response;

/// Of the directory and of the cache.
const NAME: &str = "dermake-weights";

/// A store that takes longer to answer is treated as missing.
const STORE_SECS: u32 = 5;

/// And one that takes longer to write a whole file as full.
const PUT_SECS: u32 = 60;

/// The files kept by earlier visits and for later ones.
pub struct Keep {
    files: Option<FileStore>,
    /// Beside files: what a version of this page without them has left.
    cache: Option<CacheStore>,
}

impl Keep {
    /// Opens what there is.
    pub async fn open() -> Self {
        match soon(FileStore::open()).await {
            Some(files) => Self { files: Some(files), cache: soon(CacheStore::open_if_there()).await },
            None => Self { files: None, cache: soon(CacheStore::open()).await },
        }
    }

    /// Takes the file of this hash in hand, an empty one if there was none.
    pub async fn file(&self, sha256: &str) -> Opened {
        match &self.files {
            Some(files) => within(STORE_SECS, files.take(sha256)).await.unwrap_or(Opened::Nowhere),
            None => Opened::Nowhere,
        }
    }

    /// The whole entry of this hash, where it is no file.
    pub async fn entry(&self, sha256: &str) -> Option<Response> {
        soon(self.cache.as_ref()?.find(sha256)).await
    }

    /// Removes the entry of this hash.
    pub async fn remove_entry(&self, sha256: &str) {
        if let Some(cache) = &self.cache {
            cache.remove(sha256).await;
        }
    }

    /// Keeps a whole, checked content that is in no file of this tab; answers whether it is kept.
    pub async fn put(&self, sha256: &str, content: &[u8]) -> bool {
        match (&self.files, &self.cache) {
            // Another tab has the file in hand, or there is no room.
            (Some(_), _) => self.has(sha256, content.len() as u64).await,
            (None, Some(cache)) => within(PUT_SECS, cache.put(sha256, content)).await.unwrap_or(false),
            (None, None) => false,
        }
    }

    /// Whether the whole file of this hash is kept, of so many bytes.
    pub async fn has(&self, sha256: &str, n_bytes: u64) -> bool {
        match &self.files {
            Some(files) => within(STORE_SECS, files.n_bytes(sha256)).await == Some(n_bytes),
            None => self.entry(sha256).await.is_some(),
        }
    }

    /// Removes what none of these manifests names.
    pub async fn retain(self, manifests: &[Manifest]) {
        let files = manifests.iter().flat_map(|manifest| &manifest.files);
        let named: HashSet<&str> = files.map(|file| file.sha256.as_str()).collect();
        let is_named = |sha256: &String| named.contains(sha256.as_str());
        if let Some(files) = &self.files {
            for sha256 in files.hashes().await.iter().filter(|sha256| !is_named(sha256)) {
                files.remove(sha256).await;
            }
        }
        let Some(cache) = self.cache else { return };
        let (wanted, unwanted): (Vec<_>, Vec<_>) = cache.hashes().await.into_iter().partition(is_named);
        for sha256 in unwanted {
            cache.remove(&sha256).await;
        }
        if self.files.is_some() && wanted.is_empty() {
            cache.remove_all().await; // all of it has moved into files
        }
    }
}

async fn soon<T>(work: impl Future<Output = Option<T>>) -> Option<T> {
    within(STORE_SECS, work).await.flatten()
}
