//! From what the user typed to model files on disk: a folder, a file, or `hf-hub:owner/name[@revision]`.
//!
//! A hub model is kept in the cache that Python's `huggingface_hub` uses, in its layout, so both
//! share one copy. [`hf_hub`] knows that layout and the hub's addresses; [`ureq`] makes the requests, so
//! that the system's certificates, proxies and mirrors count. Every byte is checked before a file takes
//! its final name, and a cached copy answers when the network is down.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod answer;
mod cache;
mod client;
pub mod demo_model;
mod download;
mod error;
mod json_service;
mod listing;
mod local;
mod model_files;
mod model_id;
mod names;
mod remote;
mod retry;
mod settings;
mod target;
mod trust;
mod whole;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use error::{Error, Result};
pub use json_service::{JsonService, NoReply, Reply};
pub use model_files::{ModelFiles, WeightsKind};
use percent_encoding::percent_decode_str;
pub use settings::{HubSettings, Proxies};
pub use trust::Bundle;

/// Prefix of a model on the hub.
const HUB_PREFIX: &str = "hf-hub:";

/// open_clip's prefix of a folder's path.
const FOLDER_PREFIX: &str = "local-dir:";

/// Finds the files of `model`, downloading them if they are on the hub and not yet in the cache.
///
/// # Errors
/// Nothing there, nothing usable there, or the hub refused, failed or could not be reached while
/// the cache has no copy.
pub fn resolve(model: &str) -> Result<ModelFiles> {
    match hub_id(model) {
        Some(id) => remote::resolve(id, &HubSettings::from_env()?),
        None => local::resolve(&local_path(model)),
    }
}

/// As [`resolve`], with settings that the caller made instead of the environment's.
pub fn resolve_with(model: &str, settings: &HubSettings) -> Result<ModelFiles> {
    match hub_id(model) {
        Some(id) => remote::resolve(id, settings),
        None => local::resolve(&local_path(model)),
    }
}

/// Returns where `model` is on this disk, whether or not there is something; `None` for a model of the hub.
pub fn path_of(model: &str) -> Option<PathBuf> {
    hub_id(model).is_none().then(|| local_path(model))
}

/// Returns the name of a model on this disk, without the folders above it: that of its folder, or of its file without the
/// extension. `None` for a model of the hub.
pub fn title_of(model: &str) -> Option<String> {
    path_of(model).map(|path| local::title(&path))
}

/// Finds files of another model, which the config of `model` names by its repository: in a folder of this name beside the
/// weights, else on the hub. Files that are not there are left out.
///
/// # Errors
/// Those of [`resolve`], for a repository of which no file is to be had.
pub fn resolve_named(model: &ModelFiles, repository: &str, names: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    resolve_named_with(model, repository, names, &HubSettings::from_env()?)
}

/// As [`resolve_named`], with settings that the caller made instead of the environment's.
pub fn resolve_named_with(
    model: &ModelFiles,
    repository: &str,
    names: &[&str],
    settings: &HubSettings,
) -> Result<BTreeMap<String, PathBuf>> {
    let folder = model.weights.parent().unwrap_or(Path::new(".")).join(repository);
    if repository.split('/').all(model_id::is_plain) && folder.is_dir() {
        return Ok(local::files_of(&folder, names.iter().copied()));
    }
    remote::resolve_named(repository, names, settings)
}

fn hub_id(model: &str) -> Option<&str> {
    let (prefix, id) = model.split_at_checked(HUB_PREFIX.len())?;
    prefix.eq_ignore_ascii_case(HUB_PREFIX).then(|| id.trim())
}

/// A path as it was typed, as open_clip spells it (`local-dir:PATH`), or as an address (`file:///PATH`).
fn local_path(typed: &str) -> PathBuf {
    if let Some(path) = typed.strip_prefix("file://").or_else(|| typed.strip_prefix("file:")) {
        let path = path.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(path);
        return PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned());
    }
    let path = typed.strip_prefix(FOLDER_PREFIX).unwrap_or(typed);
    if Path::new(path).exists() {
        return PathBuf::from(path);
    }
    settings::expand_home(path, dermake_process::host::home_dir().as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_hub_models_are_spelled_in_several_ways() {
        for typed in [
            "/a b/make",
            "local-dir:/a b/make",
            "file:///a%20b/make",
            "file:/a%20b/make",
            "file://localhost/a%20b/make",
        ] {
            assert_eq!(local_path(typed), Path::new("/a b/make"), "{typed}");
        }
        assert_eq!(hub_id("HF-Hub:ada/skin "), Some("ada/skin"));
        assert_eq!(hub_id("hf-hub"), None);
        assert_eq!(hub_id("é-hub:a/b"), None);
    }
}
