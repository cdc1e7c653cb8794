//! The page inside the program, and its demo model, which is hosted as its folder is.

use super::demo::demo_model;
use super::*;

#[tokio::test]
async fn it_is_answered_as_its_folder_is_whole_and_in_ranges() {
    let site = Site::new();
    let host = |models: Vec<PathBuf>| Server::new(&ServeConfig { models, ..site.config() }).unwrap().router();
    let (folder, carried) = (host(vec![demo_model()]), host(vec![]));
    let merges = "/models/demo/clip_merges.bin";
    let size = fs::metadata(demo_model().join("clip_merges.bin")).unwrap().len();
    let hash = sha256(fs::read(demo_model().join("clip_merges.bin")).unwrap());
    let tag = format!("\"{hash}\"");
    for path in ["/models", "/models/demo/manifest.json", merges, "/models/demo/secret"] {
        same(&folder, &carried, Method::GET, path, &[]).await;
        same(&folder, &carried, Method::HEAD, path, &[]).await;
        same(&folder, &carried, Method::POST, path, &[]).await;
    }
    same(&folder, &carried, Method::GET, &format!("{merges}?v={hash}"), &[]).await;
    let last = size - 1;
    for range in [
        "bytes=0-",
        "bytes=0-0",
        "bytes=5-100",
        "bytes=-7",
        "bytes=-99999999",
        "bytes=-0",
        "bytes=9-3",
        "bytes=x",
        &format!("bytes={last}-{}", size + 100),
        &format!("bytes={size}-"),
        "bytes=0-1,5-6",
        "bytes=0-1, 99999999-",
        "bytes=99999999-,-0",
    ] {
        for method in [Method::GET, Method::HEAD] {
            same(&folder, &carried, method.clone(), merges, &[("range", range)]).await;
            same(&folder, &carried, method, merges, &[("range", range), ("if-range", "\"other\"")]).await;
        }
    }
    for condition in [&*tag, "*", "\"other\""] {
        same(&folder, &carried, Method::GET, merges, &[("if-none-match", condition)]).await;
    }
}

/// Both answer alike.
async fn same(folder: &Router, carried: &Router, method: Method, path: &str, headers: &[(&str, &str)]) {
    let mut answers = Vec::new();
    for router in [folder, carried] {
        let mut request = Request::builder().method(&method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (mut head, body) = response.into_parts();
        let mut names: Vec<_> =
            head.headers.drain().map(|(name, value)| (name.map(|name| name.to_string()), value)).collect();
        names.sort();
        answers.push((head.status, names, to_bytes(body, usize::MAX).await.unwrap()));
    }
    assert_eq!(answers[0].0, answers[1].0, "{method} {path} {headers:?}");
    assert_eq!(answers[0].1, answers[1].1, "{method} {path} {headers:?}");
    assert!(answers[0].2 == answers[1].2, "{method} {path} {headers:?}");
}

#[tokio::test]
async fn a_program_has_a_page_with_its_licenses_or_says_how_to_build_it() {
    let site = Site::new();
    let router = Server::new(&ServeConfig { app: None, ..site.config() }).unwrap().router();
    for accepted in ["br", "gzip", "identity"] {
        let (content_type, page) = text_of(&router, "/", accepted).await;
        assert_eq!(content_type, "text/html; charset=utf-8");
        if page.contains("just build") {
            continue; // the program was built before its page
        }
        assert!(page.contains("<title>Dermake"), "{page}");
        let (content_type, licenses) = text_of(&router, "/licenses.txt", accepted).await;
        assert_eq!(content_type, "text/plain; charset=utf-8");
        for part in ["Permission is hereby granted", "OpenAI's CLIP", "leptos 0.", "candle-core 0."] {
            assert!(licenses.contains(part), "{part}");
        }
    }
}

/// The media type and the text of an answer, unpacked.
async fn text_of(router: &Router, path: &str, accepted: &str) -> (String, String) {
    let request = Request::builder().uri(path).header("accept-encoding", accepted).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let value_of =
        |name: header::HeaderName| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (content_type, encoding) = (value_of(header::CONTENT_TYPE), value_of(header::CONTENT_ENCODING));
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut text = Vec::new();
    match encoding.as_deref() {
        Some("br") => brotli::Decompressor::new(&body[..], 4096).read_to_end(&mut text).map(drop).unwrap(),
        Some("gzip") => flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut text).map(drop).unwrap(),
        _ => text = body.to_vec(),
    }
    (content_type.unwrap_or_default(), String::from_utf8(text).unwrap())
}

#[test]
fn the_build_warns_of_a_page_that_computes_on_one_core() {
    let page = |workers: &[&str]| -> Vec<PathBuf> {
        let of_worker = |name: &&str| [format!("worker-0a-{name}.js"), format!("worker-0a-{name}_bg.wasm")];
        let others = ["index.html", "web-0a_bg.wasm"].map(String::from);
        workers.iter().flat_map(of_worker).chain(others).map(|name| PathBuf::from("web/dist").join(name)).collect()
    };
    assert!(build_workers::warning(&page(&["plain"])).unwrap().contains("./justw build"));
    assert_eq!(build_workers::warning(&page(&["plain", "threads"])), None);
    assert_eq!(build_workers::warning(&[]), None, "a program without a page");
}
