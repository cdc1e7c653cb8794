//! The chosen photo, kept for this tab so that it is there again when the page is loaded again.
//!
//! Its file lies in Cache Storage, encrypted under a key of its own; the key is only in the tab's session storage, which
//! the browser drops with the tab. A photo that is replaced or removed is deleted; one whose tab was closed cannot be
//! read any more, and is deleted by a later visit.

use js_sys::{Array, Date, Object, Uint8Array};
use leptos::prelude::window;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AesGcmParams, Blob, Cache, CacheStorage, CryptoKey, Request, Response, Storage, SubtleCrypto};

const NAME: &str = "dermake-photos";
/// In session storage.
const SESSION_KEY: &str = "dermake.photo";
/// What an entry's address begins with, before the time in milliseconds; nothing is ever asked for there.
const ADDRESS: &str = "kept-photo/";
/// A larger file is neither copied nor kept.
const MAX_BYTES: f64 = 64e6;
/// After that, an entry is of a tab that was closed.
const MAX_AGE_MILLIS: f64 = 24.0 * 3600e3;
const KEY_BYTES: usize = 32;

/// What the tab knows of its photo.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    address: String,
    key: [u8; KEY_BYTES],
}

/// A photo's file in the browser's memory; `None` where it cannot be read or is too large.
pub async fn copy(file: &Blob) -> Option<Blob> {
    if file.size() > MAX_BYTES {
        return None;
    }
    let content = JsFuture::from(file.array_buffer()).await.ok()?;
    Blob::new_with_buffer_source_sequence(&Array::of1(&content)).ok()
}

/// Keeps a photo in the place of the one before. If it `is_shown` no longer by then, it is deleted again.
pub async fn keep(file: &Blob, name: &str, is_shown: impl Fn() -> bool) {
    forget().await;
    let Some(entry) = put(file, name).await else { return };
    let json = serde_json::to_string(&entry).ok().filter(|_| is_shown());
    let is_kept = json.is_some_and(|json| session().is_some_and(|s| s.set_item(SESSION_KEY, &json).is_ok()));
    if !is_kept {
        delete(&entry.address).await;
    }
}

/// The photo that this tab kept, with its name. Also deletes what closed tabs have left.
pub async fn restore() -> Option<(Blob, String)> {
    delete_old().await;
    let Entry { name, address, key } = load()?;
    let response = JsFuture::from(open().await?.match_with_str(&address)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    let sealed: Object = JsFuture::from(response.array_buffer().ok()?).await.ok()?.dyn_into().ok()?;
    let (subtle, key) = import(&key).await?;
    let opened = subtle.decrypt_with_object_and_buffer_source(&cipher(), &key, &sealed).ok()?;
    let opened = JsFuture::from(opened).await.ok()?;
    Some((Blob::new_with_buffer_source_sequence(&Array::of1(&opened)).ok()?, name))
}

/// Deletes the photo that this tab kept.
pub async fn forget() {
    let entry = load();
    if let Some(session) = session() {
        let _ = session.remove_item(SESSION_KEY);
    }
    if let Some(entry) = entry {
        delete(&entry.address).await;
    }
}

async fn put(file: &Blob, name: &str) -> Option<Entry> {
    let (Some(cache), Some(_)) = (open().await, session()) else { return None };
    let key: [u8; KEY_BYTES] = random()?;
    let (subtle, imported) = import(&key).await?;
    let content: Object = JsFuture::from(file.array_buffer()).await.ok()?.dyn_into().ok()?;
    let sealed = subtle.encrypt_with_object_and_buffer_source(&cipher(), &imported, &content).ok()?;
    let sealed: Object = JsFuture::from(sealed).await.ok()?.dyn_into().ok()?;
    let response = Response::new_with_opt_buffer_source(Some(&sealed)).ok()?;
    // Two tabs may keep a photo in the same millisecond.
    let address = format!("{ADDRESS}{:.0}-{:08x}", Date::now(), u32::from_be_bytes(random()?));
    JsFuture::from(cache.put_with_str(&address, &response)).await.ok()?;
    Some(Entry { name: name.into(), address, key })
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    window().crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes)
}

async fn delete(address: &str) {
    if let Some(cache) = open().await {
        let _ = JsFuture::from(cache.delete_with_str(address)).await;
    }
}

async fn delete_old() {
    let Some(cache) = open().await else { return };
    let Ok(requests) = JsFuture::from(cache.keys()).await else { return };
    for request in Array::from(&requests).iter().filter_map(|request| request.dyn_into::<Request>().ok()) {
        if age_millis(&request.url()).is_none_or(|age| age > MAX_AGE_MILLIS) {
            let _ = JsFuture::from(cache.delete_with_request(&request)).await;
        }
    }
}

fn age_millis(url: &str) -> Option<f64> {
    let (_, entry) = url.rsplit_once(ADDRESS)?;
    let kept_at: f64 = entry.split('-').next()?.parse().ok()?;
    Some(Date::now() - kept_at)
}

/// A key is used once, so the nonce may always be the same.
fn cipher() -> AesGcmParams {
    AesGcmParams::new_with_u8_array("AES-GCM", &Uint8Array::new_with_length(12))
}

/// `None` where the page came over plain HTTP from another machine: browsers encrypt nothing there.
async fn import(key: &[u8]) -> Option<(SubtleCrypto, CryptoKey)> {
    let subtle = window().crypto().ok()?.subtle();
    let usages = Array::of2(&"encrypt".into(), &"decrypt".into());
    let key = subtle.import_key_with_str("raw", &Uint8Array::from(key), "AES-GCM", false, &usages).ok()?;
    Some((subtle, JsFuture::from(key).await.ok()?.dyn_into().ok()?))
}

async fn open() -> Option<Cache> {
    let caches: CacheStorage = window().caches().ok()?;
    if caches.is_undefined() {
        return None;
    }
    JsFuture::from(caches.open(NAME)).await.ok()?.dyn_into().ok()
}

fn load() -> Option<Entry> {
    serde_json::from_str(&session()?.get_item(SESSION_KEY).ok()??).ok()
}

fn session() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
