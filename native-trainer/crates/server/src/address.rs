//! Tolerates doubled slashes and a slash at the end of addresses.

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use tower::util::MapRequest;

/// Beginnings of the server's own addresses, whose end may have a slash. A page's paths are its own.
const OWN: [&str; 5] = ["/v1/", "/models", "/healthz", "/readyz", "/metrics"];

/// The routes, for addresses with doubled slashes and with one at the end of the server's own.
pub(super) fn tolerant(routes: Router) -> Router {
    let tolerant = MapRequest::new(routes, |mut request: Request| {
        if let Some(uri) = tidied(request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    });
    Router::new().fallback_service(tolerant)
}

/// Returns the normalized address; `None` if it does not change.
fn tidied(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let mut tidy = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter != '/' || !tidy.ends_with('/') {
            tidy.push(letter);
        }
    }
    if OWN.iter().any(|own| tidy.starts_with(own)) {
        tidy.truncate(tidy.trim_end_matches('/').len());
    }
    if tidy == path {
        return None;
    }
    if let Some(query) = uri.query() {
        tidy = format!("{tidy}?{query}");
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(tidy).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_too_many_changes_nothing() {
        for (address, expected) in [
            ("//v1/classify", Some("/v1/classify")),
            ("/v1//classify/?labels=a//b/", Some("/v1/classify?labels=a//b/")),
            ("/healthz/", Some("/healthz")),
            ("http://host//models/", Some("http://host/models")),
            ("//", Some("/")),
            ("/v1/classify?labels=a/", None),
            ("/samples/", None),
            ("/index.html", None),
            ("/", None),
        ] {
            let found = tidied(&address.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{address}");
        }
    }
}
