//! A timeout of requests' heads that leaves idle connections open.
//!
//! hyper has one timeout for the wait and the head together. Load balancers keep connections open for a minute and send
//! the next request at any time, so the wait must be long; a head that has begun comes at once.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::wrapped_stream::write_as_wrapped;

/// Numbers of a connection's requests so far.
#[derive(Default)]
pub(super) struct Requests {
    n_heads: AtomicU64,
    n_answered: AtomicU64,
}

impl Requests {
    /// Counts a head that has arrived.
    pub(super) fn count_head(&self) {
        self.n_heads.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the request as answered when the body of its response is dropped.
    pub(super) fn answered_by(self: Arc<Self>, response: Response) -> Response {
        response.map(|body| Body::new(AnswerBody { body, requests: self }))
    }

    fn is_answering(&self) -> bool {
        self.n_heads.load(Ordering::Relaxed) != self.n_answered.load(Ordering::Relaxed)
    }
}

/// A connection. Reading fails if its first head does not arrive in time, or another one that has begun.
pub(super) struct HeadTimeout<S> {
    stream: S,
    requests: Arc<Requests>,
    timeout: Duration,
    /// Number of heads when `deadline` was set.
    n_heads: u64,
    /// The end of the time for the current head; `None` before its first byte.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> HeadTimeout<S> {
    pub(super) fn new(stream: S, requests: Arc<Requests>, timeout: Duration) -> Self {
        let deadline = Some(Box::pin(tokio::time::sleep(timeout)));
        Self { stream, requests, timeout, n_heads: 0, deadline }
    }

    /// Forgets the deadline of a head that has arrived.
    fn update(&mut self) {
        let n_heads = self.requests.n_heads.load(Ordering::Relaxed);
        if self.n_heads != n_heads {
            (self.n_heads, self.deadline) = (n_heads, None);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadTimeout<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.update();
        let n_before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(context, buffer);
        if this.requests.is_answering() {
            return outcome;
        }
        if buffer.filled().len() > n_before && this.deadline.is_none() {
            this.deadline = Some(Box::pin(tokio::time::sleep(this.timeout)));
        }
        let is_late = outcome.is_pending()
            && this.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(context).is_ready());
        if is_late { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { outcome }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadTimeout<S> {
    write_as_wrapped!();

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// The body of a response.
struct AnswerBody {
    body: Body,
    requests: Arc<Requests>,
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.requests.n_answered.fetch_add(1, Ordering::Relaxed);
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
