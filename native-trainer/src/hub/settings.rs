//! The hub's address, token and cache, from the same environment variables as `huggingface_hub`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{Error, Result};
use crate::text_file;

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// How to reach the hub and where to keep what it gives.
///
/// Without `Debug`, so that the token stays out of logs.
#[derive(Clone)]
pub struct HubSettings {
    /// Address without a slash at its end: `HF_ENDPOINT`.
    pub endpoint: String,
    /// Root of the cache: `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else in `~/.cache/huggingface`.
    pub cache: PathBuf,
    /// `HF_TOKEN`, else what `hf auth login` left in `HF_TOKEN_PATH` or in `token` in `HF_HOME`.
    pub token: Option<String>,
    /// `HF_HUB_OFFLINE`: ask the cache only.
    pub offline: bool,
    /// The first wait before a broken download is taken up again; it doubles each time.
    pub retry_wait: Duration,
}

impl HubSettings {
    /// Reads the environment.
    ///
    /// # Errors
    /// No variable and no home directory says where the cache is.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok(), std::env::home_dir())
    }

    /// Reads variables from `lookup`; an empty one counts as unset.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>, home: Option<PathBuf>) -> Result<Self> {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let path = |name: &str| get(name).map(|value| expand_home(&value, home.as_deref()));
        let hf_home = path("HF_HOME")
            .or_else(|| path("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
            .or_else(|| home.as_ref().map(|home| home.join(".cache/huggingface")));
        let cache = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| hf_home.as_ref().map(|hf_home| hf_home.join("hub")))
            .ok_or(Error::NoHome)?;
        let token_path = path("HF_TOKEN_PATH").or_else(|| Some(hf_home?.join("token")));
        let token = get("HF_TOKEN")
            .or_else(|| get("HUGGING_FACE_HUB_TOKEN"))
            .or_else(|| text_file::read(&token_path?).ok())
            .map(|token| token.trim().to_owned())
            .filter(|token| !token.is_empty());
        let endpoint = get("HF_ENDPOINT").unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        Ok(Self {
            endpoint: endpoint.trim().trim_end_matches('/').to_owned(),
            cache: std::path::absolute(&cache).map_err(|source| Error::Cache { path: cache, source })?,
            token,
            offline: get("HF_HUB_OFFLINE").is_some_and(|value| is_true(&value)),
            retry_wait: Duration::from_millis(500),
        })
    }
}

fn expand_home(value: &str, home: Option<&Path>) -> PathBuf {
    match (value.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(value),
    }
}

fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&value.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> HubSettings {
        let lookup =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        HubSettings::from_lookup(lookup, Some("/home/ada".into())).unwrap()
    }

    #[test]
    fn defaults_are_the_public_hub_and_the_home_cache() {
        let defaults = settings(&[("HF_TOKEN", " "), ("HF_ENDPOINT", "")]);
        assert_eq!(defaults.endpoint, "https://huggingface.co");
        assert_eq!(defaults.cache, Path::new("/home/ada/.cache/huggingface/hub"));
        assert!(defaults.token.is_none() && !defaults.offline);
    }

    #[test]
    fn the_nearer_variable_wins() {
        let cache = |variables: &[(&str, &str)]| settings(variables).cache;
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "~/h")]), Path::new("/home/ada/h/hub"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/c")]), Path::new("/c"));
        assert_eq!(settings(&[("HF_ENDPOINT", "http://mirror/ ")]).endpoint, "http://mirror");
        assert!(settings(&[("HF_HUB_OFFLINE", "YES")]).offline);
        assert!(!settings(&[("HF_HUB_OFFLINE", "0")]).offline);
    }

    #[test]
    fn the_token_comes_from_the_environment_or_its_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        let home = folder.path().to_str().unwrap();
        assert_eq!(settings(&[("HF_HOME", home)]).token.as_deref(), Some("hf_file"));
        let both = settings(&[("HF_HOME", home), ("HF_TOKEN", "hf_env")]);
        assert_eq!(both.token.as_deref(), Some("hf_env"));
    }

    #[test]
    fn nowhere_to_keep_downloads_is_an_error() {
        assert!(matches!(HubSettings::from_lookup(|_| None, None), Err(Error::NoHome)));
    }
}
