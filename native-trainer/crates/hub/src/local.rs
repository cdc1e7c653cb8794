//! A model that is already on this disk: a folder or a file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shared_model::weights::ShardIndex;

use crate::demo_model;

use super::error::{Error, Result};
use super::model_files::{ModelFiles, WeightsKind};
use super::names::{self, Choice};

/// Folders of a training run, or of its `checkpoints`, that hold a checkpoint; the one to use first.
const CHECKPOINTS: [&str; 4] = ["checkpoints/best", "checkpoints/last", "best", "last"];

pub(super) fn resolve(path: &Path) -> Result<ModelFiles> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => folder(path),
        Ok(found) if found.is_file() => file(path),
        Ok(_) => {
            let source = io::Error::other("it is neither a file nor a folder; save it to a file first");
            Err(Error::Read { path: path.to_owned(), source })
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(Error::NotFound { path: path.to_owned(), hint: hub_hint(path) })
        }
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}

fn folder(path: &Path) -> Result<ModelFiles> {
    let manifest = path.join(names::MANIFEST);
    if manifest.is_file() {
        return file(&manifest);
    }
    let place = || path.display().to_string();
    let names = file_names(path)?;
    match names::choose_weights(&names) {
        Choice::One(weights) => {
            let (name, passed_over) = (folder_name(path), names::passed_over(&names, &weights));
            Ok(ModelFiles { name, passed_over, ..file(&path.join(weights))? })
        }
        Choice::Several(names) => Err(Error::AmbiguousWeights { names, place: place() }),
        Choice::None => Err(Error::NoWeights {
            looked_for: names::weights_looked_for(),
            hint: checkpoint_hint(path),
            path: path.to_owned(),
        }),
    }
}

fn file(path: &Path) -> Result<ModelFiles> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if names::CONFIGS.contains(&name) {
        return folder(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")));
    }
    let weights_kind = if name == names::MANIFEST { WeightsKind::Quantized } else { WeightsKind::Checkpoint };
    let has = |config: &&str| path.with_file_name(config).is_file();
    let configs: Vec<String> = names::CONFIGS.into_iter().filter(has).map(str::to_owned).collect();
    let config = configs.first().map(|config| path.with_file_name(config));
    let passed_over = match weights_kind {
        WeightsKind::Checkpoint => names::passed_over(&configs, name), // the weights are the ones that were named
        WeightsKind::Quantized => Vec::new(),
    };
    let companions = files_of(path.parent().unwrap_or(Path::new(".")), names::companions());
    let weights = path.to_owned();
    let (name, shards) = (file_title(path), shards(path)?);
    Ok(ModelFiles { name, config, companions, weights, weights_kind, shards, passed_over })
}

/// The files of these names that a folder has.
pub(super) fn files_of<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) -> BTreeMap<String, PathBuf> {
    let path = |name: &str| (name.to_owned(), folder.join(name));
    names.map(path).filter(|(_, path)| path.is_file()).collect()
}

/// Returns the shards, if `weights` is an index or one of several shards.
///
/// # Errors
/// An index that cannot be read, or a file that is not there.
pub(super) fn shards(weights: &Path) -> Result<Vec<PathBuf>> {
    let names = shard_names(weights)?;
    let paths: Vec<PathBuf> = names.iter().map(|name| weights.with_file_name(name)).collect();
    match paths.iter().zip(&names).find(|(path, _)| !path.is_file()) {
        None => Ok(paths),
        Some((_, missing)) => {
            Err(Error::MissingShard { missing: missing.clone(), n_shards: names.len(), path: weights.to_owned() })
        }
    }
}

/// Returns the names of the shards beside `weights`, whether they exist or not.
pub(super) fn shard_names(weights: &Path) -> Result<Vec<String>> {
    let name = weights.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !ShardIndex::is_name(name) {
        return Ok(names::shard_set(name).unwrap_or_default());
    }
    let json = fs::read(weights).map_err(|source| Error::Read { path: weights.to_owned(), source })?;
    let index = ShardIndex::from_json(&json).map_err(|source| Error::Index { path: weights.to_owned(), source })?;
    Ok(index.files().into_iter().map(str::to_owned).collect())
}

/// The name of a model's folder, or of its file.
pub(super) fn title(path: &Path) -> String {
    if path.is_dir() { folder_name(path) } else { file_title(path) }
}

/// The file's stem, or its folder's name where every model's file is called alike.
fn file_title(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name == names::MANIFEST || names::WEIGHTS.contains(&name) {
        folder_name(path.parent().unwrap_or(Path::new(".")))
    } else {
        path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The folder's own name, also when it was typed as `.`.
fn folder_name(path: &Path) -> String {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned()
}

/// Names of the files (or links to files) directly in `path`.
pub(super) fn file_names(path: &Path) -> Result<Vec<String>> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry: PathBuf = entry.map_err(failed)?.path();
        if let (true, Some(name)) = (entry.is_file(), entry.file_name()) {
            found.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// Someone who typed `owner/name`, or the address of its page, most likely meant the hub, `demos` the demo model, and an
/// architecture of open_clip weights for it.
fn hub_hint(path: &Path) -> String {
    let hint = |id: &str| format!(" (a model on the hub is written hf-hub:{id})");
    let Some(typed) = path.to_str() else { return String::new() };
    if strsim::damerau_levenshtein(&typed.to_lowercase(), demo_model::NAME) <= 1 {
        return format!("; did you mean {}?", demo_model::NAME);
    }
    let address = ["https://", "http://", "hf://"]
        .iter()
        .find_map(|scheme| typed.strip_prefix(scheme).map(|rest| (*scheme, rest)));
    let id = match address {
        Some(("hf://", id)) => Some(id),
        Some((_, rest)) => rest.split_once('/').map(|(_, id)| id),
        None => Some(typed).filter(|typed| !typed.starts_with(['.', '/', '~'])),
    };
    if typed.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("ViT-")) {
        return format!(
            " ({typed} is an architecture; a model has weights, too, such as hf-hub:laion/CLIP-ViT-B-16-laion2B-s34B-b88K)"
        );
    }
    let parts: Vec<&str> = id.unwrap_or_default().split('/').collect();
    match (&parts[..], address) {
        ([owner, name], _) | ([owner, name, ..], Some(_)) if !owner.is_empty() => hint(&format!("{owner}/{name}")),
        _ => String::new(),
    }
}

/// Someone who named a training run most likely meant its checkpoint.
fn checkpoint_hint(path: &Path) -> String {
    let found = CHECKPOINTS.iter().map(|name| path.join(name)).find(|path| path.is_dir());
    found.map(|path| format!("; did you mean {}?", path.display())).unwrap_or_default()
}
