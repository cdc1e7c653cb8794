//! A hosted model: its manifest and the files that it names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use axum::extract::Request;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use shared_model::labels::LabelSet;
use shared_model::text_file;

use super::assets::Asset;
use super::content_type;
use super::error::{Error, HttpError, Result};
use super::headers::{IMMUTABLE, REVALIDATE};
use super::stored::{Source, StoredFile};
use dermake_models::demo_model;

pub(super) const MANIFEST: &str = "manifest.json";

/// For the same file without the hash in its address.
const MUST_REVALIDATE: &str = "public, max-age=0, must-revalidate";

/// The part of a manifest that the server uses.
#[derive(Deserialize)]
struct Manifest {
    name: Option<String>,
    trained: Option<bool>,
    notice: Option<String>,
    weight_format: Option<String>,
    #[serde(default)]
    label_sets: Vec<LabelSet>,
    files: Vec<ManifestFile>,
}

/// A file of a model, with its role.
#[derive(Deserialize, Serialize)]
struct ManifestFile {
    role: Option<String>,
    file: String,
    bytes: u64,
    sha256: String,
}

/// A hosted model in the answer of `/models`.
#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) name: String,
    /// Its address.
    manifest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trained: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_format: Option<String>,
    files: Vec<ManifestFile>,
    label_sets: Vec<ListedLabels>,
}

/// A label set without its class names.
#[derive(Serialize)]
struct ListedLabels {
    key: String,
    title: String,
    n_labels: usize,
}

/// Time and length of a manifest, to notice changes.
pub(super) type Stamp = (Option<SystemTime>, u64);

/// A folder that `dermake quantize` wrote, or the demo model.
pub(super) struct Model {
    /// The folder's name, which is its name in addresses.
    pub(super) folder: String,
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    pub(super) listed: Listed,
    manifest: Asset,
    files: BTreeMap<String, StoredFile>,
}

impl Model {
    /// Reads a folder's manifest and checks the files that it names.
    ///
    /// # Errors
    /// There is no manifest, or one of its files is not there, not of its length or not of the folder.
    pub(super) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        if !path.is_file() {
            return Err(Error::NoManifest { path: folder.to_owned() });
        }
        let read = |source| Error::Read { path: path.clone(), source };
        let stamp = stamp(&path).map_err(read)?;
        let content = fs::read(&path).map_err(read)?;
        let real = fs::canonicalize(folder).map_err(read)?;
        let json = text_file::decode(&content).map_err(|source| Error::Text { path: path.clone(), source })?;
        let manifest: Manifest =
            serde_json::from_str(json).map_err(|source| Error::Manifest { path: path.clone(), source })?;
        let files = manifest.files.iter().map(|file| Ok((file.file.clone(), file.check(&real)?)));
        let files = files.collect::<Result<_>>()?;
        let folder = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let listed = manifest.listed(&folder);
        Ok(Self { folder, path: real, stamp, listed, manifest: Asset::new(MANIFEST, content, REVALIDATE), files })
    }

    /// The demo model, which is inside the program.
    ///
    /// # Errors
    /// As [`Model::load`], if the program itself is damaged.
    pub(super) fn carried() -> Result<Self> {
        let path = PathBuf::from(demo_model::NAME);
        let missing = |file: &str| Error::MissingFile { path: path.join(file) };
        let content = demo_model::read(MANIFEST).map_err(|_| missing(MANIFEST))?;
        let manifest: Manifest = serde_json::from_slice(&content)
            .map_err(|source| Error::Manifest { path: path.join(MANIFEST), source })?;
        let stored = |file: &ManifestFile| {
            let bytes = demo_model::read(&file.file).map_err(|_| missing(&file.file))?;
            let (content_type, _) = content_type::of(&file.file);
            let (size_bytes, sha256) = (bytes.len() as u64, file.sha256.clone());
            let stored = StoredFile { source: Source::Memory(bytes), size_bytes, sha256, content_type };
            Ok((file.file.clone(), stored))
        };
        let files = manifest.files.iter().map(stored).collect::<Result<_>>()?;
        let listed = manifest.listed(demo_model::NAME);
        let manifest = Asset::new(MANIFEST, content.to_vec(), REVALIDATE);
        Ok(Self { folder: demo_model::NAME.into(), stamp: (None, 0), path, listed, manifest, files })
    }

    /// Answers for the manifest or a file that it names.
    pub(super) async fn respond(&self, file: &str, request: Request) -> Result<Response, HttpError> {
        if file == MANIFEST {
            return self.manifest.respond(request).await;
        }
        let stored = self.files.get(file).ok_or(HttpError::NotFound)?;
        let is_versioned = request
            .uri()
            .query()
            .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("v=")))
            .is_some_and(|version| version.eq_ignore_ascii_case(&stored.sha256));
        let cache_control = if is_versioned { IMMUTABLE } else { MUST_REVALIDATE };
        stored.respond(cache_control, request).await
    }
}

/// Of a manifest.
pub(super) fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.modified().ok(), metadata.len()))
}

impl Manifest {
    fn listed(self, folder: &str) -> Listed {
        let labels =
            |set: LabelSet| ListedLabels { key: set.key, title: set.title, n_labels: set.class_names.len() };
        Listed {
            name: self.name.unwrap_or_else(|| folder.to_owned()),
            manifest: format!("/models/{}/{MANIFEST}", utf8_percent_encode(folder, NON_ALPHANUMERIC)),
            trained: self.trained,
            notice: self.notice,
            weight_format: self.weight_format,
            files: self.files,
            label_sets: self.label_sets.into_iter().map(labels).collect(),
        }
    }
}

impl ManifestFile {
    /// Returns the file on disk, after its name, place and length were checked.
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
        Ok(StoredFile { source: Source::Disk(real), size_bytes: found, sha256, content_type })
    }
}
