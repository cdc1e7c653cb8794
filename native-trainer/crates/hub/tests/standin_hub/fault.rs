//! What a network does to an answer.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

/// What goes wrong with one request for a file's bytes, or for a listing.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The connection is cut after so many bytes.
    CutAfter(usize),
    /// The answer ends after so many bytes as if that were all.
    EndAfter(usize),
    /// The first byte is another.
    WrongByte,
    /// The page of a proxy, with a status of success.
    HtmlPage,
    /// The whole file, although a part was asked for.
    RangeIgnored,
    Status(u16),
    /// A status, and after how many seconds to come back.
    RetryAfter(u16, u32),
    /// The rate of requests is spent, for so many seconds more.
    RateLimited(u32),
    /// Nothing comes after so many bytes, and the connection stays open.
    StallAfter(usize),
    /// The listing of a model's files says nothing of them.
    Bare,
}

impl Fault {
    /// The answer that this fault makes of a good one.
    pub(super) fn spoil(self, mut answer: Response) -> Response {
        match self {
            Self::RangeIgnored | Self::Bare => answer,
            Self::RetryAfter(status, secs) => {
                let mut busy = Self::Status(status).spoil(answer);
                busy.headers_mut().insert(header::RETRY_AFTER, secs.into());
                busy
            }
            Self::RateLimited(secs) => {
                let mut refused = Self::Status(429).spoil(answer);
                let rate = format!("\"resolvers\";r=0;t={secs}");
                refused.headers_mut().insert("ratelimit", rate.parse().expect("a rate is plain text"));
                refused
            }
            Self::StallAfter(n_bytes) => answer.map(|body| {
                let start = first(body, n_bytes, None).into_data_stream();
                Body::from_stream(start.chain(stream::pending()))
            }),
            Self::Status(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response(),
            Self::HtmlPage => axum::response::Html("<h1>Please log in</h1>").into_response(),
            Self::EndAfter(n_bytes) => {
                answer.headers_mut().remove(header::CONTENT_LENGTH);
                answer.map(|body| first(body, n_bytes, None))
            }
            Self::CutAfter(n_bytes) => answer.map(|body| first(body, n_bytes, Some(io::Error::other("cut")))),
            Self::WrongByte => answer.map(|body| {
                let chunks = body.into_data_stream().enumerate();
                Body::from_stream(chunks.map(|(index, chunk)| match (index, chunk) {
                    (0, Ok(chunk)) => Ok(with_another_first_byte(&chunk)),
                    (_, chunk) => chunk,
                }))
            }),
        }
    }
}

/// The beginning of a body, then its end or an error.
fn first(body: Body, n_bytes: usize, error: Option<io::Error>) -> Body {
    let mut left = n_bytes;
    let start = body.into_data_stream().map(move |chunk| {
        let mut chunk = chunk.map_err(io::Error::other)?;
        chunk.truncate(left);
        left -= chunk.len();
        Ok::<Bytes, io::Error>(chunk)
    });
    // A pause before the cut, so that the bytes before it reach the other side.
    let end = stream::iter(error).then(|error| async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        Err(error)
    });
    let is_content = |chunk: &io::Result<Bytes>| {
        let is_content = chunk.as_ref().map_or(true, |chunk| !chunk.is_empty());
        async move { is_content }
    };
    Body::from_stream(start.take_while(is_content).chain(end))
}

fn with_another_first_byte(chunk: &Bytes) -> Bytes {
    let mut bytes = chunk.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first ^= 0xff;
    }
    bytes.into()
}
