//! Downloads that cannot poison the cache.
//!
//! hf-hub renames whatever a connection brought to the blob's final name, so it works in a staging
//! cache here. Only a file of the announced length and, for large files, SHA-256 moves on to the
//! real one. What broke off stays in staging and is resumed, by this process or the next.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use hf_hub::Repo;
use hf_hub::api::sync::{Api, ApiError};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::HubSettings;
use super::cache::ModelCache;
use super::error::{Error, Result};
use super::remote::{self, ModelId, is_plain};

/// Tries in a row that bring nothing new before a download is given up.
const ATTEMPTS: u32 = 5;

/// The downloads of one commit's files, alone among the processes on this machine.
pub(super) struct Downloads<'a> {
    api: &'a Api,
    model: &'a ModelId,
    cache: &'a ModelCache<'a>,
    settings: &'a HubSettings,
    commit: &'a str,
    _lock: File,
}

/// What the hub says of a file before it is downloaded.
struct Target {
    etag: String,
    size_bytes: u64,
    /// Large files are tagged with their SHA-256, small ones with something only git knows.
    has_sha256: bool,
}

/// The two names that hf-hub gives a file in staging.
struct Staged {
    part: PathBuf,
    blob: PathBuf,
}

/// Whether trying again can help.
enum Failure {
    Passing(Error),
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl<'a> Downloads<'a> {
    pub(super) fn begin(
        api: &'a Api,
        model: &'a ModelId,
        cache: &'a ModelCache<'a>,
        settings: &'a HubSettings,
        commit: &'a str,
    ) -> Result<Self> {
        Ok(Self { api, model, cache, settings, commit, _lock: cache.lock()? })
    }

    /// Path of `file` in the cache, downloaded if another process has not just done so.
    pub(super) fn fetch(&self, file: &str) -> Result<PathBuf> {
        let mut attempt = 1;
        loop {
            if let Some(path) = self.cache.file(self.commit, file) {
                return Ok(path);
            }
            match self.attempt(file) {
                Ok(path) => return Ok(path),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(error)) if attempt == ATTEMPTS => return Err(error),
                Err(Failure::Passing(error)) => {
                    tracing::warn!("{error}; trying again");
                    std::thread::sleep(self.settings.retry_wait * 2_u32.pow(attempt - 1));
                    attempt += 1;
                }
            }
        }
    }

    /// Clears away what hf-hub left in staging.
    pub(super) fn finish(self) {
        let folder = self.cache.staging().path().join(self.repo().folder_name());
        if let Err(error) = fs::remove_dir_all(&folder) {
            tracing::debug!("left-overs of the download stay in {}: {error}", folder.display());
        }
    }

    fn attempt(&self, file: &str) -> Result<PathBuf, Failure> {
        let target = self.target(file)?;
        if size_bytes(&self.cache.blob(&target.etag)) == Some(target.size_bytes) {
            return Ok(self.cache.link(&target.etag, self.commit, file)?);
        }
        let staged = self.staged(&target);
        let is_resumed = staged.prepare(&target)?;
        if !staged.blob.exists() {
            let bar = ProgressBar::new(0);
            let outcome = self.api.repo(self.repo()).download_with_progress(file, bar.clone());
            bar.finish_and_clear();
            if let Err(error) = outcome {
                if status_of(&error) == Some(416) {
                    remove(&staged.part)?;
                }
                return Err(self.failure(file, error));
            }
        }
        match staged.check(&target, file)? {
            None => Ok(self.cache.place(&staged.blob, &target.etag, self.commit, file)?),
            // The fault may lie in what an earlier try had left: once more, from the start.
            Some(error) if is_resumed || matches!(error, Error::Incomplete { .. }) => Err(Failure::Passing(error)),
            Some(error) => Err(Failure::Final(error)),
        }
    }

