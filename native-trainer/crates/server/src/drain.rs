//! Reads and drops the body of a refused request, so that the client receives the answer.
//!
//! A server that answers and closes while a client still sends takes the answer away with the connection: the client
//! hears of a reset, and not that it should come again later.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

use super::limits::Limits;

/// Middleware that reads on what its inner service left of the body, as much as a body may have at most.
///
/// A body that came too slowly has had its time: it is answered at once, and the connection closed.
pub(super) async fn drain(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    // Such a client sends nothing before it receives `100 Continue`.
    let is_waiting = request.headers().contains_key(header::EXPECT);
    let (head, body) = request.into_parts();
    let lent = LentBody(Arc::new(Mutex::new(body)));
    let mut rest = LentBody(lent.0.clone());
    let mut response = next.run(Request::from_parts(head, Body::new(lent))).await;
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    if !is_waiting && !rest.is_end_stream() {
        let discarded = async {
            let mut n_left = limits.max_body_bytes();
            while let Some(Ok(frame)) = rest.frame().await {
                let n_bytes = frame.data_ref().map_or(0, Bytes::len);
                let Some(left) = n_left.checked_sub(n_bytes) else { return };
                n_left = left;
            }
        };
        tokio::time::timeout(limits.body_timeout(), discarded).await.ok();
    }
    response
}

/// A body that is read through one handle, and later on through another.
struct LentBody(Arc<Mutex<Body>>);

impl LentBody {
    fn with<T>(&self, work: impl FnOnce(Pin<&mut Body>) -> T) -> T {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(Pin::new(&mut body))
    }
}

impl HttpBody for LentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|body| body.poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| body.size_hint())
    }
}
