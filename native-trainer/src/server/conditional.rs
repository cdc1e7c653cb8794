//! Conditional and partial requests (RFC 9110, sections 13 and 14), by entity tag alone.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// An entity tag in its quotes.
pub(super) fn etag(hash: &str, encoding: Option<&str>) -> HeaderValue {
    let tag = match encoding {
        Some(encoding) => format!("\"{hash}-{encoding}\""),
        None => format!("\"{hash}\""),
    };
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the browser says it has this very content.
pub(super) fn is_unchanged(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let tags = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
}

/// Leaves in the request only what `ServeFile` answers as the standard says: at most one range,
/// within the file, and no condition.
pub(super) fn normalize_range(method: &Method, request: &mut HeaderMap, etag: &HeaderValue, size_bytes: u64) {
    for name in [header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE] {
        request.remove(name);
    }
    let if_range = request.remove(header::IF_RANGE);
    let is_same_file = if_range.is_none_or(|tag| tag == *etag);
    let range = take_single(request, header::RANGE)
        .filter(|_| is_same_file && method == Method::GET)
        .and_then(|range| single_range(range.to_str().ok()?, size_bytes));
    if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        request.insert(header::RANGE, range);
    }
}

/// Removes a header; its value if it was sent just once.
fn take_single(request: &mut HeaderMap, name: HeaderName) -> Option<HeaderValue> {
    let n_values = request.get_all(&name).iter().count();
    request.remove(name).filter(|_| n_values == 1)
}

/// `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH` as a range from a first byte. `None` for
/// what a server should ignore (another unit, nonsense) or may (several ranges).
fn single_range(range: &str, size_bytes: u64) -> Option<String> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (number(first), number(last)) {
        (Some(first), Some(last)) => (first <= last).then(|| format!("bytes={first}-{last}")),
        (Some(first), None) if last.is_empty() => Some(format!("bytes={first}-")),
        (None, Some(0)) if first.is_empty() => Some(format!("bytes={size_bytes}-")),
        (None, Some(length)) if first.is_empty() => Some(format!("bytes={}-", size_bytes.saturating_sub(length))),
        _ => None,
    }
}

/// A number of digits only; one too large for any file stands for the largest.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

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