    fn target(&self, file: &str) -> Result<Target, Failure> {
        let url = self.api.repo(self.repo()).url(file);
        let metadata = self.api.metadata(&url).map_err(|error| self.failure(file, error))?;
        let etag = metadata.etag().to_owned();
        if !is_plain(&etag) {
            let cause = io::Error::other("the hub tags it with something that is no file name");
            return Err(Error::Download { file: file.to_owned(), cause: cause.into() }.into());
        }
        let has_sha256 = etag.len() == 64 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(Target { etag, size_bytes: metadata.size() as u64, has_sha256 })
    }

    fn staged(&self, target: &Target) -> Staged {
        let blob = self.cache.staging().repo(self.repo()).blob_path(&target.etag);
        Staged { part: blob.with_extension("part"), blob }
    }

    fn repo(&self) -> Repo {
        self.model.repo(self.commit)
    }

    fn failure(&self, file: &str, error: ApiError) -> Failure {
        let is_passing = match (&error, status_of(&error)) {
            (_, Some(401 | 403)) => {
                let status = status_of(&error).unwrap_or_default();
                return remote::refused(self.model, self.settings, status).into();
            }
            (_, Some(404)) => {
                let (looked_for, id) = (file.to_owned(), self.model.to_string());
                return Error::MissingFile { looked_for, id }.into();
            }
            (_, Some(status)) => matches!(status, 408 | 416 | 429 | 500..),
            (ApiError::IoError(error), _) => {
                !matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::PermissionDenied)
            }
            (ApiError::RequestError(_), None) => true,
            _ => false,
        };
        let error = Error::Download { file: file.to_owned(), cause: error.into() };
        if is_passing { Failure::Passing(error) } else { Failure::Final(error) }
    }
}

impl Staged {
    /// Leaves either nothing, or a `part` that may be resumed, or a `blob` that may be whole.
    /// Returns whether anything was left.
    fn prepare(&self, target: &Target) -> Result<bool> {
        if self.blob.exists() {
            fs::rename(&self.blob, &self.part).map_err(failed(&self.part))?;
        }
        // hf-hub links its finished files here and takes offence at links that lead nowhere.
        if let Some(model) = self.blob.ancestors().nth(2) {
            fs::remove_dir_all(model.join("snapshots")).ok();
        }
        match size_bytes(&self.part) {
            None => Ok(false),
            Some(part) if !target.has_sha256 || part > target.size_bytes => remove(&self.part).map(|()| false),
            Some(part) if part == target.size_bytes => {
                fs::rename(&self.part, &self.blob).map_err(failed(&self.blob))?;
                Ok(true)
            }
            Some(_) => Ok(true),
        }
    }

    /// Compares the blob with what was announced. A short one is kept as the part that it is,
    /// one that is wrong in any other way is deleted.
    fn check(&self, target: &Target, file: &str) -> Result<Option<Error>> {
        let received = size_bytes(&self.blob).unwrap_or_default();
        if received < target.size_bytes {
            fs::rename(&self.blob, &self.part).map_err(failed(&self.part))?;
            let (file, expected) = (file.to_owned(), target.size_bytes);
            return Ok(Some(Error::Incomplete { file, expected, received }));
        }
        let (expected, found) = if received > target.size_bytes {
            (format!("{} bytes", target.size_bytes), format!("{received} bytes"))
        } else if target.has_sha256 {
            (target.etag.to_ascii_lowercase(), sha256(&self.blob).map_err(failed(&self.blob))?)
        } else {
            return Ok(None);
        };
        if expected == found {
            return Ok(None);
        }
        remove(&self.blob)?;
        Ok(Some(Error::Damaged { file: file.to_owned(), expected, found }))
    }
}

fn size_bytes(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len())
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut BufReader::with_capacity(1 << 20, File::open(path)?), &mut hasher)?;
    Ok(format!("{:x}", hasher.finalize()))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Cache { path: path.to_owned(), source }
}

fn status_of(error: &ApiError) -> Option<u16> {
    match error {
        ApiError::RequestError(error) => match **error {
            ureq::Error::StatusCode(status) => Some(status),
            _ => None,
        },
        _ => None,
    }
}
