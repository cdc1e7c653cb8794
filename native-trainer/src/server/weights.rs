//! The hosted models: their manifests, and the weights that these name.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use axum::extract::Request;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::assets::{Asset, REVALIDATE};
use super::content_type;
use super::error::{Error, HttpError, Result};
use super::stored::StoredFile;

const MANIFEST: &str = "manifest.json";

/// For an address that carries the content's hash: what is there can never be anything else.
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// For the same file under its bare name.
const MUST_REVALIDATE: &str = "public, max-age=0, must-revalidate";

/// What the server needs to know of a manifest; the rest is between the writer and the page.
#[derive(Deserialize)]
struct Manifest {
    name: Option<String>,
    files: Vec<ManifestFile>,
}

#[derive(Deserialize)]
struct ManifestFile {
    file: String,
    bytes: u64,
    sha256: String,
}

/// One line of `/models`.
#[derive(Debug, Serialize)]
pub(super) struct Listed<'a> {
    name: &'a str,
    manifest: String,
}

struct Model {
    /// The folder's name, which is its name in addresses.
    folder: String,
    name: String,
    manifest: Asset,
    files: BTreeMap<String, StoredFile>,
}

/// The hosted models, in the order they were given.
pub(super) struct Models(Vec<Model>);

impl Models {
    pub(super) fn load(paths: &[PathBuf]) -> Result<Self> {
        let models: Vec<_> = paths.iter().map(|path| Model::load(path)).collect::<Result<_>>()?;
        let mut names = HashSet::new();
        match models.iter().find(|model| !names.insert(&model.folder)) {
            Some(twin) => Err(Error::SameName { name: twin.folder.clone() }),
            None => Ok(Self(models)),
        }
    }

    pub(super) fn list(&self) -> Vec<Listed<'_>> {
        let listed = self.0.iter().map(|model| Listed {
            name: &model.name,
            manifest: format!("/models/{}/{MANIFEST}", utf8_percent_encode(&model.folder, NON_ALPHANUMERIC)),
        });
        listed.collect()
    }

    pub(super) async fn respond(&self, folder: &str, file: &str, request: Request) -> Result<Response, HttpError> {
        let model = self.0.iter().find(|model| model.folder == folder).ok_or(HttpError::NotFound)?;
        if file == MANIFEST {
            return model.manifest.respond(request).await;
        }
        let stored = model.files.get(file).ok_or(HttpError::NotFound)?;
        let is_versioned = request
            .uri()
            .query()
            .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("v=")))
            .is_some_and(|version| version.eq_ignore_ascii_case(&stored.sha256));
        let cache_control = if is_versioned { IMMUTABLE } else { MUST_REVALIDATE };
        stored.respond(cache_control, request).await
    }
}

impl Model {
    fn load(path: &Path) -> Result<Self> {
        let is_manifest = path.file_name().is_some_and(|name| name == MANIFEST);
        let typed = if is_manifest { path.with_file_name("") } else { path.to_owned() };
        let typed = if typed.as_os_str().is_empty() { PathBuf::from(".") } else { typed };
        let path = typed.join(MANIFEST);
        if !path.is_file() {
            return Err(Error::NoManifest { path: typed });
        }
        let read = |source| Error::Read { path: path.clone(), source };
        let content = fs::read(&path).map_err(read)?;
        let folder_path = fs::canonicalize(&typed).map_err(read)?;
        let manifest: Manifest =
            serde_json::from_slice(&content).map_err(|source| Error::Manifest { path: path.clone(), source })?;
        let files = manifest.files.into_iter().map(|file| {
            let stored = file.check(&folder_path)?;
            Ok((file.file, stored))
        });
        let files = files.collect::<Result<_>>()?;
        let folder = folder_path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = manifest.name.unwrap_or_else(|| folder.clone());
        Ok(Self { folder, name, manifest: Asset::new(MANIFEST, content, REVALIDATE), files })
    }
}

impl ManifestFile {
    /// The file on disk, after its name, place and length are found in order.
    fn check(&self, folder: &Path) -> Result<StoredFile> {
        let path = folder.join(&self.file);
        let outside = || Error::Outside { file: self.file.clone(), path: folder.join(MANIFEST) };
        let mut components = Path::new(&self.file).components();
        if !matches!((components.next(), components.next()), (Some(Component::Normal(_)), None)) {
            return Err(outside());
        }
        let sha256 = self.sha256.to_ascii_lowercase();
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let (file, path) = (self.file.clone(), folder.join(MANIFEST));
            return Err(Error::NotAHash { file, sha256, path });
        }
        let found = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            _ => return Err(Error::MissingFile { path }),
        };
        // A link may not lead out of the folder either.
        let real = fs::canonicalize(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        if real.parent() != Some(folder) {
            return Err(outside());
        }
        if found != self.bytes {
            return Err(Error::Length { expected: self.bytes, found, path });
        }
        let (content_type, _) = content_type::of(&self.file);
        Ok(StoredFile { path: real, size_bytes: found, sha256, content_type })
    }
}
