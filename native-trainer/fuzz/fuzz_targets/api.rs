//! Whole requests to `dermake serve --infer`: a line `METHOD TARGET`, a line for each header, an empty line, the body.
//! No request may cause an internal error, and each refusal must have a message.
#![no_main]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, header};
use dermake_fuzz::served::Site;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use tokio::runtime::Runtime;
use tower::ServiceExt;

static SITE: LazyLock<Site> = LazyLock::new(Site::new);
static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let _inside = RUNTIME.enter();
    SITE.router()
});
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).max_blocking_threads(1).enable_all().build().expect("a runtime of one thread")
});

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

// The time that it takes to make the model is no input's.
fuzz_target!(init: { LazyLock::force(&ROUTER); }, |input: &[u8]| {
    let Some(request) = request(input) else { return };
    let has_body = request.method() != Method::HEAD;
    RUNTIME.block_on(async {
        let response = ROUTER.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        check(response, has_body).await;
    });
});
