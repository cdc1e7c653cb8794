//! The browser's own store of weights: each file under its SHA-256, checked again by whoever reads it.
//!
//! Files that grow as they arrive where the browser has them (the origin private file system), whole entries of Cache
//! Storage elsewhere. A store that is missing, full or forbidden is no error: what it lacks is fetched again next time.

mod cache;
mod files;

use cache::CacheStore;
use files::FileStore;
pub use files::{KeptFile, Opened};
use shared_model::api::Manifest;
use std::collections::HashSet;
use web_sys::Response;

/// Of the directory and of the cache.
const NAME: &str = "dermake-weights";

/// The files kept by earlier visits and for later ones.
pub struct Keep {
    files: Option<FileStore>,
    /// Beside files: what a version of this page without them has left.
    cache: Option<CacheStore>,
}

impl Keep {
    /// Opens what there is.
    pub async fn open() -> Self {
        match FileStore::open().await {
            Some(files) => Self { files: Some(files), cache: CacheStore::open_if_there().await },
            None => Self { files: None, cache: CacheStore::open().await },
        }
    }

    /// Takes the file of this hash in hand, an empty one if there was none.
    pub async fn file(&self, sha256: &str) -> Opened {
        match &self.files {
            Some(files) => files.take(sha256).await,
            None => Opened::Nowhere,
        }
    }

    /// The whole entry of this hash, where it is no file.
    pub async fn entry(&self, sha256: &str) -> Option<Response> {
        self.cache.as_ref()?.find(sha256).await
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
            (Some(files), _) => files.n_bytes(sha256).await == content.len() as u64,
            (None, Some(cache)) => cache.put(sha256, content).await,
            (None, None) => false,
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
