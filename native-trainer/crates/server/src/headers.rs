//! Headers of every answer. The page may run only its own code, and is isolated from other sites, which also allows
//! shared memory.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// For an address with the hash of the content, which never changes.
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The browser may cache it, but must revalidate it each time.
pub(super) const REVALIDATE: &str = "no-cache";

const FIXED: [(HeaderName, HeaderValue); 5] = [
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-embedder-policy"), HeaderValue::from_static("require-corp")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// The headers, made once.
#[derive(Clone)]
pub(super) struct Security {
    content_security_policy: HeaderValue,
}

impl Security {
    pub(super) fn new(script_hashes: Vec<String>) -> Self {
        let policy = format!("{}; frame-ancestors 'none'", content_security_policy(&script_hashes));
        let content_security_policy = HeaderValue::try_from(policy)
            .expect("the policy is made of fixed words and base64, which headers may carry");
        Self { content_security_policy }
    }

    pub(super) fn apply(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.extend(FIXED);
        headers.insert(header::CONTENT_SECURITY_POLICY, self.content_security_policy.clone());
        response
    }
}

/// Returns the page's Content-Security-Policy: its own files alone, and no other connection. Without `frame-ancestors`,
/// which only a header can have.
pub(super) fn content_security_policy(script_hashes: &[String]) -> String {
    let hashes: String = script_hashes.iter().map(|hash| format!(" 'sha256-{hash}'")).collect();
    format!(
        "default-src 'none'; \
         script-src 'self' 'wasm-unsafe-eval'{hashes}; \
         style-src 'self' 'unsafe-inline'; \
         img-src 'self' blob: data:; \
         connect-src 'self'; \
         worker-src 'self' blob:; \
         manifest-src 'self'; \
         media-src 'self' blob:; \
         form-action 'none'; \
         base-uri 'none'"
    )
}

/// SHA-256, in base64, of each inline script of the page.
pub(super) fn inline_script_hashes(html: &str) -> Vec<String> {
    // A browser hashes the parsed text, in which all line ends are LF.
    let html = html.replace("\r\n", "\n");
    let lower = html.to_ascii_lowercase();
    let mut hashes = Vec::new();
    let mut at = 0;
    while let Some(start) = lower[at..].find("<script").map(|found| at + found + "<script".len()) {
        let Some(open) = tag_end(&lower[start..]).map(|found| start + found) else { break };
        let Some(close) = lower[open..].find("</script").map(|found| open + found) else { break };
        let script = &html[open + 1..close];
        if !has_src(&lower[start..open]) && !script.is_empty() {
            hashes.push(STANDARD.encode(Sha256::digest(script)));
        }
        at = close;
    }
    hashes
}

/// Position of a tag's `>`, not counting those in quotes.
fn tag_end(attributes: &str) -> Option<usize> {
    let mut quote = None;
    attributes.bytes().position(|byte| {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            _ => {}
        }
        quote.is_none() && byte == b'>'
    })
}

fn has_src(attributes: &str) -> bool {
    let mut words = attributes.split([' ', '\n', '\t', '\r', '/']);
    words.any(|word| word == "src" || word.starts_with("src="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_in_the_page_are_hashed_and_linked_ones_are_not() {
        // printf 'start()\n' | openssl dgst -sha256 -binary | base64
        let expected = "b63+WlQSayrSnclvgVNaVoB0SXZijOC0klJaQKBPFb0=";
        let html = "<!DOCTYPE html><SCRIPT type=\"module\" data-src=\"a>b\">start()\r\n</SCRIPT>\
                    <script src=\"a.js\"></script><script defer src='b.js'>unused</script><script></script>";
        assert_eq!(inline_script_hashes(html), [expected]);
        assert!(inline_script_hashes("<script>never closed").is_empty());
    }
}
