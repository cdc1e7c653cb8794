//! Downloads that cannot poison the cache.
//!
//! Bytes are written to a staging folder. Only a file of the announced length and, for large files, SHA-256 moves to
//! the cache. An interrupted download stays in staging and is resumed by this process or the next. A mirror may leave
//! out most of a file's description: without a hash, a download starts over; without a length, it ends where the answer
//! does; without a tag, it is stored under its own name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use dermake_files::hash::sha256_of_file;
use hf_hub::Repo;
use hf_hub::api::Progress;
use indicatif::ProgressBar;

use super::answer::Answer;
use super::cache::ModelCache;
use super::client::{Client, Unanswered};
use super::error::{Cause, Error, Result};
use super::model_id::ModelId;
use super::retry::{Failure, RetryPolicy, retry};
use super::settings::HubSettings;
use super::target::{Target, content_range};

/// New bytes after which a broken try counts as progress.
const PROGRESS_BYTES: u64 = 1 << 20;

/// The downloads of one commit's files, by one process of this machine at a time.
pub(super) struct Downloads<'a> {
    client: &'a Client,
    model: &'a ModelId,
    cache: &'a ModelCache<'a>,
    settings: &'a HubSettings,
    policy: RetryPolicy,
    commit: &'a str,
    _lock: Option<File>,
}

impl<'a> Downloads<'a> {
    pub(super) fn begin(
        client: &'a Client,
        model: &'a ModelId,
        cache: &'a ModelCache<'a>,
        settings: &'a HubSettings,
        policy: RetryPolicy,
        commit: &'a str,
    ) -> Result<Self> {
        Ok(Self { client, model, cache, settings, policy, commit, _lock: cache.lock()? })
    }

    /// Path of `file` in the cache, downloaded if another process has not just done so.
    pub(super) fn fetch(&self, file: &str) -> Result<PathBuf> {
        retry(self.settings, self.policy, || match self.cache.whole_file(self.commit, file) {
            Some(path) => Ok(path),
            None => self.attempt(file),
        })
    }

    /// Clears away what is left in staging.
    pub(super) fn finish(self) {
        let folder = self.cache.staging().path().join(self.repo().folder_name());
        if let Err(error) = fs::remove_dir_all(&folder) {
            tracing::debug!("left-overs of the download stay in {}: {error}", folder.display());
        }
    }

    fn attempt(&self, file: &str) -> Result<PathBuf, Failure> {
        let target = self.target(file)?;
        if self.is_cached(&target) {
            return Ok(self.cache.link(&target.tag, self.commit, file)?);
        }
        let part = self.part(&target)?;
        let resumed_bytes = prepare(&part, &target)?;
        if resumed_bytes == 0 || Some(resumed_bytes) != target.size_bytes {
            self.receive(file, &target, &part, resumed_bytes)?;
        }
        check(&part, &target, file, resumed_bytes > 0)?;
        Ok(self.cache.place(&part, &target.tag, self.commit, file)?)
    }

    /// Requests the first byte; the answer's headers describe the file. A redirect of the hub may describe it, too:
    /// where it leads is not asked for content that the cache has.
    fn target(&self, file: &str) -> Result<Target, Failure> {
        let described = |answer: &Answer| Target::of(answer, self.commit, file);
        let answer = self.request(file, "bytes=0-0", |redirect| self.is_cached(&described(redirect)))?;
        if !matches!(answer.status(), 200 | 206 | 416) && !answer.is_redirect() {
            return Err(self.refusal(file, &answer));
        }
        Ok(described(&answer))
    }

    /// Returns whether the cache has this content, of this length.
    fn is_cached(&self, target: &Target) -> bool {
        let cached_bytes = size_bytes(&self.cache.blob(&target.tag));
        cached_bytes.is_some() && cached_bytes == target.size_bytes
    }

    fn request(&self, file: &str, range: &str, says_enough: impl Fn(&Answer) -> bool) -> Result<Answer, Failure> {
        let repo = self.repo();
        let url = format!("{}/{}/resolve/{}/{file}", self.settings.endpoint, repo.url(), repo.url_revision());
        let answer = self.client.get_until(&url, Some(range), says_enough);
        let answer = answer.map_err(|Unanswered { cause, is_passing }| {
            let error = Error::Download { file: file.to_owned(), is_passing, cause };
            if is_passing { Failure::passing(error) } else { Failure::from(error) }
        })?;
        if answer.is_page() && matches!(answer.status(), 200 | 206) && !file.ends_with(".html") {
            let endpoint = self.settings.endpoint.clone();
            return Err(Failure::passing(Error::Page { file: file.to_owned(), endpoint }));
        }
        Ok(answer)
    }

    /// Error of a status other than success.
    fn refusal(&self, file: &str, answer: &Answer) -> Failure {
        let status = answer.status();
        match status {
            401 | 403 => return self.settings.refused(self.model.to_string(), status).into(),
            404 => {
                let (looked_for, id) = (file.to_owned(), self.model.to_string());
                return Error::MissingFile { looked_for, id }.into();
            }
            _ => {}
        }
        let is_passing = answer.is_passing();
        let cause = answer.status_in_words(self.settings.token.is_some()).into();
        let error = Error::Download { file: file.to_owned(), is_passing, cause };
        if is_passing { Failure::passing_answer(error, answer) } else { error.into() }
    }

