use super::*;

#[test]
fn the_reason_for_the_cached_copy_does_not_deny_the_copy() {
    let (id, endpoint) = ("a/b".to_owned(), "http://hub".to_owned());
    let unreachable = Error::Unreachable { id, endpoint, cache: "/cache".into(), cause: "no network".into() };
    assert_eq!(reason_for_cache(unreachable).unwrap(), "http://hub cannot be used: no network");
    assert!(reason_for_cache(Error::NoHome).is_err());
}
