//! A file that is sent whole or in ranges: streamed from disk in constant memory, or from inside the program.

use std::fmt;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::conditional;
use super::disk_file::DiskFile;
use super::error::HttpError;

const CHUNK_BYTES: usize = 256 << 10;

/// A file known by its SHA-256, which is its entity tag.
pub(super) struct StoredFile {
    pub(super) source: Source,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) content_type: &'static str,
}

/// Source of a file's content.
pub(super) enum Source {
    Disk(Arc<DiskFile>),
    Memory(Bytes),
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
        conditional::check_match(request.headers(), &etag)?;
        if conditional::is_unchanged(request.headers(), &etag) {
            let mut response = conditional::not_modified(request.method(), self.size_bytes);
            response.headers_mut().extend(kept);
            return Ok(response);
        }
        // Other bytes under this hash would stay in caches for a year.
        if !self.has_hash_in_background().await {
            tracing::warn!("the file is gone, or its content does not have the expected SHA-256: {self}");
            return Err(HttpError::Unreadable);
        }
        let method = request.method().clone();
        conditional::normalize_range(&method, request.headers_mut(), &etag, self.size_bytes);
        let mut response = match &self.source {
            Source::Disk(file) => {
                let file = ServeFile::new(file.path()).with_buf_chunk_size(CHUNK_BYTES);
                file.oneshot(request).await.unwrap_or_else(|never| match never {}).map(Body::new)
            }
            Source::Memory(bytes) => respond_from_memory(bytes, request.headers()),
        };
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {}
            status => {
                tracing::error!("cannot read ({status}): {self}");
                return Err(HttpError::Unreadable);
            }
        }
        let content_type = HeaderValue::from_static(self.content_type);
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response.headers_mut().remove(header::LAST_MODIFIED);
        response.headers_mut().extend(kept);
        Ok(response)
    }

    /// Returns whether the content has the known hash; `None` for a file that was not read since it last changed.
    pub(super) fn known_hash(&self) -> Option<bool> {
        match &self.source {
            Source::Disk(file) => file.known_hash(),
            Source::Memory(_) => Some(true),
        }
    }

    /// Returns whether the content has the known hash. Reads a file that was not read since it last changed.
    pub(super) fn has_hash(&self) -> bool {
        match &self.source {
            Source::Disk(file) => file.has_hash(),
            Source::Memory(_) => true,
        }
    }

    /// As [`Self::has_hash`], without keeping other requests from being answered.
    async fn has_hash_in_background(&self) -> bool {
        match &self.source {
            Source::Disk(file) => file.has_hash_in_background().await,
            Source::Memory(_) => true,
        }
    }
}

impl fmt::Display for StoredFile {
    /// Names the file for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Disk(file) => file.path().display().fmt(f),
            Source::Memory(_) => f.write_str("a file inside the program"),
        }
    }
}

/// The whole content, or the one range of a normalized request.
fn respond_from_memory(bytes: &Bytes, request: &HeaderMap) -> Response {
    let accepts_ranges = [(header::ACCEPT_RANGES, "bytes")];
    let size = bytes.len() as u64;
    let Some(range) = conditional::normalized_range(request, size) else {
        return (accepts_ranges, Body::from(bytes.clone())).into_response();
    };
    let (first, last) = range.into_inner();
    if first > last {
        let content_range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
        return (StatusCode::RANGE_NOT_SATISFIABLE, accepts_ranges, content_range).into_response();
    }
    let content_range = [(header::CONTENT_RANGE, format!("bytes {first}-{last}/{size}"))];
    let part = bytes.slice(first as usize..=last as usize);
    (StatusCode::PARTIAL_CONTENT, accepts_ranges, content_range, Body::from(part)).into_response()
}
