//! A hub's description of a file before its download; a mirror may leave out any part of it.

use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::model_id::is_plain;

/// The hub's description of a file before its download.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The blob's name.
    pub(super) tag: String,
    pub(super) size_bytes: Option<u64>,
    /// Large files are tagged with their SHA-256, small ones with something only git knows.
    pub(super) sha256: Option<String>,
}

impl Target {
    pub(super) fn of(answer: &Answer, commit: &str, file: &str) -> Self {
        // Only a hub's own tags are hashes of the content; that of a CDN may look like one.
        let of_hub = answer.first_header("x-linked-etag").or_else(|| answer.header_beside("etag", "x-repo-commit"));
        let of_hub = of_hub.and_then(clean_tag);
        let is_sha256 = |tag: &&str| tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        let tag = of_hub.or_else(|| answer.header("etag").and_then(clean_tag));
        let total = content_range(answer).and_then(|(_, total)| total);
        let linked_bytes = || answer.first_header("x-linked-size")?.parse().ok();
        let length = || answer.header("content-length")?.parse().ok().filter(|_| answer.status() == 200);
        Self {
            tag: tag.map_or_else(|| format!("{commit}-{file}"), blob_name),
            size_bytes: total.or_else(linked_bytes).or_else(length),
            sha256: of_hub.filter(is_sha256).map(str::to_ascii_lowercase),
        }
    }
}

/// The text of an entity tag, weak or not; `None` for an empty one.
fn clean_tag(tag: &str) -> Option<&str> {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    Some(tag).filter(|tag| !tag.is_empty())
}

/// A tag as the name of a file, which not every tag can be.
fn blob_name(tag: &str) -> String {
    if is_plain(tag) && tag.len() <= 128 {
        return tag.to_owned();
    }
    format!("etag-{:x}", Sha256::digest(tag))
}

/// `Content-Range: bytes FIRST-LAST/TOTAL`, where the total and, of an unsatisfied range, the first may be unknown.
pub(super) fn content_range(answer: &Answer) -> Option<(u64, Option<u64>)> {
    parse_content_range(answer.header("content-range")?)
}

fn parse_content_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = header.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let first = range.split_once('-').map_or(Some(0), |(first, _)| first.trim().parse().ok())?;
    Some((first, total.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_any_form_name_a_blob() {
        assert_eq!(clean_tag("W/\"abc-12\""), Some("abc-12"));
        assert_eq!(clean_tag(" \"abc\" "), Some("abc"));
        assert_eq!(clean_tag("\"\""), None);
        assert_eq!(blob_name("65f-1a:gzip").len(), "etag-".len() + 64);
        assert_eq!(blob_name("65f-1a"), "65f-1a");
    }

    #[test]
    fn content_ranges_are_read() {
        assert_eq!(parse_content_range("bytes 0-0/1234"), Some((0, Some(1234))));
        assert_eq!(parse_content_range("bytes 70-99/*"), Some((70, None)));
        assert_eq!(parse_content_range("bytes */0"), Some((0, Some(0))));
        assert_eq!(parse_content_range("items 0-1/2"), None);
    }
}
