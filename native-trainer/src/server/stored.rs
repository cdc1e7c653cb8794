//! A file that stays on disk and is streamed: flat memory, whatever its size.

use std::path::PathBuf;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::conditional;
use super::error::HttpError;

const CHUNK_BYTES: usize = 256 << 10;

/// A file known by its SHA-256, which is its entity tag.
pub(super) struct StoredFile {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) content_type: &'static str,
}

impl StoredFile {
    /// Answers a GET or HEAD, whole or in part, or with "not modified".
    pub(super) async fn respond(
        &self,
        cache_control: &'static str,
        mut request: Request,
    ) -> Result<Response, HttpError> {
        let etag = conditional::etag(&self.sha256, None);
        let kept = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static(cache_control))];
        if conditional::is_unchanged(request.headers(), &etag) {
            return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
        }
        let method = request.method().clone();
        conditional::normalize_range(&method, request.headers_mut(), &etag, self.size_bytes);
        let file = ServeFile::new(&self.path).with_buf_chunk_size(CHUNK_BYTES);
        let mut response = file.oneshot(request).await.unwrap_or_else(|never| match never {});
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {}
            status => {
                tracing::error!("cannot read ({status}): {}", self.path.display());
                return Err(HttpError::Unreadable);
            }
        }
        let content_type = HeaderValue::from_static(self.content_type);
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response.headers_mut().remove(header::LAST_MODIFIED);
        response.headers_mut().extend(kept);
        Ok(response.map(Body::new))
    }
}
