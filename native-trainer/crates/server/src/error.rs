//! Errors of starting the server, and the answers to failed requests.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared_model::api::Refusal;

use super::infer;
use super::pace::MIN_KIB_PER_SEC;

/// Result with this module's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Errors before the first request, and of the listener.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("no index.html in the page's folder; build it with `trunk build`: {}", path.display())]
    NoPage { path: PathBuf },
    #[error("no manifest.json in the model's folder; make it with `dermake quantize`: {}", path.display())]
    NoManifest { path: PathBuf },
    #[error(
        "only links to models in the folder, which are not followed; name a link with --models itself, as {}: {}",
        link.display(),
        path.display()
    )]
    OnlyLinks { link: PathBuf, path: PathBuf },
    #[error("there is no such folder of models; `dermake quantize` makes a model's folder: {}", path.display())]
    NoFolder { path: PathBuf },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    TextFile(#[from] dermake_files::text_file::Error),
    #[error("not the manifest of a quantized model: {}", path.display())]
    Manifest { path: PathBuf, source: shared_model::Error },
    #[error("the manifest names a file outside of its folder, `{file}`: {}", path.display())]
    Outside { file: String, path: PathBuf },
    #[error("the manifest names a file that is not there: {}", path.display())]
    MissingFile { path: PathBuf },
    #[error("{found} bytes where the manifest says {expected}: {}", path.display())]
    Length { expected: u64, found: u64, path: PathBuf },
    #[error("two models have the same name, `{name}`; rename the folder or file of one, or name it once")]
    SameName { name: String },
    #[error("cannot answer with the model {model}")]
    Model { model: String, source: anyhow::Error },
    #[error(
        "--queue-length is {queue_length}, expected at least --max-images, which is {max_images}: a request of so many \
         images could never be answered; raise --queue-length or lower --max-images"
    )]
    QueueLength { queue_length: u32, max_images: u32 },
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    #[error("cannot listen on {address}")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("cannot print the address")]
    Announce(#[source] anyhow::Error),
    #[error("no token in the file of tokens; write one a line: {}", path.display())]
    NoTokens { path: PathBuf },
    #[error("line {line} is no token; write one a line, without spaces and in ASCII: {}", path.display())]
    NotAToken { line: usize, path: PathBuf },
    #[error(
        "`{origin}` is not an origin, as https://example.org is: a scheme and a host, without a slash behind them"
    )]
    Origin { origin: String },
    #[error("cannot use the {what} for TLS, expected PEM: {}", path.display())]
    Tls { what: &'static str, path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}

/// Why a request failed; sent as `{code, message}`.
///
/// A message tells the client what to change. The cause of an internal error is only in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    #[error("there is nothing at this address")]
    NotFound,
    #[error(
        "there is nothing at this address; the models answer at /v1/classify, /v1/annotate, /v1/embed and \
         /v1/similarity, as /v1/openapi.json describes"
    )]
    NoSuchAddress,
    #[error("no model answers at this server: it was started without --infer")]
    NoInference,
    #[error("this address does not take this method; the Allow header names those that it takes")]
    MethodNotAllowed,
    #[error("this address is only read; the Allow header names the methods that it takes")]
    ReadOnly,
    #[error("the file cannot be read; the server's log says more")]
    Unreadable,
    #[error("the file is another than the If-Match header names; ask for it without, from its first byte")]
    OtherContent,

    // Access
    #[error("no token that this server knows; send one as `Authorization: Bearer TOKEN`")]
    Unauthorized,
    #[error("too many requests from this client; the next one in {retry_after_secs} s")]
    TooManyRequests { retry_after_secs: u64 },

    // The request
    #[error("{what}")]
    Malformed { what: String },
    #[error("no model here is called `{name}`; there are: `{}`", known.join("`, `"))]
    NoSuchModel { name: String, known: Vec<String> },
    #[error("{} models here have the name {name:?}; expected `model` to be one of `{}`", keys.len(), keys.join("`, `"))]
    AmbiguousModel { name: String, keys: Vec<String> },
    #[error("no model answers here at the moment")]
    NoModel,
    #[error("the body comes too slowly: nothing for {limit_secs} s, or less than {MIN_KIB_PER_SEC} KiB per second")]
    BodyTooSlow { limit_secs: u32 },
    #[error("the body is over the limit of {limit_mib} MiB")]
    BodyTooLarge { limit_mib: u32 },
    #[error("{what}")]
    ImageTooLarge { what: String },
    #[error("{what}")]
    UnsupportedType { what: String },
    #[error("{what}")]
    Invalid { what: String },

    // The server
    #[error("an error of the server's own; its log says more")]
    Internal,
    #[error("the model's answer is not finite; its weights are damaged, or need a higher precision")]
    NotFinite,
    #[error("{what}; try again a little later")]
    Overloaded { what: String },
    #[error("no answer within {limit_secs} s")]
    TimedOut { limit_secs: u32 },
}

