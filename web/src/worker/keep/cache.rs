//! Weights in Cache Storage: whole, or not there.

use super::NAME;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Cache, CacheStorage, Request, Response, WorkerGlobalScope};

/// What an entry's address ends with is its hash; nothing is ever asked for at this address.
const ADDRESS: &str = "kept-weights/";
const PIECE_BYTES: usize = 4 << 20;

pub struct CacheStore(Cache);

impl CacheStore {
    /// `None` where the browser has or allows none, as where the page came over plain HTTP from another machine.
    pub async fn open() -> Option<Self> {
        JsFuture::from(caches()?.open(NAME)).await.ok()?.dyn_into().ok().map(Self)
    }

    /// What an earlier version of this page has left.
    pub async fn open_if_there() -> Option<Self> {
        let is_there = JsFuture::from(caches()?.has(NAME)).await.ok()?;
        if is_there.is_truthy() { Self::open().await } else { None }
    }

    pub async fn find(&self, sha256: &str) -> Option<Response> {
        JsFuture::from(self.0.match_with_str(&address(sha256))).await.ok()?.dyn_into().ok()
    }

    /// Answers whether it is there.
    pub async fn put(&self, sha256: &str, content: &[u8]) -> bool {
        if self.find(sha256).await.is_some() {
            return true; // it was read from there, and found good
        }
        let put = async {
            let response = Response::new_with_opt_blob(Some(&blob(content)?)).ok()?;
            JsFuture::from(self.0.put_with_str(&address(sha256), &response)).await.ok()
        };
        put.await.is_some()
    }

    /// Removes the cache, with all that is there.
    pub async fn remove_all(self) {
        if let Some(caches) = caches() {
            let _ = JsFuture::from(caches.delete(NAME)).await;
        }
    }

    pub async fn remove(&self, sha256: &str) {
        // If it stays, it is found to be bad the next time too.
        let _ = JsFuture::from(self.0.delete_with_str(&address(sha256))).await;
    }

    /// Of all that is there.
    pub async fn hashes(&self) -> Vec<String> {
        let hash =
            |request: JsValue| Some(request.dyn_into::<Request>().ok()?.url().rsplit('/').next()?.to_string());
        let requests =
            JsFuture::from(self.0.keys()).await.ok().and_then(|keys| keys.dyn_into::<js_sys::Array>().ok());
        requests.map(|requests| requests.iter().filter_map(hash).collect()).unwrap_or_default()
    }
}

/// Piece by piece, each copied: the program's own memory may be shared with other threads, and of that no blob is made.
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

fn address(sha256: &str) -> String {
    format!("{ADDRESS}{sha256}")
}
