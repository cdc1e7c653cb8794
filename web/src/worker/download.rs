//! Fetches a model's files, each into one buffer, and checks them before they are used.

use super::partial_file::PartialFile;
use super::progress::ProgressCounter;
use super::protocol::Progress;
use super::store::WeightStore;
use super::transfer;
use crate::error::{Error, Result};
use crate::http;
use bytes::Bytes;
use shared_model::manifest::{FileRole, Manifest, ManifestFile};
use std::collections::BTreeMap;

/// The fetched files, in the order of their roles.
#[derive(Clone)]
pub struct Fetched {
    files: Vec<(ManifestFile, Bytes)>,
    /// Whether the browser has stored all of them for the next visit.
    pub is_stored: bool,
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

/// Fetches a model's manifest, always revalidated with the server.
///
/// # Errors
/// As [`http::get`]; [`Error::UnusableModel`] if it is not a manifest.
pub async fn fetch_manifest(url: &str) -> Result<Manifest> {
    let json = http::get_text(url, Manifest::FILE_NAME).await?;
    Ok(Manifest::from_json(json.as_bytes())?)
}

/// Fetches the files of these roles. Bytes that the browser has stored are not downloaded.
///
/// # Errors
/// As [`transfer::fetch_file`] and [`PartialFile::new`].
pub async fn fetch_files(
    manifest_url: &str,
    manifest: &Manifest,
    roles: &[FileRole],
    on_progress: impl Fn(Progress),
) -> Result<Fetched> {
    let wanted = manifest.files_of(roles)?;
    let store = WeightStore::open().await;
    let mut counter = ProgressCounter::new(wanted.iter().map(|file| file.bytes).sum(), &on_progress);
    let mut fetched = Fetched { files: Vec::new(), is_stored: true };
    for file in wanted {
        let mut partial = PartialFile::new(file, &mut counter)?;
        transfer::fetch_file(&mut partial, &file_url(manifest_url, file)?, &store).await?;
        let (content, is_stored) = partial.finish(&store).await;
        fetched.is_stored &= is_stored;
        fetched.files.push((file.clone(), content.into()));
    }
    Ok(fetched)
}

/// Whether the browser has stored all files of these roles.
pub async fn are_stored(manifest: &Manifest, roles: &[FileRole]) -> bool {
    let store = WeightStore::open().await;
    let Ok(files) = manifest.files_of(roles) else { return false };
    for file in files {
        if !store.has(&file.sha256, file.bytes).await {
            return false;
        }
    }
    true
}

/// Removes stored files that no model of the server has any more. If a manifest cannot be fetched, all files stay.
pub async fn remove_unused(manifest: &Manifest, other_manifest_urls: &[String]) {
    let mut manifests = vec![manifest.clone()];
    for url in other_manifest_urls {
        let Ok(manifest) = fetch_manifest(url).await else { return };
        manifests.push(manifest);
    }
    WeightStore::open().await.retain(&manifests).await;
}

/// The URL has the hash in its query, so that no cache on the way returns another file.
fn file_url(manifest_url: &str, file: &ManifestFile) -> Result<String> {
    let name = String::from(js_sys::encode_uri_component(&file.file));
    http::resolve(&format!("{name}?v={}", file.sha256), manifest_url)
}
