//! A file that is sent whole or in ranges: streamed from disk in constant memory, or from inside the program.

use std::fmt;
use std::io::{self, SeekFrom};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use futures_util::stream;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt};
use tokio::sync::mpsc;
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::conditional::{self, Wanted};
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
    Disk(PathBuf),
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
        if conditional::is_unchanged(request.headers(), &etag) {
            return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
        }
        let method = request.method().clone();
        let wanted = conditional::normalize_range(&method, request.headers_mut(), &etag, self.size_bytes);
        if let Wanted::Parts(parts) = wanted {
            return Ok((kept, self.respond_parts(parts).await?).into_response());
        }
        let mut response = match &self.source {
            Source::Disk(path) => {
                let file = ServeFile::new(path).with_buf_chunk_size(CHUNK_BYTES);
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

    /// Several ranges as `multipart/byteranges`, streamed one after the other.
    async fn respond_parts(&self, parts: Vec<RangeInclusive<u64>>) -> Result<Response, HttpError> {
        if parts.is_empty() {
            let range = format!("bytes */{}", self.size_bytes);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, range)]).into_response());
        }
        let unreadable = |err: io::Error| {
            tracing::error!("cannot read ({err}): {self}");
            HttpError::Unreadable
        };
        let mut file: Box<dyn Seekable> = match &self.source {
            Source::Disk(path) => Box::new(File::open(path).await.map_err(unreadable)?),
            Source::Memory(bytes) => Box::new(io::Cursor::new(bytes.clone())),
        };
        // The boundary occurs in no part, since it is a hash that cannot be known beforehand.
        let boundary = format!("part-{}", &self.sha256[..32]);
        let heads: Vec<String> = parts.iter().map(|part| self.part_head(part, &boundary)).collect();
        let end = format!("\r\n--{boundary}--\r\n");
        let length = end.len() as u64
            + heads.iter().map(|head| head.len() as u64).sum::<u64>()
            + parts.iter().map(|part| part.end() - part.start() + 1).sum::<u64>();
        // A task reads ahead by a chunk, so that one open file serves all parts.
        let (sending, received) = mpsc::channel::<io::Result<Bytes>>(1);
        tokio::spawn(async move {
            for (head, part) in heads.into_iter().zip(parts) {
                if sending.send(Ok(head.into())).await.is_err() {
                    return;
                }
                if let Err(err) = send_part(&mut *file, part, &sending).await {
                    sending.send(Err(err)).await.ok();
                    return;
                }
            }
            sending.send(Ok(end.into())).await.ok();
        });
        let chunks = stream::unfold(received, |mut received| async { Some((received.recv().await?, received)) });
        let headers = [
            (header::CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}")),
            (header::CONTENT_LENGTH, length.to_string()),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
        ];
        Ok((StatusCode::PARTIAL_CONTENT, headers, Body::from_stream(chunks)).into_response())
    }

    fn part_head(&self, part: &RangeInclusive<u64>, boundary: &str) -> String {
        let (first, last, size, content_type) = (part.start(), part.end(), self.size_bytes, self.content_type);
        format!(
            "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: bytes {first}-{last}/{size}\r\n\r\n"
        )
    }
}

/// Content that can be read from any position.
trait Seekable: AsyncRead + AsyncSeek + Unpin + Send {}

impl<T: AsyncRead + AsyncSeek + Unpin + Send> Seekable for T {}

impl fmt::Display for StoredFile {
    /// Names the file for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Disk(path) => path.display().fmt(f),
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

/// Sends a part of a file; stops without an error if the client disconnects.
async fn send_part(
    file: &mut (impl Seekable + ?Sized),
    part: RangeInclusive<u64>,
    sending: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    file.seek(SeekFrom::Start(*part.start())).await?;
    let mut left = part.end() - part.start() + 1;
    while left > 0 {
        let mut chunk = BytesMut::zeroed(left.min(CHUNK_BYTES as u64) as usize);
        file.read_exact(&mut chunk).await?;
        left -= chunk.len() as u64;
        if sending.send(Ok(chunk.freeze())).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
