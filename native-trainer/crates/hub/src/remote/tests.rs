//! When the cached copy is used in place of a download, and the reason that is given.

use super::*;

#[test]
fn the_reason_for_the_cached_copy_does_not_deny_the_copy() {
    let (id, endpoint) = ("a/b".to_owned(), "http://hub".to_owned());
    let unreachable = Error::Unreachable { id, endpoint, cache: "/cache".into(), cause: "no network".into() };
    assert_eq!(reason_for_cache(unreachable).unwrap(), "http://hub cannot be used: no network");
    assert!(reason_for_cache(Error::NoHome).is_err());
}

#[test]
fn the_cached_copy_is_taken_for_a_download_that_may_succeed_later() {
    let failed = |is_passing| {
        let (file, cause) = ("a.bin".to_owned(), "HTTP status 503".into());
        reason_for_cache(Error::Download { file, is_passing, cause })
    };
    let reason = failed(true).unwrap();
    assert_eq!(reason, "the download of a.bin failed; run the command again to go on with it: HTTP status 503");
    assert!(failed(false).is_err());
    let file = || "a.bin".to_owned();
    assert!(reason_for_cache(Error::Incomplete { file: file(), expected: 2, received: 1 }).is_ok());
    assert!(reason_for_cache(Error::Page { file: file(), endpoint: "http://hub".into() }).is_ok());
    let damaged = Error::Damaged { file: file(), expected: "a".into(), found: "b".into() };
    assert!(reason_for_cache(damaged).is_err());
}