    /// Appends the bytes after `start` to `part`, or starts over if the server sends the whole file.
    fn receive(&self, file: &str, target: &Target, part: &Path, start: u64) -> Result<(), Failure> {
        let answer = self.request(file, &format!("bytes={start}-"), |_| false)?;
        let start = match (answer.status(), content_range(&answer)) {
            (200, _) => 0,
            (206, Some((first, _))) if first == start => start,
            // Of an empty file, no range can be had.
            (416, _) if start == 0 && target.size_bytes == Some(0) => return Ok(write(part, &[])?),
            (206 | 416, _) => {
                remove(part)?;
                let cause = "the server gives another part of the file than it was asked for".into();
                return Err(Failure::passing(Error::Download { file: file.to_owned(), is_passing: true, cause }));
            }
            _ => return Err(self.refusal(file, &answer)),
        };
        let expected_bytes =
            target.size_bytes.or_else(|| Some(start + answer.header("content-length")?.parse::<u64>().ok()?));
        let mut to =
            OpenOptions::new().create(true).write(true).truncate(start == 0).open(part).map_err(failed(part))?;
        io::Seek::seek(&mut to, io::SeekFrom::Start(start)).map_err(failed(part))?;
        let mut bar = ProgressBar::new(0);
        Progress::init(&mut bar, expected_bytes.unwrap_or_default() as usize, file);
        bar.set_position(start);
        let (received_bytes, outcome) =
            copy(answer.body(), &mut to, expected_bytes.map(|all| all - start.min(all)), &bar);
        bar.finish_and_clear();
        match outcome {
            Ok(()) => Ok(()),
            Err(Broken::Writing(source)) => Err(failed(part)(source).into()),
            Err(Broken::Reading(source)) => {
                let has_progress = received_bytes >= PROGRESS_BYTES && target.sha256.is_some();
                let cause = in_words(source);
                let error = Error::Download { file: file.to_owned(), is_passing: true, cause };
                Err(Failure::Passing { error: error.into(), retry_after: None, has_progress })
            }
        }
    }

    /// Path of the unfinished download; its folder exists.
    fn part(&self, target: &Target) -> Result<PathBuf> {
        let blob = self.cache.staging().repo(self.repo()).blob_path(&target.tag);
        let part = blob.with_file_name(format!("{}.part", target.tag));
        let folder = part.parent().unwrap_or(&part);
        fs::create_dir_all(folder).map_err(failed(folder))?;
        Ok(part)
    }

    fn repo(&self) -> Repo {
        self.model.repo(self.commit)
    }
}

/// Leaves either nothing or a part that may be resumed; returns its length.
fn prepare(part: &Path, target: &Target) -> Result<u64> {
    match (size_bytes(part), target.size_bytes, &target.sha256) {
        (Some(part_bytes), Some(size_bytes), Some(_)) if part_bytes <= size_bytes => Ok(part_bytes),
        _ => remove(part).map(|()| 0),
    }
}

/// Compares the part with what was announced. A short one is kept, one that is wrong in any other way is deleted.
fn check(part: &Path, target: &Target, file: &str, is_resumed: bool) -> Result<(), Failure> {
    let received = size_bytes(part).unwrap_or_default();
    let file = file.to_owned();
    if let Some(expected) = target.size_bytes.filter(|&expected| received < expected) {
        return Err(Failure::passing(Error::Incomplete { file, expected, received }));
    }
    let (expected, found) = match (target.size_bytes, &target.sha256) {
        (Some(expected), _) if received > expected => {
            (format!("{expected} bytes"), format!("{received} bytes or more"))
        }
        (_, Some(expected)) => (expected.clone(), sha256_of_file(part).map_err(failed(part))?),
        _ => return Ok(()),
    };
    if expected == found {
        return Ok(());
    }
    remove(part)?;
    let error = Error::Damaged { file, expected, found };
    // The fault may lie in what an earlier try had left: once more, from the start.
    Err(if is_resumed { Failure::passing(error) } else { Failure::from(error) })
}

/// The side on which a copy broke off.
enum Broken {
    Reading(io::Error),
    Writing(io::Error),
}

/// Copies until the end, or one byte past `limit`; returns how many bytes were copied.
fn copy(from: impl Read, to: &mut File, limit: Option<u64>, bar: &ProgressBar) -> (u64, Result<(), Broken>) {
    let mut from = from.take(limit.map_or(u64::MAX, |limit| limit.saturating_add(1)));
    let mut buffer = vec![0; 1 << 17];
    let mut copied_bytes = 0;
    loop {
        let n_read = match from.read(&mut buffer) {
            Ok(0) => return (copied_bytes, Ok(())),
            Ok(n_read) => n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return (copied_bytes, Err(Broken::Reading(error))),
        };
        if let Err(error) = to.write_all(&buffer[..n_read]) {
            return (copied_bytes, Err(Broken::Writing(error)));
        }
        copied_bytes += n_read as u64;
        bar.inc(n_read as u64);
    }
}

/// Describes a broken connection for people.
fn in_words(error: io::Error) -> Cause {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        Some(ureq::Error::Timeout(_)) => "nothing came for a while".into(),
        _ => error.into(),
    }
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).map_err(failed(path))
}

fn size_bytes(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len())
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
