//! Whole requests to `dermake serve --infer`: a line `METHOD TARGET`, a line for each header, an empty line, the body.
//! No request may cause an internal error, and each refusal must have a message.

use super::check::Check;
use crate::served::Site;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, header};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// A check with a server on a thread, which is made once.
pub(super) fn prepare() -> Check {
    let (mut builder, site) = (Builder::new_multi_thread(), Site::new());
    let runtime = builder.worker_threads(1).max_blocking_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime of one thread");
    let router = {
        let _inside = runtime.enter();
        site.router()
    };
    Box::new(move |input| {
        let _ = &site; // its folder is removed with the check
        run(&runtime, &router, input);
    })
}

/// `None` for what hyper would not have let through.
fn request(input: &[u8]) -> Option<Request<Body>> {
    let end = input.windows(2).position(|window| window == b"\n\n")?;
    let (head, body) = (std::str::from_utf8(&input[..end]).ok()?, &input[end + 2..]);
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        request = request.header(name, value);
    }
    request.body(Body::from(body.to_vec())).ok()
}

async fn check(response: Response<Body>, has_body: bool) {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    let body = to_bytes(body, usize::MAX).await.expect("a body that ends");
    assert_ne!(status, 500, "{}", String::from_utf8_lossy(&body));
    if status < 400 || !has_body {
        return;
    }
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    assert_eq!(content_type, Some("application/json"), "a refusal with {status}");
    let refusal: serde_json::Value = serde_json::from_slice(&body).expect("a refusal is JSON");
    for field in ["code", "message"] {
        assert!(
            refusal[field].as_str().is_some_and(|text| !text.is_empty()),
            "{status} without {field}: {refusal}"
        );
    }
}

fn run(runtime: &Runtime, router: &Router, input: &[u8]) {
    let Some(request) = request(input) else { return };
    let has_body = request.method() != Method::HEAD;
    runtime.block_on(async {
        let response = router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        check(response, has_body).await;
    });
}
