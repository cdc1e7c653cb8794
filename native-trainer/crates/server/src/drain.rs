//! Reads and drops the body of a refused request, so that the client receives the answer.
//!
//! If a server answers and closes while a client still sends, the connection is reset and the client never reads the
//! answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use super::limits::Limits;
use super::pace::Pace;

/// Middleware that reads the rest of the body after its inner service, up to the largest body.
///
/// A body that was too slow is answered at once, and the connection is closed.
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
        let (mut pace, mut n_left) = (Pace::start(limits.body_timeout()), limits.max_body_bytes());
        while let Ok(Some(Ok(bytes))) = pace.next(&mut rest).await {
            let Some(left) = n_left.checked_sub(bytes.len()) else { break };
            n_left = left;
        }
    }
    response
}

/// A body that is read through two handles, one after the other.
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