/// Seconds that a client should wait before it tries an overloaded server again.
const OVERLOADED_RETRY_SECS: u64 = 1;

impl HttpError {
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }

    pub(super) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }

    /// The same error with the place in front of its message.
    pub(super) fn at(self, place: &str) -> Self {
        let at_place = |what: String| format!("{place}: {what}");
        match self {
            Self::Malformed { what } => Self::Malformed { what: at_place(what) },
            Self::ImageTooLarge { what } => Self::ImageTooLarge { what: at_place(what) },
            Self::UnsupportedType { what } => Self::UnsupportedType { what: at_place(what) },
            Self::Invalid { what } => Self::Invalid { what: at_place(what) },
            other => other,
        }
    }

    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound | Self::NoSuchAddress | Self::NoInference => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed | Self::ReadOnly => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Unreadable => (StatusCode::INTERNAL_SERVER_ERROR, "unreadable"),
            Self::OtherContent => (StatusCode::PRECONDITION_FAILED, "other_content"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::Malformed { .. } => (StatusCode::BAD_REQUEST, "malformed"),
            Self::NoSuchModel { .. } | Self::NoModel => (StatusCode::NOT_FOUND, "no_such_model"),
            Self::BodyTooSlow { .. } => (StatusCode::REQUEST_TIMEOUT, "body_too_slow"),
            Self::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::ImageTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "image_too_large"),
            Self::UnsupportedType { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_type"),
            Self::Invalid { .. } | Self::AmbiguousModel { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, Refusal::INVALID)
            }
            Self::NotFinite => (StatusCode::INTERNAL_SERVER_ERROR, "not_finite"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Overloaded { .. } => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Self::TimedOut { .. } => (StatusCode::GATEWAY_TIMEOUT, "timed_out"),
        }
    }

    fn retry_after_secs(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after_secs } => Some(*retry_after_secs),
            Self::Overloaded { .. } => Some(OVERLOADED_RETRY_SECS),
            _ => None,
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let retry_after_secs = self.retry_after_secs();
        let refusal = Refusal { code: code.to_owned(), message: self.to_string() };
        let mut response = (status, Json(refusal)).into_response();
        let headers = response.headers_mut();
        if let Some(secs) = retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if self == Self::ReadOnly {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        }
        if self == Self::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<infer::Error> for HttpError {
    fn from(err: infer::Error) -> Self {
        match err {
            err @ infer::Error::QueueFull { .. } => Self::Overloaded { what: err.to_string() },
            infer::Error::Failed => Self::Internal,
            infer::Error::NotFinite => Self::NotFinite,
            err @ infer::Error::Scale(_) => Self::invalid(err.to_string()),
            infer::Error::Input(err) | infer::Error::Photo { source: err, .. } => err.into(),
        }
    }
}

impl From<shared_model::Error> for HttpError {
    fn from(err: shared_model::Error) -> Self {
        use shared_model::Error as Input;
        let what = err.to_string();
        match err {
            Input::ImageFormat(_) => Self::UnsupportedType { what },
            Input::ImageTooLarge { .. } => {
                Self::ImageTooLarge { what: format!("{what}, or start the server with a larger --max-megapixels") }
            }
            Input::ImageMemory { .. } => Self::ImageTooLarge { what },
            Input::ImageDecode { .. } | Input::Resample { .. } => Self::Invalid { what },
            Input::Labels { .. } | Input::TextTooLong { .. } => Self::Invalid { what },
            err => {
                tracing::error!("{:#}", anyhow::Error::from(err));
                Self::Internal
            }
        }
    }
}
