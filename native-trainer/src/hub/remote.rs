//! A model on the hub: which commit a revision means, which files it has, and how access fails.

use std::fmt;
use std::io;
use std::time::Duration;

use hf_hub::api::RepoInfo;
use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Repo, RepoType};

use super::cache::ModelCache;
use super::download::Downloads;
use super::error::{Cause, Error, Result};
use super::names::{self, Choice};
use super::{HubSettings, ModelFiles};

/// How long the hub may take to list a model before the cached copy has to do.
const LISTING_TIMEOUT: Duration = Duration::from_secs(10);

/// `owner/name[@revision]`, checked to be safe in addresses and paths.
#[derive(Debug)]
pub(super) struct ModelId {
    pub(super) id: String,
    pub(super) revision: String,
}

impl ModelId {
    fn parse(typed: &str) -> Result<Self> {
        let (id, revision) = typed.split_once('@').unwrap_or((typed, "main"));
        let is_id = id.split('/').count() == 2 && id.split('/').all(is_plain);
        if !is_id || !revision.split('/').all(is_plain) {
            return Err(Error::ModelId { typed: typed.to_owned() });
        }
        Ok(Self { id: id.to_owned(), revision: revision.to_owned() })
    }

    /// Whether the revision is a commit, whose files can never change.
    pub(super) fn is_commit(&self) -> bool {
        self.revision.len() == 40 && self.revision.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    pub(super) fn repo(&self, revision: &str) -> Repo {
        Repo::with_revision(self.id.clone(), RepoType::Model, revision.to_owned())
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision.as_str() {
            "main" => f.write_str(&self.id),
            revision => write!(f, "{}@{revision}", self.id),
        }
    }
}

/// One component of a path or an address that needs no escaping and leads nowhere else.
pub(super) fn is_plain(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed)
}

/// Asks the hub what the revision is now and brings the cache up to it; a hub that cannot be
/// reached is no error while the cache has a copy.
pub(super) fn resolve(typed: &str, settings: &HubSettings) -> Result<ModelFiles> {
    let model = ModelId::parse(typed)?;
    let cache = ModelCache::new(&settings.cache, &model);
    if settings.offline || model.is_commit() {
        match cache.complete() {
            Some(files) => return Ok(files),
            None if settings.offline => {
                return Err(Error::NotCached { id: model.to_string(), cache: settings.cache.clone() });
            }
            None => {}
        }
    }
    let hub = Hub::new(&model, &cache, settings)?;
    match hub.listing() {
        Ok(listing) => hub.fetch(&cache, &listing),
        Err(error @ Error::Unreachable { .. }) => {
            let files = cache.complete().ok_or(error)?;
            tracing::warn!("{} cannot be used; taking the cached copy of {model}", settings.endpoint);
            Ok(files)
        }
        Err(error) => Err(error),
    }
}

struct Hub<'a> {
    api: Api,
    model: &'a ModelId,
    settings: &'a HubSettings,
}

impl<'a> Hub<'a> {
    fn new(model: &'a ModelId, cache: &ModelCache, settings: &'a HubSettings) -> Result<Self> {
        let api = ApiBuilder::from_cache(cache.staging())
            .with_endpoint(settings.endpoint.clone())
            .with_token(settings.token.clone())
            .with_user_agent("dermake", env!("CARGO_PKG_VERSION"))
            .build();
        let api = api.map_err(|cause| unreachable(model, settings, cause.into()))?;
        Ok(Self { api, model, settings })
    }

    /// The commit that the revision means, and the names of its files.
    fn listing(&self) -> Result<RepoInfo> {
        let down = |cause: Cause| unreachable(self.model, self.settings, cause);
        let request = self.api.repo(self.model.repo(&self.model.revision)).info_request();
        let request = request.config().timeout_global(Some(LISTING_TIMEOUT));
        let request = request.http_status_as_error(false).build();
        let mut response = request.call().map_err(|error| down(error.into()))?;
        if response.status() != 200 {
            let code = response.headers().get("x-error-code").and_then(|code| code.to_str().ok());
            return Err(self.refusal(response.status().as_u16(), code.unwrap_or_default()));
        }
        let listing: RepoInfo = response.body_mut().read_json().map_err(|error| down(error.into()))?;
        if is_plain(&listing.sha) { Ok(listing) } else { Err(down("its answer names no commit".into())) }
    }

