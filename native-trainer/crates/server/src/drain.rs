//! Reads and drops the body of a refused request, so that the client receives the answer and can send the next request.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use super::limits::Limits;
use super::linger::Linger;
use super::pace::Pace;

/// Middleware that reads the rest of the body after its inner service, up to the largest body, so that the connection
/// can be used again.
///
/// If more is left, or the body was too slow, the connection ends with the answer and lingers.
pub(super) async fn drain(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let linger = request.extensions().get::<Linger>().cloned().unwrap_or_default();
    // Such a client sends nothing before it receives `100 Continue`.
    let is_waiting = request.headers().contains_key(header::EXPECT);
    let (head, body) = request.into_parts();
    let lent = LentBody::new(body);
    let mut rest = lent.clone();
    let mut response = next.run(Request::from_parts(head, Body::new(lent))).await;
    let is_too_slow = response.status() == StatusCode::REQUEST_TIMEOUT;
    let is_drained = rest.is_end_stream() || !is_too_slow && !is_waiting && read(&mut rest, &limits).await;
    if !is_drained {
        linger.end_with(&mut response);
    }
    response
}

/// Reads a body to its end. Returns false for one that is over the limit, as far as it is known, too slow or broken.
async fn read(body: &mut LentBody, limits: &Limits) -> bool {
    let (mut pace, mut n_left) = (Pace::start(limits.body_timeout()), limits.max_body_bytes());
    if body.size_hint().lower() > n_left as u64 {
        return false;
    }
    loop {
        match pace.next(body).await {
            Ok(None) => return true,
            Ok(Some(Ok(bytes))) if bytes.len() <= n_left => n_left -= bytes.len(),
            _ => return false,
        }
    }
}

/// A body that is read through two handles, one after the other.
#[derive(Clone)]
struct LentBody(Arc<Mutex<Lent>>);

struct Lent {
    body: Body,
    /// A chunked body does not know of its end itself.
    has_ended: bool,
}

impl LentBody {
    fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Lent { body, has_ended: false })))
    }

    fn lock(&self) -> MutexGuard<'_, Lent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for LentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut lent = self.lock();
        let frame = ready!(Pin::new(&mut lent.body).poll_frame(context));
        lent.has_ended |= frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let lent = self.lock();
        lent.has_ended || lent.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().body.size_hint()
    }
}
