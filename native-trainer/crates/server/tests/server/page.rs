//! The page: caching, compression and the headers of every answer.

use super::*;

#[tokio::test]
async fn the_page_is_revalidated_and_its_hashed_files_are_kept() {
    let site = Site::new();
    for path in ["/", "/index.html", "/?theme=dark"] {
        let page = site.get(path, &[]).await;
        assert_eq!(page.body, INDEX);
        assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(page.header(header::CACHE_CONTROL), "no-cache");
    }
    for (path, content_type) in [(SCRIPT, "text/javascript; charset=utf-8"), (WASM, "application/wasm")] {
        let asset = site.get(path, &[]).await;
        assert_eq!(asset.header(header::CONTENT_TYPE), content_type);
        assert_eq!(asset.header(header::CACHE_CONTROL), "public, max-age=31536000, immutable");
    }
    let installed = site.get("/site.webmanifest", &[]).await;
    assert_eq!(installed.header(header::CONTENT_TYPE), "application/manifest+json");
    assert_eq!(installed.header(header::CACHE_CONTROL), "no-cache");
    let sample = site.get("/samples/one%20photo.png", &[]).await;
    assert_eq!((sample.status, sample.header(header::CONTENT_TYPE)), (StatusCode::OK, "image/png"));
}

#[tokio::test]
async fn every_answer_is_isolated_and_guarded() {
    let site = Site::new();
    let script = &INDEX[INDEX.find("import").unwrap()..INDEX.find("</script>").unwrap()];
    // The hash that a browser's console suggests if this policy lacks it.
    let hash = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, Sha256::digest(script));
    let etag = site.get("/", &[]).await.header(header::ETAG).to_owned();
    for (method, path, status) in [
        (Method::GET, "/", StatusCode::OK),
        (Method::GET, "/healthz", StatusCode::OK),
        (Method::GET, WEIGHTS, StatusCode::OK),
        (Method::GET, "/nothing", StatusCode::NOT_FOUND),
        (Method::POST, "/", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/%ff", StatusCode::BAD_REQUEST),
    ] {
        let answer = site.send(method, path, &[]).await;
        assert_eq!(answer.status, status, "{path}");
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-"));
        assert!(policy.contains(&format!("'sha256-{hash}'; style-src 'self' 'unsafe-inline'; img-src")));
    }
    let unchanged = site.get("/", &[("if-none-match", &etag)]).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    assert_eq!(unchanged.header("cross-origin-opener-policy"), "same-origin");
}

#[tokio::test]
async fn text_is_compressed_once_each_form_with_its_own_tag() {
    let site = Site::new();
    let plain = site.get(SCRIPT, &[]).await;
    let brotli = site.get(SCRIPT, &[("accept-encoding", "gzip, deflate, br, zstd")]).await;
    let zstd = site.get(SCRIPT, &[("accept-encoding", "gzip, zstd")]).await;
    let gzip = site.get(SCRIPT, &[("accept-encoding", "gzip")]).await;
    assert_eq!(plain.header(header::CONTENT_ENCODING), "");
    assert_eq!(brotli.header(header::CONTENT_ENCODING), "br");
    assert_eq!(zstd.header(header::CONTENT_ENCODING), "zstd");
    assert_eq!(gzip.header(header::CONTENT_ENCODING), "gzip");

    let mut unpacked = Vec::new();
    brotli::Decompressor::new(&brotli.body[..], 4096).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    unpacked.clear();
    assert_eq!(zstd::decode_all(&zstd.body[..]).unwrap(), plain.body);
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);

    for (answer, accepted) in [(&plain, "identity"), (&brotli, "br"), (&zstd, "zstd"), (&gzip, "gzip")] {
        assert_eq!(answer.header(header::VARY), "accept-encoding");
        assert_eq!(answer.header(header::CONTENT_LENGTH), answer.body.len().to_string());
        let etag = answer.header(header::ETAG);
        let again = site.get(SCRIPT, &[("accept-encoding", accepted), ("if-none-match", etag)]).await;
        assert_eq!((again.status, again.header(header::ETAG)), (StatusCode::NOT_MODIFIED, etag));
        assert!(again.body.is_empty());
    }
    let mixed = [("accept-encoding", "br"), ("if-none-match", plain.header(header::ETAG))];
    assert_eq!(site.get(SCRIPT, &mixed).await.status, StatusCode::OK);
}

#[tokio::test]
async fn forms_compressed_beforehand_are_taken_as_they_are() {
    let site = Site::new();
    site.write(&format!("app{WASM}.br"), "brotli");
    site.write(&format!("app{WASM}.zst"), "zstd");
    site.write(&format!("app{WASM}.gz"), "gzip");
    for (accepted, body) in [("br", "brotli"), ("zstd", "zstd"), ("gzip", "gzip"), ("identity", "\0asm")] {
        assert_eq!(site.get(WASM, &[("accept-encoding", accepted)]).await.body, body);
    }
    assert_eq!(site.get(&format!("{WASM}.br"), &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_large_file_of_the_page_is_streamed_in_ranges() {
    let site = Site::new();
    let large = fs::File::create(site.path("app/large.bin")).unwrap();
    large.set_len(40 << 20).unwrap();
    let part = site.get("/large.bin", &[("range", "bytes=41943038-")]).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &[0, 0][..]));
    assert_eq!(part.header(header::CACHE_CONTROL), "no-cache");
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let site = Site::new();
    for path in ["/", SCRIPT, "/models", WEIGHTS, "/healthz", "/readyz"] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let answer = site.send(method, path, &[]).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(answer.header(header::ALLOW), "GET,HEAD");
            let error: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(error["code"], "method_not_allowed");
        }
        let head = site.send(Method::HEAD, path, &[]).await;
        let get = site.get(path, &[]).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        assert_eq!(head.headers, get.headers, "{path}");
    }
    assert_eq!(site.get("/healthz", &[]).await.body, "ok");
}

/// Found by fuzzing: such a path was refused in plain text.
#[tokio::test]
async fn a_path_that_is_no_text_is_refused_as_all_else_is() {
    let site = Site::new();
    for path in ["/%c3", "/%c3/x.js", "/models/%ff/vision.safetensors", "/models/make%20q8/%ff"] {
        let answer = site.get(path, &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::BAD_REQUEST, "application/json"));
        let refusal: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(refusal["code"], "malformed", "{path}");
    }
}
