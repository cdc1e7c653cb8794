//! A model on the hub: which commit a revision means, which files it has, and how access fails.

use std::io;
use std::path::PathBuf;

use serde::Deserialize;

use super::cache::ModelCache;
use super::client::{Answer, Client, Unanswered};
use super::download::Downloads;
use super::error::{Cause, Error, Result};
use super::model_files::ModelFiles;
use super::model_id::{ModelId, is_plain};
use super::names::{self, Choice};
use super::retry::{ATTEMPTS, Failure, retry};
use super::settings::HubSettings;
use super::{local, whole};

/// Asks the hub for the current revision and updates the cache. A hub that cannot be reached, or a cache that cannot be
/// written, is not an error if the cache has a copy.
pub(super) fn resolve(typed: &str, settings: &HubSettings) -> Result<ModelFiles> {
    let model = ModelId::parse(typed)?;
    let cache = ModelCache::new(&settings.cache, &model);
    let cached = cache.complete();
    match cached {
        Some(files) if settings.offline => {
            warn_of_cut(&files, &model);
            return Ok(files);
        }
        Some(files) if model.is_commit() && whole::are_whole(&files) => return Ok(files),
        None if settings.offline => {
            return Err(Error::NotCached { id: model.to_string(), cache: settings.cache.clone() });
        }
        _ => {}
    }
    let hub = Hub { client: Client::new(settings)?, model: &model, settings };
    // A copy is better than a long wait for a hub that is down.
    let n_attempts = if cached.is_some() { 1 } else { ATTEMPTS };
    match (hub.listing(n_attempts).and_then(|listing| hub.fetch(&cache, &listing)), cached) {
        (Err(error), Some(files)) => {
            let reason = reason_for_cache(error)?;
            tracing::warn!("taking the cached copy of {model}: {reason}");
            warn_of_cut(&files, &model);
            Ok(files)
        }
        (outcome, _) => outcome,
    }
}

/// Why the cached copy is taken, in words.
///
/// # Errors
/// The error itself, if it is not of the network or of writing to the cache.
fn reason_for_cache(error: Error) -> Result<String> {
    match error {
        Error::Unreachable { endpoint, cause, .. } => {
            Ok(format!("{endpoint} cannot be used: {:#}", anyhow::anyhow!(cause)))
        }
        error @ Error::Cache { .. } => Ok(format!("{:#}", anyhow::Error::new(error))),
        error => Err(error),
    }
}

/// Returns what to do about a truncated file in the cache, which only the hub could replace.
fn warn_of_cut(files: &ModelFiles, model: &ModelId) {
    if !whole::are_whole(files) {
        let folder = files.weights.parent().unwrap_or(&files.weights);
        tracing::warn!(
            "a cached file of {model} is cut short; run the command again once the hub can be reached, which replaces \
             it: {}",
            folder.display()
        );
    }
}

struct Hub<'a> {
    client: Client,
    model: &'a ModelId,
    settings: &'a HubSettings,
}

/// Kind of a revision.
struct Listing {
    commit: String,
    /// Those that need no escaping in an address.
    names: Vec<String>,
}

/// The hub's description of a revision; a mirror may leave out any part of it.
#[derive(Deserialize)]
struct Described {
    sha: Option<String>,
    siblings: Option<Vec<Sibling>>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

impl Hub<'_> {
    /// The commit that the revision means, and the names of its files.
    fn listing(&self, n_attempts: u32) -> Result<Listing> {
        let repo = self.model.repo(&self.model.revision);
        let url = format!("{}/api/{}", self.settings.endpoint, repo.api_url());
        retry(self.settings, n_attempts, || {
            let answer = self.client.get(&url, None).map_err(|Unanswered { cause, is_passing }| {
                let error = self.unusable(cause);
                if is_passing { Failure::passing(error) } else { Failure::from(error) }
            })?;
            if answer.status() != 200 {
                return Err(self.refusal(&answer));
            }
            self.read_listing(answer)
        })
    }

