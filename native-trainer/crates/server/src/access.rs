//! Access to the models: bearer tokens, a rate limit for each client, and pages of other sites (CORS).

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};
use shared_model::text_file::lines;
use subtle::{Choice, ConstantTimeEq};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::error::{Error, HttpError, Result};
use super::limits::Limits;
use super::rate::Rate;
use super::watched::{Update, Watched};
use dermake_files::text_file;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who may send requests to the models.
#[derive(Debug, Clone, Default)]
pub struct AccessOptions {
    /// A file with one bearer token per line and # before comments, read again when it changes. Without it, everybody
    /// who reaches the server may send requests
    pub tokens: Option<PathBuf>,

    /// Another site whose pages may send requests and download the models, for example `https://example.org`; may be
    /// repeated
    pub cors_origins: Vec<String>,

    /// Take the client's address from the last entry of X-Forwarded-For; use it only behind a proxy that sets this
    /// header, which clients could otherwise forge
    pub behind_proxy: bool,
}

/// The address at the other end of a request's connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Accepts or refuses a request to the models.
pub(super) struct Guard {
    tokens: Option<Arc<Watched<Tokens>>>,
    rate: Option<Rate>,
    behind_proxy: bool,
}

impl Guard {
    pub(super) fn new(options: &AccessOptions, limits: &Limits) -> Result<Arc<Self>> {
        let watch = |path: PathBuf| Watched::new(vec![path.clone()], move || Tokens::read(&path));
        let tokens = options.tokens.clone().map(watch).transpose()?;
        Ok(Arc::new(Self { tokens, rate: Rate::new(limits), behind_proxy: options.behind_proxy }))
    }

    /// What is read from files.
    pub(super) fn watched(&self) -> Option<Arc<dyn Update>> {
        self.tokens.clone().map(|tokens| tokens as Arc<dyn Update>)
    }

    pub(super) fn requires_token(&self) -> bool {
        self.tokens.is_some()
    }

    /// # Errors
    /// [`HttpError::Unauthorized`] if tokens are required and the request has no known one.
    fn check_token(&self, headers: &HeaderMap) -> Result<(), HttpError> {
        match &self.tokens {
            Some(tokens) if !tokens.get().know(headers) => Err(HttpError::Unauthorized),
            _ => Ok(()),
        }
    }

    fn client(&self, request: &Request) -> Option<IpAddr> {
        let forwarded = || {
            let header = request.headers().get_all(FORWARDED_FOR).iter().next_back()?;
            header.to_str().ok()?.rsplit(',').next().and_then(address)
        };
        let peer = || request.extensions().get().map(|Peer(address)| *address);
        self.behind_proxy.then(forwarded).flatten().or_else(peer)
    }
}

/// Returns the address in an entry of X-Forwarded-For. Some proxies write the client's port behind it.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let without_port = || entry.trim_start_matches('[').trim_end_matches(']').parse();
    entry.parse().map(|with_port: SocketAddr| with_port.ip()).or_else(|_| without_port()).ok()
}

/// Middleware of the models' addresses.
pub(super) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Result<Response, HttpError> {
    // The rate first: it limits how many tokens a client can try.
    if let Some(rate) = &guard.rate {
        rate.count(guard.client(&request))?;
    }
    guard.check_token(request.headers())?;
    Ok(next.run(request).await)
}

/// Middleware of the addresses that need a token and have no rate limit.
pub(super) async fn guard_token(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Result<Response, HttpError> {
    guard.check_token(request.headers())?;
    Ok(next.run(request).await)
}

/// What the pages of other sites may do; nothing if none are named.
pub(super) struct Cors {
    origins: Vec<HeaderValue>,
}

impl Cors {
    /// Takes the origins of the options, as browsers send them.
    ///
    /// # Errors
    /// [`Error::Origin`] for a text that is not an origin.
    pub(super) fn new(options: &AccessOptions) -> Result<Self> {
        let checked = |text: &String| origin(text).ok_or_else(|| Error::Origin { origin: text.clone() });
        Ok(Self { origins: options.cors_origins.iter().map(checked).collect::<Result<_>>()? })
    }

    /// Allows requests to the models.
    pub(super) fn of_requests(&self, routes: Router) -> Router {
        self.applied(routes, |layer| {
            layer
                .allow_methods([Method::POST])
                .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
                .expose_headers([header::RETRY_AFTER])
        })
    }

    /// Allows downloads of the models, whole or in ranges, as the page and the JavaScript package send them.
    pub(super) fn of_downloads(&self, routes: Router) -> Router {
        self.applied(routes, |layer| {
            layer
                .allow_methods([Method::GET, Method::HEAD])
                .allow_headers([header::RANGE])
                .expose_headers([header::CONTENT_RANGE])
        })
    }

    fn applied(&self, routes: Router, allow: impl FnOnce(CorsLayer) -> CorsLayer) -> Router {
        if self.origins.is_empty() {
            return routes;
        }
        // Before the layer, which answers OPTIONS: a handler that is set after it would take its place.
        let routes = routes.method_not_allowed_fallback(method_not_allowed);
        routes.layer(allow(CorsLayer::new().allow_origin(AllowOrigin::list(self.origins.clone()))))
    }
}

/// Answers requests with a method that their address does not take.
pub(super) async fn method_not_allowed() -> HttpError {
    HttpError::MethodNotAllowed
}

/// Returns an origin as browsers send it: in lower case, without the scheme's own port.
fn origin(text: &str) -> Option<HeaderValue> {
    let text = text.to_ascii_lowercase();
    let (scheme, host) = text.split_once("://")?;
    let own_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let host = host.strip_suffix(own_port).unwrap_or(host);
    let is_host = host.parse::<Authority>().is_ok() && !host.contains(['@', '*']);
    HeaderValue::try_from(format!("{scheme}://{host}")).ok().filter(|_| is_host)
}

/// Known tokens, by their hashes.
struct Tokens(Vec<[u8; 32]>);

impl Tokens {
    fn read(path: &Path) -> Result<Self> {
        let content = text_file::read(path)?;
        let is_token = |line: &str| line.bytes().all(|byte| byte.is_ascii_graphic());
        let mut tokens = Vec::new();
        for (number, line) in (1..).zip(lines(&content)) {
            match without_comment(line).trim() {
                "" => {}
                token if is_token(token) => tokens.push(hash(token)),
                _ => return Err(Error::NotAToken { line: number, path: path.to_owned() }),
            }
        }
        match tokens.is_empty() {
            true => Err(Error::NoTokens { path: path.to_owned() }),
            false => Ok(Self(tokens)),
        }
    }

    /// Returns whether `Authorization` has a known token. Compares hashes of equal length in constant time.
    fn know(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (scheme, token) = sent.split_once(' ').unwrap_or_default();
        let sent = hash(token.trim());
        let is_known = self.0.iter().fold(Choice::from(0), |known, token| known | token.ct_eq(&sent));
        scheme.eq_ignore_ascii_case("bearer") && is_known.into()
    }
}

/// Returns a line up to its comment: a `#` at its start or behind a space. A token may contain one.
fn without_comment(line: &str) -> &str {
    let begins = |at: &usize| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let comment = line.match_indices('#').map(|(at, _)| at).find(begins);
    &line[..comment.unwrap_or(line.len())]
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests;
