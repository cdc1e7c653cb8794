//! What a mirror changes in a hub's answers: nginx, a company's proxy, a plain file server.

use std::io::Write;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// How a mirror differs from the hub.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    /// A path before all others, such as `/hf`.
    pub prefix: &'static str,
    /// Every request is first sent to another address of the same server, with this status.
    pub redirects: Option<u16>,
    /// Those who were sent elsewhere are sent on, and on.
    pub circles: bool,
    /// The host that redirects name, where it is not the one that was asked.
    pub redirect_host: Option<&'static str>,
    /// Tags are weak, as behind a proxy that compresses.
    pub has_weak_tags: bool,
    pub lacks_tags: bool,
    /// Requests for a part are answered with the whole.
    pub lacks_ranges: bool,
    /// `X-Repo-Commit` and `X-Linked-*` are gone.
    pub lacks_hub_headers: bool,
    /// Bodies come in chunks of unknown number.
    pub lacks_lengths: bool,
    /// Bodies are compressed, asked or not.
    pub compresses: bool,
}

/// Prefix of the path of a request that was redirected.
const MOVED: &str = "/moved";

/// Applies the mirror's behavior around the hub's answer.
pub(super) async fn apply(
    State((mirror, url)): State<(Mirror, String)>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let (is_moved, path) = match path.strip_prefix(MOVED) {
        Some(rest) => (true, rest.to_owned()),
        None => (false, path),
    };
    if let (Some(status), false) = (mirror.redirects, is_moved && !mirror.circles) {
        let url = mirror.redirect_host.map_or(url.clone(), |host| url.replace("127.0.0.1", host));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
        return (status, [(header::LOCATION, format!("{url}{MOVED}{path}"))]).into_response();
    }
    let Some(path) = path.strip_prefix(mirror.prefix) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    *request.uri_mut() = path.parse::<Uri>().unwrap_or_default();
    if mirror.lacks_ranges {
        request.headers_mut().remove(header::RANGE);
    }
    let mut response = next.run(request).await;
    if mirror.compresses && response.status() == StatusCode::OK {
        response = compressed(response).await;
    }
    if mirror.lacks_lengths {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response = response.map(|body| Body::from_stream(body.into_data_stream()));
    }
    mirror.change(response.headers_mut());
    response
}

impl Mirror {
    fn change(&self, headers: &mut HeaderMap) {
        if self.lacks_hub_headers {
            for name in ["x-repo-commit", "x-linked-etag", "x-linked-size"] {
                headers.remove(name);
            }
        }
        for name in ["etag", "x-linked-etag"] {
            if self.lacks_tags {
                headers.remove(name);
            }
            let tag = headers.get(name).and_then(|tag| Some(format!("W/{}", tag.to_str().ok()?)));
            if let Some(weak) = tag.filter(|_| self.has_weak_tags).and_then(|tag| HeaderValue::from_str(&tag).ok())
            {
                headers.insert(name, weak);
            }
        }
    }
}

async fn compressed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let content = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&content).expect("a vector takes all");
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, Body::from(encoder.finish().expect("a vector takes all")))
}
