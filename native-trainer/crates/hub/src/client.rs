//! Requests to a hub: through which proxy, with which token, and where redirects lead.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio_rustls::rustls;
use ureq::http::{Response, Uri, header};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body, Proxy, ProxyProtocol};
use url::Url;

use super::answer::Answer;
use super::error::{Cause, Error, Result};
use super::settings::HubSettings;
use super::trust;

/// Redirects of one request before it is taken for a circle.
const MAX_REDIRECTS: usize = 10;

/// Timeout of the lookup of a name and of the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Sends requests to one hub, and to the addresses that it redirects to.
pub(super) struct Client {
    agent: Agent,
    proxies: Matcher,
    endpoint: Url,
    token: Option<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) cause: Cause,
    /// Returns whether a retry may succeed.
    pub(super) is_passing: bool,
}

impl Client {
    /// # Errors
    /// An address that is none, a token that no header can hold, or certificates that cannot be read.
    pub(super) fn new(settings: &HubSettings) -> Result<Self> {
        let endpoint = Url::parse(&settings.endpoint).ok();
        let endpoint = endpoint.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let endpoint = endpoint.ok_or_else(|| Error::Endpoint { typed: settings.endpoint.clone() })?;
        if settings.token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(Error::Token);
        }
        let agent = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(trust::roots(&settings.certificates)?).build())
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("dermake/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT_TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(settings.stall_timeout)))
            .timeout_recv_response(Some(settings.stall_timeout))
            .timeout_per_read(Some(settings.stall_timeout))
            .build()
            .into();
        Ok(Self { agent, proxies: settings.proxies.matcher(), endpoint, token: settings.token.clone() })
    }

    /// The answer to `GET url`, of the last of its redirects; `range` is the value of a `Range` header.
    pub(super) fn get(&self, url: &str, range: Option<&str>) -> Result<Answer, Unanswered> {
        self.get_until(url, range, |_| false)
    }

    /// As [`Self::get`], but returns the first redirect that says enough, instead of following it.
    pub(super) fn get_until(
        &self,
        url: &str,
        range: Option<&str>,
        says_enough: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, Unanswered> {
        let mut url = Url::parse(url).map_err(|error| Unanswered::for_ever(format!("{error}: {url}")))?;
        let mut passed = Vec::new();
        for _ in 0..=MAX_REDIRECTS {
            let answer = Answer::after(passed, self.get_once(&url, range)?);
            if !answer.is_redirect() || says_enough(&answer) {
                return Ok(answer);
            }
            let location = answer.header("location");
            let location = location.ok_or_else(|| Unanswered::for_ever("a redirect that says not where to"))?;
            let next = url.join(location).ok().filter(|next| matches!(next.scheme(), "http" | "https"));
            url = next.ok_or_else(|| Unanswered::for_ever(format!("a redirect to no web address: {location}")))?;
            passed = answer.into_headers();
        }
        Err(Unanswered::for_ever(format!("more than {MAX_REDIRECTS} redirects, the last to {url}")))
    }

    fn get_once(&self, url: &Url, range: Option<&str>) -> Result<Response<Body>, Unanswered> {
        let uri: Uri = url.as_str().parse().map_err(|error| Unanswered::for_ever(format!("{error}: {url}")))?;
        let proxy = self.proxies.intercept(&uri).map(|proxy| ureq_proxy(&proxy)).transpose()?;
        let mut request = self.agent.get(url.as_str());
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        if let Some(token) = self.token.as_ref().filter(|_| self.is_trusted(url)) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = match proxy {
            None => request.call(),
            Some(proxy) => request.config().proxy(Some(proxy)).build().call(),
        };
        answer.map_err(|error| Unanswered::from_ureq(error, url))
    }

    /// The answer to `POST` of JSON to the endpoint itself; redirects are not followed.
    pub(super) fn post(&self, body: &[u8]) -> Result<Answer, Unanswered> {
        let url = &self.endpoint;
        let uri: Uri = url.as_str().parse().map_err(|error| Unanswered::for_ever(format!("{error}: {url}")))?;
        let proxy = self.proxies.intercept(&uri).map(|proxy| ureq_proxy(&proxy)).transpose()?;
        let mut request = self.agent.post(url.as_str()).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = match proxy {
            None => request.send(body),
            Some(proxy) => request.config().proxy(Some(proxy)).build().send(body),
        };
        let response = answer.map_err(|error| Unanswered::from_ureq(error, url))?;
        Ok(Answer::after(Vec::new(), response))
    }

    /// Returns whether the token may be sent to an address: to the hub's own, or to the hub over TLS.
    fn is_trusted(&self, url: &Url) -> bool {
        let is_upgrade = self.endpoint.scheme() == "http"
            && url.scheme() == "https"
            && self.endpoint.port().is_none()
            && url.port().is_none();
        url.host() == self.endpoint.host() && (url.origin() == self.endpoint.origin() || is_upgrade)
    }
}

impl Unanswered {
    fn for_ever(cause: impl Into<Cause>) -> Self {
        Self { cause: cause.into(), is_passing: false }
    }

    fn from_ureq(error: ureq::Error, url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        match error {
            error if is_about_certificates(&error) => Self::for_ever(format!(
                "{host} shows a certificate that is not trusted ({error}); where the network inspects TLS, set \
                 SSL_CERT_FILE to a file with its certificate"
            )),
            ureq::Error::HostNotFound => {
                Self { cause: format!("there is no host {host}, or no network").into(), is_passing: true }
            }
            ureq::Error::ConnectProxyFailed(said) => {
                Self::for_ever(format!("the proxy refuses to connect to {host} ({said})"))
            }
            ureq::Error::Timeout(_) => {
                Self { cause: format!("no answer from {host} in time").into(), is_passing: true }
            }
            error => {
                let is_passing = !matches!(error, ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl);
                Self { cause: error.into(), is_passing }
            }
        }
    }
}

fn is_about_certificates(error: &ureq::Error) -> bool {
    let rustls = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    matches!(rustls, Some(rustls::Error::InvalidCertificate(_)))
}

/// The proxy with its user and password, which the matcher keeps apart from its address.
fn ureq_proxy(proxy: &Intercept) -> Result<Proxy, Unanswered> {
    let invalid = || Unanswered::for_ever(format!("not a proxy that can be used: {}", proxy.uri()));
    let protocol = ProxyProtocol::try_from(proxy.uri().scheme_str().unwrap_or("http")).map_err(|_| invalid())?;
    let mut builder = Proxy::builder(protocol).host(proxy.uri().host().unwrap_or_default());
    if let Some(port) = proxy.uri().port_u16() {
        builder = builder.port(port);
    }
    let basic = proxy.basic_auth().and_then(|header| header.to_str().ok()?.strip_prefix("Basic "));
    let basic = basic.and_then(|encoded| String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok());
    let basic = basic.as_deref().and_then(|pair| pair.split_once(':'));
    if let Some((user, password)) = basic.or_else(|| proxy.raw_auth()) {
        builder = builder.username(user).password(password);
    }
    builder.build().map_err(|_| invalid())
}