    /// Brings the files of a listed commit into the cache.
    fn fetch(&self, cache: &ModelCache, listing: &RepoInfo) -> Result<ModelFiles> {
        let (commit, weights) = (&listing.sha, self.weights_of(listing)?);
        let cached = (cache.file(commit, names::CONFIG), cache.file(commit, &weights));
        let (config, weights) = if let (Some(config), Some(weights)) = cached {
            (config, weights)
        } else {
            let downloads = Downloads::begin(&self.api, self.model, cache, self.settings, commit)?;
            let paths = (downloads.fetch(names::CONFIG)?, downloads.fetch(&weights)?);
            downloads.finish();
            paths
        };
        cache.set_commit(commit)?;
        cache.files(config, weights).ok_or_else(|| self.missing(names::weights_looked_for()))
    }

    /// The listed weights to take, of a model whose configuration is listed too.
    fn weights_of(&self, listing: &RepoInfo) -> Result<String> {
        let files = listing.siblings.iter().map(|file| file.rfilename.clone());
        let names: Vec<String> = files.filter(|name| is_plain(name)).collect();
        if !names.iter().any(|name| name == names::CONFIG) {
            return Err(self.missing(names::CONFIG.to_owned()));
        }
        match names::choose_weights(&names) {
            Choice::One(name) => Ok(name),
            Choice::None => Err(self.missing(names::weights_looked_for())),
            Choice::Several(names) => Err(Error::AmbiguousWeights { names, place: self.model.to_string() }),
        }
    }

    fn missing(&self, looked_for: String) -> Error {
        Error::MissingFile { looked_for, id: self.model.to_string() }
    }

    /// What a status other than success means; the hub says more in `X-Error-Code`.
    fn refusal(&self, status: u16, code: &str) -> Error {
        match (status, code) {
            (_, "RevisionNotFound") => {
                Error::NoSuchRevision { id: self.model.id.clone(), revision: self.model.revision.clone() }
            }
            (_, "RepoNotFound") | (404, _) => Error::NoSuchModel {
                id: self.model.id.clone(),
                endpoint: self.settings.endpoint.clone(),
                hint: if self.settings.token.is_none() { " (then set HF_TOKEN)" } else { "" },
            },
            (401 | 403, _) => refused(self.model, self.settings, status),
            _ => {
                let cause = io::Error::other(format!("it answered with HTTP status {status}"));
                unreachable(self.model, self.settings, cause.into())
            }
        }
    }
}

pub(super) fn refused(model: &ModelId, settings: &HubSettings, status: u16) -> Error {
    Error::Refused {
        id: model.to_string(),
        endpoint: settings.endpoint.clone(),
        status,
        hint: match &settings.token {
            None => "; if it is private or gated, set HF_TOKEN",
            Some(_) => {
                "; the token in use may not read it: accept the model's terms on its page, or set HF_TOKEN to another"
            }
        },
    }
}

fn unreachable(model: &ModelId, settings: &HubSettings, cause: Cause) -> Error {
    Error::Unreachable {
        id: model.to_string(),
        endpoint: settings.endpoint.clone(),
        cache: settings.cache.clone(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_revisions_are_read() {
        let model = ModelId::parse("xieji-x/MAKE").unwrap();
        assert_eq!((model.id.as_str(), model.revision.as_str()), ("xieji-x/MAKE", "main"));
        let model = ModelId::parse("a/b@refs/pr/1").unwrap();
        assert_eq!(model.revision, "refs/pr/1");
        assert_eq!(model.to_string(), "a/b@refs/pr/1");
        assert!(ModelId::parse(&format!("a/b@{}", "0".repeat(40))).unwrap().is_commit());
    }

    #[test]
    fn what_could_leave_the_cache_is_refused() {
        for typed in ["", "a", "a/", "/b", "a/b/c", "../b", "a/b@", "a/b@../x", "a/b@/etc", "a b/c", "a/b?x"] {
            assert!(matches!(ModelId::parse(typed), Err(Error::ModelId { .. })), "{typed}");
        }
    }
}
