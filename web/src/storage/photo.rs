//! The photo, stored for this tab so that a reload restores it.
//!
//! The file is in Cache Storage, encrypted with a key of its own. The key is only in the tab's session storage, which the
//! browser deletes with the tab. A photo that is replaced or removed is deleted. After its tab is closed, a photo cannot
//! be decrypted, and a later visit deletes it.
//!
//! A browser that ends a page for want of memory loads it again: with its photo, it would end again. So a restored photo
//! is suspect until the page has computed something from it, and a suspect photo is not restored.

use crate::crop::Crop;
use js_sys::{Array, Date, Object, Uint8Array};
use leptos::prelude::window;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AesGcmParams, Blob, Cache, CacheStorage, CryptoKey, Request, Response, Storage, SubtleCrypto};

const NAME: &str = "dermake-photos";
/// Key of the entry in session storage.
const SESSION_KEY: &str = "dermake.photo";
/// Prefix of the URLs in Cache Storage, followed by the time in milliseconds. They are never requested.
const URL_PREFIX: &str = "kept-photo/";
/// Larger files are neither copied nor stored.
const MAX_BYTES: f64 = 64e6;
/// Older entries are of tabs that were closed.
const MAX_AGE_MILLIS: f64 = 24.0 * 3600e3;
const KEY_BYTES: usize = 32;

/// The entry in session storage.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    #[serde(alias = "address")] // its name in earlier versions
    url: String,
    key: [u8; KEY_BYTES],
    #[serde(default)]
    crop: Option<Crop>,
    #[serde(default)]
    is_suspect: bool,
}

/// What a reload finds.
pub enum Restored {
    Photo {
        photo: Blob,
        name: String,
        crop: Option<Crop>,
    },
    /// The page ended twice with the photo, which is deleted.
    GivenUp,
}

/// Copies a photo's file into memory; `None` if it cannot be read or is too large.
pub async fn copy(file: &Blob) -> Option<Blob> {
    if file.size() > MAX_BYTES {
        return None;
    }
    let content = JsFuture::from(file.array_buffer()).await.ok()?;
    Blob::new_with_buffer_source_sequence(&Array::of1(&content)).ok()
}

/// Replaces the stored photo. If the photo is not `is_current` any more when it is written, it is deleted again.
pub async fn store(file: &Blob, name: &str, is_current: impl Fn() -> bool) {
    delete().await;
    let Some(entry) = put(file, name).await else { return };
    let json = serde_json::to_string(&entry).ok().filter(|_| is_current());
    let is_stored = json.is_some_and(|json| session().is_some_and(|s| s.set_item(SESSION_KEY, &json).is_ok()));
    if !is_stored {
        delete_entry(&entry.url).await;
    }
}

/// Stores the crop with the photo of this tab, if the photo is stored.
pub fn store_crop(crop: Option<Crop>) {
    change(|entry| Entry { crop, ..entry });
}

/// Stores whether the page may have ended because of the photo of this tab, if the photo is stored.
pub fn set_suspect(is_suspect: bool) {
    change(|entry| Entry { is_suspect, ..entry });
}

fn change(new: impl FnOnce(Entry) -> Entry) {
    let Some(entry) = load() else { return };
    if let (Some(session), Ok(json)) = (session(), serde_json::to_string(&new(entry))) {
        // If storage is full, a reload finds the earlier entry.
        let _ = session.set_item(SESSION_KEY, &json);
    }
}

/// Restores the photo of this tab, with its name and its crop, and makes it suspect. Also deletes the photos of closed
/// tabs.
pub async fn restore() -> Option<Restored> {
    delete_old().await;
    let Entry { name, url, key, crop, is_suspect } = load()?;
    if is_suspect {
        delete().await;
        return Some(Restored::GivenUp);
    }
    set_suspect(true);
    let response = JsFuture::from(open().await?.match_with_str(&url)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    let encrypted: Object = JsFuture::from(response.array_buffer().ok()?).await.ok()?.dyn_into().ok()?;
    let (subtle, key) = import(&key).await?;
    let decrypted = subtle.decrypt_with_object_and_buffer_source(&cipher(), &key, &encrypted).ok()?;
    let decrypted = JsFuture::from(decrypted).await.ok()?;
    let photo = Blob::new_with_buffer_source_sequence(&Array::of1(&decrypted)).ok()?;
    Some(Restored::Photo { photo, name, crop })
}

/// Deletes the photo of this tab.
pub async fn delete() {
    let entry = load();
    if let Some(session) = session() {
        let _ = session.remove_item(SESSION_KEY);
    }
    if let Some(entry) = entry {
        delete_entry(&entry.url).await;
    }
}

async fn put(file: &Blob, name: &str) -> Option<Entry> {
    let (Some(cache), Some(_)) = (open().await, session()) else { return None };
    let key: [u8; KEY_BYTES] = random()?;
    let (subtle, imported) = import(&key).await?;
    let content: Object = JsFuture::from(file.array_buffer()).await.ok()?.dyn_into().ok()?;
    let encrypted = subtle.encrypt_with_object_and_buffer_source(&cipher(), &imported, &content).ok()?;
    let encrypted: Object = JsFuture::from(encrypted).await.ok()?.dyn_into().ok()?;
    let response = Response::new_with_opt_buffer_source(Some(&encrypted)).ok()?;
    // Two tabs may store a photo in the same millisecond.
    let url = format!("{URL_PREFIX}{:.0}-{:08x}", Date::now(), u32::from_be_bytes(random()?));
    JsFuture::from(cache.put_with_str(&url, &response)).await.ok()?;
    Some(Entry { name: name.into(), url, key, crop: None, is_suspect: false })
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    window().crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes)
}

async fn delete_entry(url: &str) {
    if let Some(cache) = open().await {
        let _ = JsFuture::from(cache.delete_with_str(url)).await;
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
    let (_, entry) = url.rsplit_once(URL_PREFIX)?;
    let stored_at: f64 = entry.split('-').next()?.parse().ok()?;
    Some(Date::now() - stored_at)
}

/// Every key is used once, so the nonce can be constant.
fn cipher() -> AesGcmParams {
    AesGcmParams::new_with_u8_array("AES-GCM", &Uint8Array::new_with_length(12))
}

/// Imports a key; `None` if the page came over plain HTTP from another machine, where browsers do not encrypt.
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
