//! The hub's address, token and cache, from the environment variables of `huggingface_hub`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;

use super::error::{Error, Result};
use super::trust::{self, Bundle};
use dermake_files::text_file;
use dermake_process::host;

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// As `huggingface_hub` has it.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How to connect to the hub, and where to store downloads.
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
    /// `HF_HUB_OFFLINE`: use the cache only.
    pub offline: bool,
    /// The wait before the first retry; it doubles each time.
    pub retry_wait: Duration,
    /// How long a server may be silent before the request is retried: `HF_HUB_DOWNLOAD_TIMEOUT`.
    pub stall_timeout: Duration,
    /// Certificates that are trusted besides the public ones and the system's: `SSL_CERT_FILE`, `SSL_CERT_DIR`,
    /// `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`.
    pub certificates: Vec<Bundle>,
    pub proxies: Proxies,
}

/// `ALL_PROXY`, `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case; empty where unset.
#[derive(Clone, Default)]
pub struct Proxies {
    all: String,
    http: String,
    https: String,
    no: String,
}

impl Proxies {
    fn from_lookup(get: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| get(name).or_else(|| get(&name.to_ascii_lowercase())).unwrap_or_default();
        Self {
            all: either("ALL_PROXY"),
            http: either("HTTP_PROXY"),
            https: either("HTTPS_PROXY"),
            no: either("NO_PROXY"),
        }
    }

    /// Decides, as curl does, through which proxy a request goes.
    pub(super) fn matcher(&self) -> Matcher {
        let Self { all, http, https, no } = self.clone();
        Matcher::builder().all(all).http(http).https(https).no(no).build()
    }
}

impl HubSettings {
    /// Reads the environment.
    ///
    /// # Errors
    /// No variable and no home directory says where the cache is.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok(), host::home_dir())
    }

    /// Reads variables from `lookup`; an empty one counts as unset.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>, home: Option<PathBuf>) -> Result<Self> {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let path = |name: &str| get(name).map(|value| expand_home(&value, home.as_deref()));
        let hf_home = path("HF_HOME")
            .or_else(|| {
                path("XDG_CACHE_HOME").filter(|cache| cache.is_absolute()).map(|cache| cache.join("huggingface"))
            })
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
            stall_timeout: get("HF_HUB_DOWNLOAD_TIMEOUT")
                .and_then(|secs| secs.trim().parse().ok())
                .filter(|&secs: &u64| secs > 0)
                .map_or(STALL_TIMEOUT, Duration::from_secs),
            certificates: trust::bundles(get),
            proxies: Proxies::from_lookup(get),
        })
    }

    /// The error of a hub that refuses access to the model `id`.
    pub(super) fn refused(&self, id: String, status: u16) -> Error {
        Error::Refused {
            id,
            endpoint: self.endpoint.clone(),
            status,
            hint: match &self.token {
                None => "; if it is private or gated, set HF_TOKEN",
                Some(_) => {
                    "; the token in use may not read it: accept the model's terms on its page, or set HF_TOKEN to \
                     another"
                }
            },
        }
    }
}

/// A path in which the shell left a leading `~/`.
pub(super) fn expand_home(value: &str, home: Option<&Path>) -> PathBuf {
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
        assert_eq!(cache(&[("XDG_CACHE_HOME", "x")]), Path::new("/home/ada/.cache/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "~/h")]), Path::new("/home/ada/h/hub"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/c")]), Path::new("/c"));
        assert_eq!(settings(&[("HF_ENDPOINT", "http://mirror/ ")]).endpoint, "http://mirror");
        assert!(settings(&[("HF_HUB_OFFLINE", "YES")]).offline);
        assert!(!settings(&[("HF_HUB_OFFLINE", "0")]).offline);
        assert_eq!(settings(&[("HF_HUB_DOWNLOAD_TIMEOUT", "90")]).stall_timeout, Duration::from_secs(90));
        assert_eq!(settings(&[("HF_HUB_DOWNLOAD_TIMEOUT", "soon")]).stall_timeout, Duration::from_secs(10));
    }

    #[test]
    fn proxies_depend_on_the_address() {
        let proxy = |variables: &[(&str, &str)], address: &str| {
            let found = settings(variables).proxies.matcher().intercept(&address.parse().unwrap());
            found.map(|proxy| proxy.uri().to_string())
        };
        let both = [
            ("HTTPS_PROXY", "http://p:1"),
            ("http_proxy", "http://q:2"),
            ("NO_PROXY", "localhost, .corp,10.0.0.0/8"),
        ];
        assert_eq!(proxy(&both, "https://huggingface.co/a").as_deref(), Some("http://p:1/"));
        assert_eq!(proxy(&both, "http://mirror/a").as_deref(), Some("http://q:2/"));
        for address in ["http://localhost:80/a", "https://hub.corp/a", "https://10.1.2.3/a"] {
            assert_eq!(proxy(&both, address), None, "{address}");
        }
        let all = [("all_proxy", "socks5h://s:3"), ("HTTPS_PROXY", " ")];
        assert_eq!(proxy(&all, "https://huggingface.co/a").as_deref(), Some("socks5h://s:3/"));
        assert_eq!(proxy(&[], "https://huggingface.co/a"), None);
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
