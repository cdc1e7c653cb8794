//! Who may ask the models.

use super::demo::{demo_model, photo};
use super::running::Running;
use super::*;

fn authorized(server: &Running, path: &str, authorization: &str) -> u16 {
    server.send(path, &[("content-type", "image/jpeg"), ("authorization", authorization)], &photo(0)).status
}

#[test]
fn where_tokens_are_asked_for_one_must_be_sent() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, "first\n# c\nsecond\n").unwrap();
    let server = Running::with(|config| config.access.tokens = Some(tokens));
    for (authorization, status) in
        [("Bearer second", 200), ("Bearer third", 401), ("Basic first", 401), ("Bearer # c", 401)]
    {
        assert_eq!(authorized(&server, "/v1/classify", authorization), status, "{authorization}");
    }
    let without = server.post_photo("/v1/embed", 0);
    assert_eq!((without.status, without.code()), (401, "unauthorized"));
    assert_eq!(without.headers["www-authenticate"], "Bearer");
    assert_eq!(server.get("/metrics").status, 401);
    for open in ["/healthz", "/readyz", "/models", "/v1/openapi.json", "/"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }
}

#[test]
fn a_client_that_asks_too_often_is_told_when_to_come_again() {
    let server = Running::with(|config| {
        config.limits.rate_per_sec = 1;
        config.limits.rate_burst = 2;
        config.access.behind_proxy = true;
    });
    let ask = |client: &str| {
        server.send("/v1/classify", &[("content-type", "text/plain"), ("x-forwarded-for", client)], b"x")
    };
    // Failed requests count too.
    let statuses: Vec<_> = (0..8).map(|_| ask("10.0.0.1").status).collect();
    assert_eq!(statuses[..2], [415, 415]);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(ask("10.0.0.2").status, 415, "another client");
    let refused = (0..8).map(|_| ask("10.0.0.2")).find(|reply| reply.status == 429).unwrap();
    assert_eq!((refused.code(), &refused.headers["retry-after"]), ("too_many_requests", &"1".parse().unwrap()));
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn pages_of_other_sites_may_ask_only_where_they_are_named() {
    let origin = "https://clinic.example";
    let named = Running::with(|config| config.access.cors_origins = vec![origin.into()]);
    let closed = Running::with(|_| {});
    let ask = |server: &Running, origin: &str| {
        let reply = server.send("/v1/classify", &[("content-type", "image/jpeg"), ("origin", origin)], &photo(0));
        reply.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(ask(&named, origin).as_deref(), Some(origin));
    assert_eq!(ask(&named, "https://other.example"), None);
    assert_eq!(ask(&closed, origin), None);
}

/// As the JavaScript package does on a page of another site, also where no model answers.
#[tokio::test]
async fn pages_of_other_sites_may_download_the_models_only_where_they_are_named() {
    let (site, origin) = (Site::new(), "https://clinic.example");
    let mut config = site.config();
    config.access.cors_origins = vec![origin.into()];
    let named = Server::new(&config).unwrap().router();
    let allowed = |answer: &Answer| answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN).to_owned();
    let range = [("origin", origin), ("range", "bytes=0-9")];
    for path in ["/models", "/models/make%20q8/manifest.json", WEIGHTS, "/models/none/manifest.json"] {
        let sent = answer(named.clone(), Method::GET, path, &range).await;
        assert_eq!(allowed(&sent), origin, "{path}");
        assert_eq!(sent.header(header::ACCESS_CONTROL_EXPOSE_HEADERS), "content-range", "{path}");
        let other = [("origin", "https://other.example")];
        assert_eq!(allowed(&answer(named.clone(), Method::GET, path, &other).await), "", "{path}");
        assert_eq!(allowed(&site.get(path, &range).await), "", "{path}: none is named");

        let wanted =
            [range[0], ("access-control-request-method", "GET"), ("access-control-request-headers", "range")];
        let preflight = answer(named.clone(), Method::OPTIONS, path, &wanted).await;
        assert_eq!((preflight.status, allowed(&preflight)), (StatusCode::OK, origin.to_owned()), "{path}");
        assert_eq!(preflight.header(header::ACCESS_CONTROL_ALLOW_METHODS), "GET,HEAD", "{path}");
        assert_eq!(preflight.header(header::ACCESS_CONTROL_ALLOW_HEADERS), "range", "{path}");
    }
    let weights = answer(named.clone(), Method::GET, WEIGHTS, &range).await;
    assert_eq!((weights.status, weights.body.len()), (StatusCode::PARTIAL_CONTENT, 10));
    assert_eq!(answer(named.clone(), Method::DELETE, WEIGHTS, &range).await.status, StatusCode::METHOD_NOT_ALLOWED);
    for path in ["/", SCRIPT, "/healthz", "/metrics"] {
        assert_eq!(allowed(&answer(named.clone(), Method::GET, path, &range).await), "", "{path}");
    }
}

/// What a browser asks before it sends JSON, or a token.
#[test]
fn a_preflight_is_answered_without_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    fs::write(&file, "first\n").unwrap();
    for tokens in [None, Some(file)] {
        let server = Running::with(|config| {
            config.access.cors_origins = vec!["https://Clinic.example:443".into()];
            config.access.tokens = tokens.clone();
        });
        let ask = |origin: &str| {
            let wanted = ("access-control-request-headers", "authorization,content-type");
            let headers = [("origin", origin), ("access-control-request-method", "POST"), wanted];
            server.options("/v1/classify", &headers)
        };
        let allowed = ask("https://clinic.example");
        assert_eq!(allowed.status, 200, "{allowed:?}");
        assert_eq!(allowed.headers["access-control-allow-origin"], "https://clinic.example");
        assert_eq!(allowed.headers["access-control-allow-methods"], "POST");
        assert_eq!(allowed.headers["access-control-allow-headers"], "authorization,content-type");
        assert!(!ask("https://other.example").headers.contains_key("access-control-allow-origin"));

        // The page may read why it is refused.
        let json = [("content-type", "application/json"), ("origin", "https://clinic.example")];
        let refused = server.send("/v1/embed", &json, b"{}");
        assert_eq!(refused.status, if tokens.is_some() { 401 } else { 422 });
        assert_eq!(refused.headers["access-control-allow-origin"], "https://clinic.example");
    }
}

