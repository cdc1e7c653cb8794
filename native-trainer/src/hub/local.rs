//! A model that is already on this disk: a folder or a file.

use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::names::{self, Choice};
use super::{ModelFiles, WeightsKind};

pub(super) fn resolve(path: &Path) -> Result<ModelFiles> {
    if path.is_dir() {
        folder(path)
    } else if path.is_file() {
        file(path)
    } else {
        Err(Error::NotFound { path: path.to_owned(), hint: hub_hint(path) })
    }
}

fn folder(path: &Path) -> Result<ModelFiles> {
    let manifest = path.join(names::MANIFEST);
    if manifest.is_file() {
        return file(&manifest);
    }
    let place = || path.display().to_string();
    match names::choose_weights(&file_names(path)?) {
        Choice::One(name) => Ok(ModelFiles { name: folder_name(path), ..file(&path.join(name))? }),
        Choice::Several(names) => Err(Error::AmbiguousWeights { names, place: place() }),
        Choice::None => Err(Error::NoWeights { looked_for: names::weights_looked_for(), path: path.to_owned() }),
    }
}

fn file(path: &Path) -> Result<ModelFiles> {
    let is_manifest = path.file_name().is_some_and(|name| name == names::MANIFEST);
    let weights_kind = if is_manifest {
        WeightsKind::Quantized
    } else {
        names::kind_of(path).ok_or_else(|| Error::UnknownKind { path: path.to_owned() })?
    };
    let config = Some(path.with_file_name(names::CONFIG)).filter(|config| config.is_file());
    Ok(ModelFiles { name: file_title(path), config, weights: path.to_owned(), weights_kind })
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
    let full = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned()
}

/// Names of the files (or links to files) directly in `path`.
pub(super) fn file_names(path: &Path) -> Result<Vec<String>> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry: PathBuf = entry.map_err(failed)?.path();
        if let (true, Some(name)) = (entry.is_file(), entry.file_name()) {
            found.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// Someone who typed `owner/name` most likely meant the hub.
fn hub_hint(path: &Path) -> String {
    match path.to_str().filter(|typed| typed.split('/').count() == 2 && !typed.starts_with(['.', '/'])) {
        Some(typed) => format!(" (a model on the hub is written hf-hub:{typed})"),
        None => String::new(),
    }
}
