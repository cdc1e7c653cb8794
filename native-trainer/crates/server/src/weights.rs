//! A hosted model: its manifest and the files that it names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use axum::extract::Request;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use shared_model::api::HostedModel;
use shared_model::manifest::{Manifest, ManifestFile};

use super::assets::Asset;
use super::content_type;
use super::disk_file::{DiskFile, Stamp, stamp};
use super::error::{Error, HttpError, Result};
use super::headers::{IMMUTABLE, REVALIDATE};
use super::stored::{Source, StoredFile};
use dermake_models::demo_model;

/// For the same file without the hash in its address.
const MUST_REVALIDATE: &str = "public, max-age=0, must-revalidate";

/// A folder that `dermake quantize` wrote, or the demo model.
pub(super) struct Model {
    /// The folder's name, which is its name in addresses.
    pub(super) folder: String,
    pub(super) path: PathBuf,
    /// Of the manifest.
    stamp: Stamp,
    manifest: Manifest,
    /// The manifest's file.
    manifest_json: Asset,
    files: BTreeMap<String, StoredFile>,
}

/// Whether a model's files are those that its manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Whole,
    /// A file was not read since it last changed.
    Unread,
    /// A file is gone, or has another content.
    Damaged {
        file: String,
    },
}

impl Model {
    /// Reads a folder's manifest and checks the place and length of the files that it names. Their content is read by
    /// [`Self::check`]. What is known of the files of `former`, the model that this folder had, is kept.
    ///
    /// # Errors
    /// There is no manifest, it does not describe a whole model, or one of its files is not there, not of its length or
    /// not of the folder.
    pub(super) fn load(folder: &Path, former: Option<&Self>) -> Result<Self> {
        let path = folder.join(Manifest::FILE_NAME);
        if !path.is_file() {
            return Err(Error::NoManifest { path: folder.to_owned() });
        }
        let read = |source| Error::Read { path: path.clone(), source };
        let stamp = stamp(&path).map_err(read)?;
        let content = fs::read(&path).map_err(read)?;
        let real = fs::canonicalize(folder).map_err(read)?;
        let manifest = whole_manifest(&content, &path)?;
        let files = manifest.files.iter().map(|file| Ok((file.file.clone(), on_disk(file, &real, former)?)));
        let files = files.collect::<Result<_>>()?;
        let folder = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let manifest_json = Asset::new(Manifest::FILE_NAME, content, REVALIDATE);
        Ok(Self { folder, path: real, stamp, manifest, manifest_json, files })
    }

    /// The demo model, which is inside the program.
    ///
    /// # Errors
    /// As [`Model::load`], if the program itself is damaged.
    pub(super) fn carried() -> Result<Self> {
        let path = PathBuf::from(demo_model::NAME);
        let missing = |file: &str| Error::MissingFile { path: path.join(file) };
        let content = demo_model::read(Manifest::FILE_NAME).map_err(|_| missing(Manifest::FILE_NAME))?;
        let manifest = whole_manifest(&content, &path.join(Manifest::FILE_NAME))?;
        let stored = |file: &ManifestFile| {
            let bytes = demo_model::read(&file.file).map_err(|_| missing(&file.file))?;
            let (content_type, _) = content_type::of(&file.file);
            let (size_bytes, sha256) = (bytes.len() as u64, file.sha256.clone());
            let stored = StoredFile { source: Source::Memory(bytes), size_bytes, sha256, content_type };
            Ok((file.file.clone(), stored))
        };
        let files = manifest.files.iter().map(stored).collect::<Result<_>>()?;
        let manifest_json = Asset::new(Manifest::FILE_NAME, content.to_vec(), REVALIDATE);
        Ok(Self { folder: demo_model::NAME.into(), stamp: Stamp::default(), path, manifest, manifest_json, files })
    }

    /// The name that the manifest gives.
    pub(super) fn name(&self) -> &str {
        &self.manifest.name
    }

    /// Returns the model's entry of `/models`. `classify` is the address that answers with the model.
    pub(super) fn entry(&self, classify: Option<String>) -> HostedModel {
        self.entry_below("/models", classify)
    }

    /// Returns the entry of a model whose folder is below `address`.
    pub(super) fn entry_below(&self, address: &str, classify: Option<String>) -> HostedModel {
        let folder = utf8_percent_encode(&self.folder, NON_ALPHANUMERIC);
        HostedModel::new(&self.manifest, format!("{address}/{folder}/{}", Manifest::FILE_NAME), classify)
    }

    /// The manifest's content, as it was read.
    pub(super) fn manifest_json(&self) -> &[u8] {
        self.manifest_json.as_bytes()
    }

    /// The files that the manifest names.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &StoredFile)> {
        self.files.iter().map(|(name, file)| (name.as_str(), file))
    }

    /// Returns whether the manifest is the file that was read.
    pub(super) fn has_same_manifest(&self) -> bool {
        stamp(&self.path.join(Manifest::FILE_NAME)).is_ok_and(|now| now == self.stamp)
    }

    /// Returns what is known of the files, without reading them.
    pub(super) fn content(&self) -> Content {
        let mut content = Content::Whole;
        for (name, file) in &self.files {
            match file.known_hash() {
                Some(true) => {}
                Some(false) => return Content::Damaged { file: name.clone() },
                None => content = Content::Unread,
            }
        }
        content
    }

    /// Reads the files that were not read since they last changed, up to the first that is damaged.
    pub(super) fn check(&self) -> Content {
        self.files.values().all(StoredFile::has_hash);
        self.content()
    }

    /// Answers for the manifest or a file that it names.
    pub(super) async fn respond(&self, file: &str, request: Request) -> Result<Response, HttpError> {
        if file == Manifest::FILE_NAME {
            return self.manifest_json.respond(request).await;
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

/// Reads a manifest and checks that it describes a whole model.
fn whole_manifest(json: &[u8], path: &Path) -> Result<Manifest> {
    let manifest = Manifest::from_json(json).and_then(|manifest| manifest.check_whole().map(|()| manifest));
    manifest.map_err(|source| Error::Manifest { path: path.to_owned(), source })
}

/// Returns a manifest's file in `folder`, after its place and length were checked.
fn on_disk(file: &ManifestFile, folder: &Path, former: Option<&Model>) -> Result<StoredFile> {
    let path = folder.join(&file.file);
    let size_bytes = match stamp(&path) {
        Ok(stamp) if path.is_file() => stamp.size_bytes,
        _ => return Err(Error::MissingFile { path }),
    };
    // A link may not lead out of the folder.
    let real = fs::canonicalize(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    if real.parent() != Some(folder) {
        return Err(Error::Outside { file: file.file.clone(), path: folder.join(Manifest::FILE_NAME) });
    }
    if size_bytes != file.bytes {
        return Err(Error::Length { expected: file.bytes, found: size_bytes, path });
    }
    let (content_type, _) = content_type::of(&file.file);
    let known = former.and_then(|model| match &model.files.get(&file.file)?.source {
        Source::Disk(disk) if disk.is_of(&real, size_bytes, &file.sha256) => Some(disk.clone()),
        _ => None,
    });
    let disk = known.unwrap_or_else(|| DiskFile::unread(real, size_bytes, file.sha256.clone()));
    Ok(StoredFile { source: Source::Disk(disk), size_bytes, sha256: file.sha256.clone(), content_type })
}