#[test]
fn a_certificate_and_its_key_make_the_server_speak_tls() {
    use ureq::tls::{Certificate, RootCerts, TlsConfig};
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let options = TlsOptions { certificate: Some(certificate), key: Some(key) };
    let server = Running::with(|config| config.tls = options);

    let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[trusted])).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let url = format!("https://localhost:{}/v1/classify", server.address.port());
    let answer = agent.post(url).header("content-type", "image/jpeg").send(&photo(0)).unwrap();
    assert_eq!(answer.status(), 200);

    let mut plain = TcpStream::connect(server.address).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).ok();
    assert!(!answer.starts_with(b"HTTP"), "no answer in the clear");
}

#[test]
fn what_the_options_name_must_be_usable() {
    let site = Site::new();
    let complaint = |change: &dyn Fn(&mut ServeConfig)| {
        let mut config = site.config();
        change(&mut config);
        Server::new(&config).err().unwrap()
    };
    let missing = complaint(&|config| config.access.tokens = Some("no/such/file".into()));
    assert!(matches!(missing, Error::TextFile(_)), "{missing}");
    let no_origin = complaint(&|config| {
        config.models = vec![demo_model()];
        config.infer.device = Some("cpu".parse().unwrap());
        config.access.cors_origins = vec!["clinic.example".into()];
    });
    assert!(matches!(no_origin, Error::Origin { .. }), "{no_origin}");
    let no_key = complaint(&|config| {
        let file = Some(site.path("secret.txt"));
        config.tls = TlsOptions { certificate: file.clone(), key: file };
    });
    assert!(no_key.to_string().starts_with("cannot use the certificate for TLS, expected PEM: "), "{no_key}");
    let slash = complaint(&|config| config.access.cors_origins = vec!["https://clinic.example/".into()]);
    assert!(slash.to_string().ends_with("without a slash behind them"), "without --infer, too: {slash}");
    let no_model = complaint(&|config| config.infer.device = Some("cpu".parse().unwrap()));
    assert!(matches!(&no_model, Error::Model { .. }), "{no_model}");
}
