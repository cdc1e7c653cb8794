//! Tests of tokens and of what they protect.

use super::*;
use axum::body::Body;
use std::fs;

#[test]
fn only_a_known_token_passes() {
    let tokens = Tokens(vec![hash("first"), hash("second")]);
    let know = |value: &str| tokens.know(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]));
    assert!(know("Bearer first") && know("bearer second"));
    for wrong in ["Bearer", "Bearer ", "Bearer firs", "Bearer firsts", "first", "Basic first", ""] {
        assert!(!know(wrong), "{wrong}");
    }
    assert!(!tokens.know(&HeaderMap::new()));
}

#[test]
fn a_file_of_tokens_must_have_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    fs::write(&path, " \n\n").unwrap();
    assert!(matches!(Tokens::read(&path), Err(Error::NoTokens { .. })));
    fs::write(&path, "one\n two \n").unwrap();
    assert_eq!(Tokens::read(&path).unwrap().0, [hash("one"), hash("two")]);
    fs::write(&path, "# clinic\none\n  # c\n#two\n").unwrap();
    assert_eq!(Tokens::read(&path).unwrap().0, [hash("one")], "a remark is no token");
    fs::write(&path, "one # of the clinic\ntwo\t# c\nth#ree\n").unwrap();
    assert_eq!(Tokens::read(&path).unwrap().0, [hash("one"), hash("two"), hash("th#ree")]);
    fs::write(&path, "# none yet\n").unwrap();
    assert!(matches!(Tokens::read(&path), Err(Error::NoTokens { .. })));
    for wrong in ["one\ntwo words\n", "one\nt\u{f6}ken\n"] {
        fs::write(&path, wrong).unwrap();
        assert!(matches!(Tokens::read(&path), Err(Error::NotAToken { line: 2, .. })), "{wrong:?}");
    }
}

#[test]
fn a_token_that_is_taken_away_passes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    fs::write(&path, "first\nsecond\n").unwrap();
    let options = AccessOptions { tokens: Some(path.clone()), ..Default::default() };
    let guard = Guard::new(&options, &Limits::DEFAULT).unwrap();
    let passes = |token: &str| {
        let sent = format!("Bearer {token}").parse().unwrap();
        guard.check_token(&HeaderMap::from_iter([(header::AUTHORIZATION, sent)])).is_ok()
    };
    assert!(passes("first") && passes("second") && !passes("third"));
    fs::write(&path, "second\nthird, a new one\n").unwrap();
    guard.watched().unwrap().update();
    assert!(passes("first"), "the new file has no tokens");
    fs::write(&path, "second\nthird\n# the first is gone\n").unwrap();
    guard.watched().unwrap().update();
    assert!(!passes("first") && passes("second") && passes("third"));
}

#[test]
fn a_proxy_is_believed_only_where_one_is() {
    let mut request = Request::get("/").header(FORWARDED_FOR, "1.1.1.1, 2.2.2.2").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer([3, 3, 3, 3].into()));
    let client = |behind_proxy| Guard { tokens: None, rate: None, behind_proxy }.client(&request);
    assert_eq!(client(true), Some([2, 2, 2, 2].into()));
    assert_eq!(client(false), Some([3, 3, 3, 3].into()));
}

/// Azure's gateways and IIS write the port too: all clients were one, the proxy.
#[test]
fn a_proxy_may_write_the_port_of_its_client() {
    for (entry, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:4711 ", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
    ] {
        assert_eq!(address(entry), expected.parse().ok(), "{entry}");
    }
    for entry in ["", "unknown", "192.0.2.1:port", "[]"] {
        assert_eq!(address(entry), None, "{entry}");
    }
}

#[test]
fn origins_are_checked_at_start() {
    let cors = |origin: &str| Cors::new(&AccessOptions { cors_origins: vec![origin.into()], ..Default::default() });
    assert_eq!(cors("https://example.org").unwrap().origins, ["https://example.org"]);
    for wrong in [
        "*",
        "example.org",
        "https://example.org/",
        "https://a\n",
        "https://",
        "https://a b",
        "https://ada@example.org",
        "https://*.example.org",
        "ftp://example.org",
    ] {
        assert!(matches!(cors(wrong), Err(Error::Origin { .. })), "{wrong}");
    }
}

#[test]
fn an_origin_is_compared_as_browsers_send_it() {
    for (typed, sent) in [
        ("https://Clinic.Example", "https://clinic.example"),
        ("HTTPS://clinic.example:443", "https://clinic.example"),
        ("http://localhost:80", "http://localhost"),
        ("https://clinic.example:80", "https://clinic.example:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        assert_eq!(origin(typed), Some(HeaderValue::from_static(sent)), "{typed}");
    }
}
