//! Weights: from the browser's store or the server, streamed into one buffer each, and checked before they are used.

use super::chunks::Chunks;
use super::keep::Keep;
use super::meter::Meter;
use super::protocol::{Progress, Stage};
use crate::error::{Error, Result};
use crate::http;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use shared_model::api::{FileRole, Manifest, ManifestFile};
use web_sys::{RequestCache, Response};

/// The files asked for, in the order of their roles.
#[derive(Clone)]
pub struct Fetched {
    pub files: Vec<Bytes>,
    /// Whether the browser keeps all of them for the next visit.
    pub is_kept: bool,
}

/// Reads a model's manifest, asking the server each time.
///
/// # Errors
/// As [`http::get`]; [`Error::UnusableModel`] if it is none.
pub async fn fetch_manifest(url: &str) -> Result<Manifest> {
    let json = http::get_text(url, Manifest::FILE_NAME).await?;
    Ok(Manifest::from_json(json.as_bytes())?)
}

/// Brings the files of these roles, each from the browser's store if it is there unharmed.
///
/// # Errors
/// As [`http::get`]; [`Error::Damaged`] for a file that is not what the manifest says; [`Error::OutOfMemory`].
pub async fn fetch_files(
    manifest_url: &str,
    manifest: &Manifest,
    roles: &[FileRole],
    on_progress: impl Fn(Progress),
) -> Result<Fetched> {
    let wanted = roles.iter().map(|&role| manifest.file(role)).collect::<Result<Vec<_>, _>>()?;
    let keep = Keep::open().await;
    let mut meter = Meter::new(wanted.iter().map(|file| file.bytes).sum(), &on_progress);
    let mut fetched = Fetched { files: Vec::new(), is_kept: true };
    for file in wanted {
        let (content, is_kept) = match read_kept(&keep, file, &mut meter).await? {
            Some(content) => (content, true),
            None => {
                let content = download(manifest_url, file, &mut meter).await?;
                let is_kept = keep.put(&file.sha256, &content).await;
                (content, is_kept)
            }
        };
        fetched.is_kept &= is_kept;
        fetched.files.push(content.into());
    }
    Ok(fetched)
}

/// Removes kept files that no model on offer names any more; if one of these cannot be asked, all stay.
pub async fn forget_unnamed(manifest: &Manifest, other_manifest_urls: &[String]) {
    let mut manifests = vec![manifest.clone()];
    for url in other_manifest_urls {
        let Ok(manifest) = fetch_manifest(url).await else { return };
        manifests.push(manifest);
    }
    Keep::open().await.retain(&manifests).await;
}

async fn read_kept(keep: &Keep, file: &ManifestFile, meter: &mut Meter<'_>) -> Result<Option<Vec<u8>>> {
    let Some(response) = keep.find(&file.sha256).await else { return Ok(None) };
    let read = read_checked(&response, file, &mut meter.file(Stage::Reopen)).await;
    match read {
        Ok(content) => Ok(Some(content)),
        Err(err @ Error::OutOfMemory { .. }) => Err(err),
        Err(_) => {
            keep.remove(&file.sha256).await;
            meter.back_to_start_of_file();
            Ok(None)
        }
    }
}

async fn download(manifest_url: &str, file: &ManifestFile, meter: &mut Meter<'_>) -> Result<Vec<u8>> {
    let name = String::from(js_sys::encode_uri_component(&file.file));
    let url = http::resolve(&format!("{name}?v={}", file.sha256), manifest_url)?;
    let mut on_bytes = meter.file(Stage::Download);
    // Kept by our own store once checked: a second copy in the browser's would only take room.
    let response = http::get(&url, RequestCache::NoStore, &file.file).await?;
    read_checked(&response, file, &mut on_bytes).await
}

/// Reads a body that must have the length and hash that the manifest gives.
async fn read_checked(response: &Response, file: &ManifestFile, on_bytes: &mut dyn FnMut(u64)) -> Result<Vec<u8>> {
    let n_bytes = usize::try_from(file.bytes).map_err(|_| out_of_memory(file))?;
    let mut content: Vec<u8> = Vec::new();
    content.try_reserve_exact(n_bytes).map_err(|_| out_of_memory(file))?;
    let mut hasher = Sha256::new();
    let mut chunks = Chunks::of(response).ok_or_else(|| broken_off(file))?;
    while let Some(chunk) = chunks.next().await.map_err(|_| broken_off(file))? {
        let start = content.len();
        let end = start + chunk.length() as usize;
        if end > n_bytes {
            chunks.cancel();
            return Err(damaged(file, format!("{n_bytes} bytes"), "more".into()));
        }
        content.resize(end, 0);
        chunk.copy_to(&mut content[start..]);
        hasher.update(&content[start..]);
        on_bytes(chunk.length().into());
    }
    if content.len() != n_bytes {
        return Err(damaged(file, format!("{n_bytes} bytes"), content.len().to_string()));
    }
    let sha256 = format!("{:x}", hasher.finalize());
    if sha256 != file.sha256 {
        return Err(damaged(file, format!("SHA-256 {}", short(&file.sha256)), short(&sha256)));
    }
    Ok(content)
}

fn out_of_memory(file: &ManifestFile) -> Error {
    Error::OutOfMemory { what: format!("{} ({:.0} MB)", file.file, file.bytes as f64 / 1e6) }
}

fn broken_off(file: &ManifestFile) -> Error {
    Error::Unreachable { what: format!("all of {}", file.file) }
}

fn damaged(file: &ManifestFile, expected: String, found: String) -> Error {
    Error::Damaged { what: file.file.clone(), expected, found }
}

/// As much of a hash as a person compares.
fn short(sha256: &str) -> String {
    format!("{}…", &sha256[..8])
}
