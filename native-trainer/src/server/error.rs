//! What keeps the server from starting, and how a request's failure is answered.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Result with this module's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong before the first request, and the listener's end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("no index.html in the page's folder; build it with `trunk build`: {}", path.display())]
    NoPage { path: PathBuf },
    #[error("no manifest.json in the model's folder; make it with `dermake quantize`: {}", path.display())]
    NoManifest { path: PathBuf },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("not the manifest of a quantized model: {}", path.display())]
    Manifest { path: PathBuf, source: serde_json::Error },
    #[error("the manifest gives `{sha256}` as the SHA-256 of `{file}`: {}", path.display())]
    NotAHash { file: String, sha256: String, path: PathBuf },
    #[error("the manifest names a file outside of its folder, `{file}`: {}", path.display())]
    Outside { file: String, path: PathBuf },
    #[error("the manifest names a file that is not there: {}", path.display())]
    MissingFile { path: PathBuf },
    #[error("{found} bytes where the manifest says {expected}: {}", path.display())]
    Length { expected: u64, found: u64, path: PathBuf },
    #[error("two models in folders of the same name, `{name}`")]
    SameName { name: String },
    #[error("cannot listen on {address}")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("cannot print the address")]
    Announce(#[source] io::Error),
    #[error("the server failed")]
    Serve(#[source] io::Error),
}

/// Why a request has no good answer; sent as `{code, message}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    #[error("there is nothing at this address")]
    NotFound,
    #[error("this address can only be read, with GET or HEAD")]
    MethodNotAllowed,
    #[error("the file cannot be read; the server's log says more")]
    Unreadable,
}

impl HttpError {
    fn status(self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Unreadable => (StatusCode::INTERNAL_SERVER_ERROR, "unreadable"),
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let message = self.to_string();
        (status, Json(serde_json::json!({ "code": code, "message": message }))).into_response()
    }
}
