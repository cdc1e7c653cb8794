//! Weights: a model's files, streamed into one buffer each, and checked before they are used.

use super::assembly::Assembly;
use super::keep::Keep;
use super::meter::Meter;
use super::protocol::Progress;
use super::transfer;
use crate::error::{Error, Result};
use crate::http;
use bytes::Bytes;
use shared_model::manifest::{FileRole, Manifest, ManifestFile};
use std::collections::BTreeMap;

/// Files of a model in the order of their roles.
#[derive(Clone)]
pub struct Fetched {
    files: Vec<(ManifestFile, Bytes)>,
    /// Whether the browser keeps all of them for the next visit.
    pub is_kept: bool,
}

impl Fetched {
    /// Returns the file of a role that has one.
    ///
    /// # Errors
    /// [`Error::UnusableModel`] if there is none.
    pub fn file(&self, role: FileRole) -> Result<Bytes> {
        let found = self.files.iter().find(|(file, _)| file.role == role);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| Error::unusable(format!("no file of role {role:?}")))
    }

    /// Returns all files of a role by their names.
    pub fn files(&self, role: FileRole) -> BTreeMap<String, Bytes> {
        let of_role = self.files.iter().filter(|(file, _)| file.role == role);
        of_role.map(|(file, bytes)| (file.file.clone(), bytes.clone())).collect()
    }
}

/// Reads a model's manifest, asking the server each time.
///
/// # Errors
/// As [`http::get`]; [`Error::UnusableModel`] if it is none.
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
    let wanted = manifest.files_of(roles)?;
    let keep = Keep::open().await;
    let mut meter = Meter::new(wanted.iter().map(|file| file.bytes).sum(), &on_progress);
    let mut fetched = Fetched { files: Vec::new(), is_kept: true };
    for file in wanted {
        let mut assembly = Assembly::new(file, &mut meter)?;
        transfer::bring(&mut assembly, &address(manifest_url, file)?, &keep).await?;
        let (content, is_kept) = assembly.finish(&keep).await;
        fetched.is_kept &= is_kept;
        fetched.files.push((file.clone(), content.into()));
    }
    Ok(fetched)
}

/// Whether the browser keeps all files of these roles for the next visit.
pub async fn are_kept(manifest: &Manifest, roles: &[FileRole]) -> bool {
    let keep = Keep::open().await;
    let Ok(files) = manifest.files_of(roles) else { return false };
    for file in files {
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
