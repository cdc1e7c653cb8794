//! A model on the hub: which commit a revision means, which files it has, and how access fails.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::answer::Answer;
use super::cache::ModelCache;
use super::client::{Client, Unanswered};
use super::download::Downloads;
use super::error::{Cause, Error, Result};
use super::listing::{Described, Listing};
use super::model_files::ModelFiles;
use super::model_id::{ModelId, is_plain};
use super::names::{self, Choice};
use super::retry::{Failure, RetryPolicy, retry};
use super::settings::HubSettings;
use super::{local, whole};

/// Asks the hub for the current revision and updates the cache. A hub that cannot be reached, a download that breaks
/// off, or a cache that cannot be written, is not an error if the cache has a copy.
pub(super) fn resolve(typed: &str, settings: &HubSettings) -> Result<ModelFiles> {
    let model = ModelId::parse(typed)?;
    let cache = ModelCache::new(&settings.cache, &model);
    let files = cache.complete();
    let is_complete = files.as_ref().is_some_and(|files| whole::are_whole(files) && !files.may_lack_companions());
    let cached = Cached { files, is_complete };
    let files = bring(&model, settings, cached, |hub, listing| hub.fetch(&cache, listing))?;
    warn_of_cut(&files, &model);
    Ok(files)
}

/// As [`resolve`], of a repository that need not have weights: those of its files that `names` has.
pub(super) fn resolve_named(
    typed: &str,
    names: &[&str],
    settings: &HubSettings,
) -> Result<BTreeMap<String, PathBuf>> {
    let model = ModelId::parse(typed)?;
    let cache = ModelCache::new(&settings.cache, &model);
    let files = cache.some_of(names);
    let is_complete = files.as_ref().is_some_and(|files| {
        names.iter().all(|name| files.contains_key(*name)) && files.values().all(|path| whole::is_whole(path))
    });
    bring(&model, settings, Cached { files, is_complete }, |hub, listing| hub.fetch_named(&cache, listing, names))
}

/// What the cache has of a model.
struct Cached<T> {
    files: Option<T>,
    /// Whether no file is cut short and none can be missing, so that a commit has nothing more.
    is_complete: bool,
}

/// Returns the files from the hub, or the cache's where the hub is not asked or cannot be reached.
fn bring<T>(
    model: &ModelId,
    settings: &HubSettings,
    Cached { files: cached, is_complete }: Cached<T>,
    fetch: impl FnOnce(&Hub, &Listing) -> Result<T>,
) -> Result<T> {
    match cached {
        Some(files) if settings.offline || (model.is_commit() && is_complete) => return Ok(files),
        None if settings.offline => {
            return Err(Error::NotCached { id: model.to_string(), cache: settings.cache.clone() });
        }
        _ => {}
    }
    let hub = Hub { client: Client::new(settings)?, model, settings, has_copy: cached.is_some() };
    match (hub.listing().and_then(|listing| fetch(&hub, &listing)), cached) {
        (Err(error), Some(files)) => {
            let reason = reason_for_cache(error)?;
            tracing::warn!("taking the cached copy of {model}: {reason}");
            Ok(files)
        }
        (outcome, _) => outcome,
    }
}

/// Why the cached copy is taken, in words.
///
/// # Errors
/// The error itself, if it is not of the network, of a download that may succeed later, or of writing to the cache.
fn reason_for_cache(error: Error) -> Result<String> {
    match error {
        Error::Unreachable { endpoint, cause, .. } => {
            Ok(format!("{endpoint} cannot be used: {:#}", anyhow::anyhow!(cause)))
        }
        error if matches!(error, Error::Cache { .. }) || error.is_of_passing_download() => {
            Ok(format!("{:#}", anyhow::Error::new(error)))
        }
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
    /// Whether the cache has a copy, which is better than a long wait for a hub that is down.
    has_copy: bool,
}

impl Hub<'_> {
    /// The commit that the revision means, and the names of its files.
    fn listing(&self) -> Result<Listing> {
        let repo = self.model.repo(&self.model.revision);
        let url = format!("{}/api/{}", self.settings.endpoint, repo.api_url());
        let policy = if self.has_copy { RetryPolicy::NO_RETRY } else { RetryPolicy::LONG_WAITS };
        retry(self.settings, policy, || {
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
        let (commit, config, weights) = (&listing.commit, self.config_of(listing)?, self.weights_of(listing)?);
        let cached = || cache.files(cache.file(commit, config)?, cache.file(commit, &weights)?).ok();
        let has_companions = |files: &ModelFiles| {
            let wanted = files.config.as_deref().map(|config| listing.companions(config)).unwrap_or_default();
            wanted.iter().all(|name| files.companions.contains_key(*name))
        };
        let files = match cached().filter(|files| whole::are_whole(files) && has_companions(files)) {
            Some(files) => files,
            None => self.download(cache, listing, config, &weights)?,
        };
        remember(cache, commit);
        Ok(ModelFiles { passed_over: names::passed_over(&listing.names, &weights), ..files })
    }

    /// Downloads the named files of a listed commit into the cache, except those that it does not have.
    fn fetch_named(
        &self,
        cache: &ModelCache,
        listing: &Listing,
        names: &[&str],
    ) -> Result<BTreeMap<String, PathBuf>> {
        let commit = &listing.commit;
        let downloads = self.downloads(cache, commit)?;
        let listed = names.iter().filter(|name| listing.has(name));
        let files = listed.map(|name| Ok((name.to_string(), downloads.fetch(name)?)));
        let files = files.collect::<Result<BTreeMap<_, _>>>()?;
        downloads.finish();
        if files.is_empty() {
            return Err(self.missing(names.join(", ")));
        }
        remember(cache, commit);
        Ok(files)
    }

    fn download(&self, cache: &ModelCache, listing: &Listing, config: &str, weights: &str) -> Result<ModelFiles> {
        let downloads = self.downloads(cache, &listing.commit)?;
        let config: PathBuf = downloads.fetch(config)?;
        for name in listing.companions(&config) {
            downloads.fetch(name)?;
        }
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

    fn downloads<'a>(&'a self, cache: &'a ModelCache, commit: &'a str) -> Result<Downloads<'a>> {
        let policy = if self.has_copy { RetryPolicy::SHORT_WAITS } else { RetryPolicy::LONG_WAITS };
        Downloads::begin(&self.client, self.model, cache, self.settings, policy, commit)
    }

    /// The listed configuration to take.
    fn config_of(&self, listing: &Listing) -> Result<&'static str> {
        let listed = names::CONFIGS.into_iter().find(|name| listing.has(name));
        listed.ok_or_else(|| self.missing(names::CONFIGS.join(" or ")))
    }

    /// The listed weights to take.
    fn weights_of(&self, listing: &Listing) -> Result<String> {
        match names::choose_weights(&listing.names) {
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
            _ => {
                let status = answer.status_in_words(self.settings.token.is_some());
                self.unusable(format!("it answered with {status}").into())
            }
        };
        if answer.is_passing() { Failure::passing_answer(error, answer) } else { error.into() }
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

/// Stores in the cache which commit the revision means now. The files are there, so a failure costs only a request later.
fn remember(cache: &ModelCache, commit: &str) {
    if let Err(error) = cache.set_commit(commit) {
        tracing::warn!("{:#}", anyhow::Error::new(error));
    }
}

#[cfg(test)]
mod tests;
