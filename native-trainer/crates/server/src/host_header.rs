//! Refuses requests without the one `Host` header that HTTP/1.1 demands (RFC 9112, section 3.2).

use axum::extract::Request;
use axum::http::{Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::HttpError;
use super::linger::Linger;

/// Middleware of the requests of connections.
pub(super) async fn require(request: Request, next: Next) -> Response {
    let n_hosts = request.headers().get_all(header::HOST).iter().count();
    let is_right = n_hosts == 1 || (n_hosts == 0 && request.version() < Version::HTTP_11);
    if is_right {
        return next.run(request).await;
    }
    let linger = request.extensions().get::<Linger>().cloned().unwrap_or_default();
    let what = format!("the request has {n_hosts} Host headers, expected one");
    let mut response = HttpError::malformed(what).into_response();
    linger.end_with(&mut response);
    response
}
