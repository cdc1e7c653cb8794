//! Weights in Cache Storage, which holds whole files only.

use super::name::{WEIGHTS, name_of};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Cache, CacheStorage, Request, Response, WorkerGlobalScope};

/// Prefix of the entries' URLs, followed by the hash. They are never requested.
const URL_PREFIX: &str = "kept-weights/";
const PIECE_BYTES: usize = 4 << 20;

pub struct CacheStore(Cache);

impl CacheStore {
    /// Opens the cache; `None` if the browser has or allows none, as for a page over plain HTTP from another machine.
    pub async fn open() -> Option<Self> {
        JsFuture::from(caches()?.open(&name_of(WEIGHTS))).await.ok()?.dyn_into().ok().map(Self)
    }

    /// Opens the cache if an earlier version of this page created it.
    pub async fn open_existing() -> Option<Self> {
        let exists = JsFuture::from(caches()?.has(&name_of(WEIGHTS))).await.ok()?;
        if exists.is_truthy() { Self::open().await } else { None }
    }

    /// The entry with this hash.
    pub async fn find(&self, sha256: &str) -> Option<Response> {
        JsFuture::from(self.0.match_with_str(&url(sha256))).await.ok()?.dyn_into().ok()
    }

    /// Stores a file; returns whether it is stored.
    pub async fn put(&self, sha256: &str, content: &[u8]) -> bool {
        if self.find(sha256).await.is_some() {
            return true; // it was read from there and checked
        }
        let put = async {
            let response = Response::new_with_opt_blob(Some(&blob(content)?)).ok()?;
            JsFuture::from(self.0.put_with_str(&url(sha256), &response)).await.ok()
        };
        put.await.is_some()
    }

    /// Removes the cache with all its entries.
    pub async fn remove_all(self) {
        if let Some(caches) = caches() {
            let _ = JsFuture::from(caches.delete(&name_of(WEIGHTS))).await;
        }
    }

    /// Removes an entry.
    pub async fn remove(&self, sha256: &str) {
        // If it cannot be removed, the next visit finds it damaged again.
        let _ = JsFuture::from(self.0.delete_with_str(&url(sha256))).await;
    }

    /// Hashes of all entries.
    pub async fn hashes(&self) -> Vec<String> {
        let hash =
            |request: JsValue| Some(request.dyn_into::<Request>().ok()?.url().rsplit('/').next()?.to_string());
        let requests =
            JsFuture::from(self.0.keys()).await.ok().and_then(|keys| keys.dyn_into::<js_sys::Array>().ok());
        requests.map(|requests| requests.iter().filter_map(hash).collect()).unwrap_or_default()
    }
}

/// Copies the content into a blob, piece by piece: a blob cannot be made of memory that threads share.
fn blob(content: &[u8]) -> Option<Blob> {
    let pieces = js_sys::Array::new();
    for piece in content.chunks(PIECE_BYTES) {
        let piece = js_sys::Array::of1(&Uint8Array::from(piece));
        pieces.push(&Blob::new_with_u8_array_sequence(&piece).ok()?.into());
    }
    Blob::new_with_blob_sequence(&pieces).ok()
}

fn caches() -> Option<CacheStorage> {
    let caches = js_sys::global().dyn_into::<WorkerGlobalScope>().ok()?.caches().ok()?;
    (!caches.is_undefined()).then_some(caches)
}

fn url(sha256: &str) -> String {
    format!("{URL_PREFIX}{sha256}")
}
