//! Conditional and partial requests (RFC 9110, sections 13 and 14), by entity tag only.

use std::ops::RangeInclusive;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::HttpError;

/// An entity tag in its quotes.
pub(super) fn etag(hash: &str, encoding: Option<&str>) -> HeaderValue {
    let tag = match encoding {
        Some(encoding) => format!("\"{hash}-{encoding}\""),
        None => format!("\"{hash}\""),
    };
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Checks that the request is for this content, if it says for which.
///
/// # Errors
/// [`HttpError::OtherContent`] when none of its tags is this one. A weak tag is none (RFC 9110, section 13.1.1).
pub(super) fn check_match(request: &HeaderMap, etag: &HeaderValue) -> Result<(), HttpError> {
    let wanted = request.get_all(header::IF_MATCH);
    let is_this = |tag: &str| tag == "*" || tag.as_bytes() == etag.as_bytes();
    let mut tags = wanted.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if wanted.iter().next().is_none() || tags.any(|tag| is_this(tag.trim())) {
        return Ok(());
    }
    Err(HttpError::OtherContent)
}

/// Returns whether the request's entity tag is that of this content.
pub(super) fn is_unchanged(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let tags = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
}

/// Returns the answer for content that the client has. The answer to HEAD has the length of the content, since without
/// one it would be given that of this answer, which is empty.
pub(super) fn not_modified(method: &Method, size_bytes: u64) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    if method == Method::HEAD {
        response.headers_mut().insert(header::CONTENT_LENGTH, size_bytes.into());
    }
    response
}

/// Reduces the request to what `ServeFile` answers by the standard: at most one range, within the file, and no
/// condition. A request for several ranges gets the whole file, as the standard allows.
pub(super) fn normalize_range(method: &Method, request: &mut HeaderMap, etag: &HeaderValue, size_bytes: u64) {
    for name in [header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE] {
        request.remove(name);
    }
    let if_range = request.remove(header::IF_RANGE);
    let is_same_file = if_range.is_none_or(|tag| tag == *etag);
    let sent = take_single(request, header::RANGE).filter(|_| is_same_file && method == Method::GET);
    let range = sent.as_ref().and_then(|sent| single_range(sent.to_str().ok()?, size_bytes));
    if let Some(one) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        request.insert(header::RANGE, one);
    }
}

/// The range of a request after [`normalize_range`], cut to the file; empty if it ends before it begins.
pub(super) fn normalized_range(request: &HeaderMap, size_bytes: u64) -> Option<RangeInclusive<u64>> {
    let (first, last) = bounds(ranges_of(request.get(header::RANGE)?.to_str().ok()?)?, size_bytes)?;
    if first >= size_bytes {
        return Some(RangeInclusive::new(1, 0));
    }
    Some(first..=last.unwrap_or(u64::MAX).min(size_bytes - 1))
}

/// Removes a header; its value if it was sent just once.
fn take_single(request: &mut HeaderMap, name: HeaderName) -> Option<HeaderValue> {
    let n_values = request.get_all(&name).iter().count();
    request.remove(name).filter(|_| n_values == 1)
}

/// One range from its first byte. `None` for what a server should ignore: another unit, nonsense.
fn single_range(range: &str, size_bytes: u64) -> Option<String> {
    let (first, last) = bounds(ranges_of(range)?, size_bytes)?;
    Some(format!("bytes={first}-{}", last.map(|last| last.to_string()).unwrap_or_default()))
}

/// The part after `bytes=`.
fn ranges_of(range: &str) -> Option<&str> {
    let (unit, ranges) = range.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(ranges)
}

/// `FIRST-LAST`, `FIRST-` or `-LENGTH` as the first byte and, if it was given, the last.
fn bounds(range: &str, size_bytes: u64) -> Option<(u64, Option<u64>)> {
    let (first, last) = range.trim().split_once('-')?;
    match (number(first), number(last)) {
        (Some(first), Some(last)) => (first <= last).then_some((first, Some(last))),
        (Some(first), None) if last.is_empty() => Some((first, None)),
        (None, Some(0)) if first.is_empty() => Some((size_bytes, None)),
        (None, Some(length)) if first.is_empty() => Some((size_bytes.saturating_sub(length), None)),
        _ => None,
    }
}

/// Parses digits; a number that is too large becomes the largest one.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_other_content_is_refused() {
        let etag = etag("abc", None);
        let check = |tags: &[&'static str]| {
            let sent = tags.iter().map(|tag| (header::IF_MATCH, HeaderValue::from_static(tag)));
            check_match(&HeaderMap::from_iter(sent), &etag)
        };
        for tags in [&[][..], &["*"], &["\"abc\""], &["\"x\" , \"abc\""], &["\"x\"", "\"abc\""]] {
            assert_eq!(check(tags), Ok(()), "{tags:?}");
        }
        for tags in [&[""][..], &["\"x\""], &["W/\"abc\""], &["abc"]] {
            assert_eq!(check(tags), Err(HttpError::OtherContent), "{tags:?}");
        }
    }

    #[test]
    fn ranges_are_normalized_or_ignored() {
        for (range, expected) in [
            ("bytes=0-0", Some("bytes=0-0")),
            ("Bytes= 007-9", Some("bytes=7-9")),
            ("bytes=10-", Some("bytes=10-")),
            ("bytes=-10", Some("bytes=90-")),
            ("bytes=-1000", Some("bytes=0-")),
            ("bytes=-0", Some("bytes=100-")),
            ("bytes=9-3", None),
            ("bytes=0-1,5-6", None),
            ("bytes=a-b", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("bytes", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(single_range(range, 100).as_deref(), expected, "{range}");
        }
        assert!(single_range("bytes=0-99999999999999999999999", 100).is_some());
    }
}