    fn read_listing(&self, answer: Answer) -> Result<Listing, Failure> {
        let is_page = answer.is_page();
        let text = answer.text().map_err(|error| Failure::passing(self.unusable(error.into())))?;
        let described: Described = match serde_json::from_slice(&text) {
            Ok(described) => described,
            Err(_) if is_page || text.trim_ascii_start().starts_with(b"<") => {
                let cause = "it answers with a web page instead of JSON, perhaps a login page of the network";
                return Err(Failure::passing(self.unusable(cause.into())));
            }
            Err(error) => return Err(self.unusable(error.into()).into()),
        };
        let lacks = |what: &str| self.unusable(format!("its description of the model lacks {what}").into());
        let commit = described.sha.filter(|sha| is_plain(sha)).ok_or_else(|| lacks("the commit (`sha`)"))?;
        let siblings = described.siblings.ok_or_else(|| lacks("the list of files (`siblings`)"))?;
        let names = siblings.into_iter().map(|file| file.rfilename).filter(|name| is_plain(name)).collect();
        Ok(Listing { commit, names })
    }

    /// Brings the files of a listed commit into the cache.
    fn fetch(&self, cache: &ModelCache, listing: &Listing) -> Result<ModelFiles> {
        let (commit, weights) = (&listing.commit, self.weights_of(listing)?);
        let cached = || cache.files(cache.file(commit, names::CONFIG)?, cache.file(commit, &weights)?).ok();
        let files = match cached().filter(whole::are_whole) {
            Some(files) => files,
            None => self.download(cache, commit, &weights)?,
        };
        // The files are there: a cache that cannot remember so costs only a look at the hub.
        if let Err(error) = cache.set_commit(commit) {
            tracing::warn!("{:#}", anyhow::Error::new(error));
        }
        Ok(files)
    }

    fn download(&self, cache: &ModelCache, commit: &str, weights: &str) -> Result<ModelFiles> {
        let downloads = Downloads::begin(&self.client, self.model, cache, self.settings, commit)?;
        let config: PathBuf = downloads.fetch(names::CONFIG)?;
        let weights = downloads.fetch(weights)?;
        for shard in local::shard_names(&weights)? {
            if !is_plain(&shard) {
                return Err(self.missing(shard));
            }
            downloads.fetch(&shard)?;
        }
        downloads.finish();
        cache.files(config, weights)
    }

    /// The listed weights to take, of a model whose configuration is listed too.
    fn weights_of(&self, listing: &Listing) -> Result<String> {
        let names = &listing.names;
        if !names.iter().any(|name| name == names::CONFIG) {
            return Err(self.missing(names::CONFIG.to_owned()));
        }
        match names::choose_weights(names) {
            Choice::One(name) => Ok(name),
            Choice::None => Err(self.missing(names::weights_looked_for())),
            Choice::Several(names) => Err(Error::AmbiguousWeights { names, place: self.model.to_string() }),
        }
    }

    fn missing(&self, looked_for: String) -> Error {
        Error::MissingFile { looked_for, id: self.model.to_string() }
    }

    /// Error of a status other than success; the hub gives details in `X-Error-Code`.
    fn refusal(&self, answer: &Answer) -> Failure {
        let status = answer.status();
        let error = match (status, answer.header("x-error-code").unwrap_or_default()) {
            (_, "RevisionNotFound") => {
                Error::NoSuchRevision { id: self.model.id.clone(), revision: self.model.revision.clone() }
            }
            (_, "RepoNotFound") | (404, _) => Error::NoSuchModel {
                id: self.model.id.clone(),
                endpoint: self.settings.endpoint.clone(),
                hint: if self.settings.token.is_none() { " (then set HF_TOKEN)" } else { "" },
            },
            (401 | 403, _) => self.settings.refused(self.model.to_string(), status),
            _ => self.unusable(io::Error::other(format!("it answered with HTTP status {status}")).into()),
        };
        match status {
            408 | 425 | 429 | 500.. => {
                Failure::Passing { error: error.into(), retry_after: answer.retry_after(), has_progress: false }
            }
            _ => Failure::from(error),
        }
    }

    fn unusable(&self, cause: Cause) -> Error {
        Error::Unreachable {
            id: self.model.to_string(),
            endpoint: self.settings.endpoint.clone(),
            cache: self.settings.cache.clone(),
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_for_the_cached_copy_does_not_deny_the_copy() {
        let (id, endpoint) = ("a/b".to_owned(), "http://hub".to_owned());
        let unreachable = Error::Unreachable { id, endpoint, cache: "/cache".into(), cause: "no network".into() };
        assert_eq!(reason_for_cache(unreachable).unwrap(), "http://hub cannot be used: no network");
        assert!(reason_for_cache(Error::NoHome).is_err());
    }
}
