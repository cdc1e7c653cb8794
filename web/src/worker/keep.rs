//! The browser's own store of weights: each file under its SHA-256, only ever whole.
//!
//! A store that is missing, full or forbidden is no error: the files are then fetched again next time.

use shared_model::api::Manifest;
use std::collections::HashSet;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Cache, Request, Response, WorkerGlobalScope};

const CACHE_NAME: &str = "dermake-weights";
/// What an entry's address ends with is its hash; nothing is ever asked for at this address.
const ADDRESS: &str = "kept-weights/";

/// The files kept by earlier visits and for later ones.
pub struct Keep(Option<Cache>);

impl Keep {
    /// Opens the store, or one that keeps nothing where there is none.
    pub async fn open() -> Self {
        let opened = async {
            let caches = js_sys::global().dyn_into::<WorkerGlobalScope>().ok()?.caches().ok()?;
            // Absent where the page came over plain HTTP from another machine.
            let caches = (!caches.is_undefined()).then_some(caches)?;
            JsFuture::from(caches.open(CACHE_NAME)).await.ok()?.dyn_into().ok()
        };
        Self(opened.await)
    }

    /// What is kept under this hash, to be checked again by whoever reads it.
    pub async fn find(&self, sha256: &str) -> Option<Response> {
        JsFuture::from(self.0.as_ref()?.match_with_str(&address(sha256))).await.ok()?.dyn_into().ok()
    }

    /// Keeps a file whose hash was checked; answers whether it could.
    pub async fn put(&self, sha256: &str, content: &[u8]) -> bool {
        let put = async {
            // SAFETY: the view is gone before anything can move or change this memory: `Blob` copies what it is given.
            let view = unsafe { js_sys::Uint8Array::view(content) };
            let blob = Blob::new_with_u8_array_sequence(&js_sys::Array::of1(&view)).ok()?;
            let response = Response::new_with_opt_blob(Some(&blob)).ok()?;
            JsFuture::from(self.0.as_ref()?.put_with_str(&address(sha256), &response)).await.ok()
        };
        put.await.is_some()
    }

    /// Removes what is kept under this hash.
    pub async fn remove(&self, sha256: &str) {
        if let Some(cache) = &self.0 {
            // If it stays, it is found to be bad the next time too.
            let _ = JsFuture::from(cache.delete_with_str(&address(sha256))).await;
        }
    }

    /// Removes every file that none of these manifests names.
    pub async fn retain(&self, manifests: &[Manifest]) {
        let named: HashSet<&str> =
            manifests.iter().flat_map(|manifest| &manifest.files).map(|file| file.sha256.as_str()).collect();
        for sha256 in self.hashes().await.unwrap_or_default() {
            if !named.contains(sha256.as_str()) {
                self.remove(&sha256).await;
            }
        }
    }

    async fn hashes(&self) -> Option<Vec<String>> {
        let requests: js_sys::Array = JsFuture::from(self.0.as_ref()?.keys()).await.ok()?.dyn_into().ok()?;
        let hash =
            |request: JsValue| Some(request.dyn_into::<Request>().ok()?.url().rsplit('/').next()?.to_string());
        Some(requests.iter().filter_map(hash).collect())
    }
}

fn address(sha256: &str) -> String {
    format!("{ADDRESS}{sha256}")
}
