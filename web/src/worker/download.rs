//! Weights: a model's files, streamed into one buffer each, and checked before they are used.

use super::assembly::Assembly;
use super::keep::Keep;
use super::meter::Meter;
use super::protocol::Progress;
use super::transfer;
use crate::error::Result;
use crate::http;
use bytes::Bytes;
use shared_model::manifest::{FileRole, Manifest, ManifestFile};

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
/// As [`http::get`]; [`crate::error::Error::UnusableModel`] if it is none.
pub async fn fetch_manifest(url: &str) -> Result<Manifest> {
    let json = http::get_text(url, Manifest::FILE_NAME).await?;
    Ok(Manifest::from_json(json.as_bytes())?)
}

/// Brings the files of these roles, each as far as it is there from the browser's store.
///
/// # Errors
/// As [`transfer::bring`] and [`Assembly::new`].
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
        let mut assembly = Assembly::new(file, &mut meter)?;
        transfer::bring(&mut assembly, &address(manifest_url, file)?, &keep).await?;
        let (content, is_kept) = assembly.finish(&keep).await;
        fetched.is_kept &= is_kept;
        fetched.files.push(content.into());
    }
    Ok(fetched)
}

/// Whether the browser keeps all files of these roles for the next visit.
pub async fn are_kept(manifest: &Manifest, roles: &[FileRole]) -> bool {
    let keep = Keep::open().await;
    for &role in roles {
        let Ok(file) = manifest.file(role) else { return false };
        if !keep.has(&file.sha256, file.bytes).await {
            return false;
        }
    }
    true
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

/// The address has the hash in it, so that no cache on the way answers with another file.
fn address(manifest_url: &str, file: &ManifestFile) -> Result<String> {
    let name = String::from(js_sys::encode_uri_component(&file.file));
    http::resolve(&format!("{name}?v={}", file.sha256), manifest_url)
}
