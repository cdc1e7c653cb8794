//! The models: their list, manifests and weights.

use super::*;
use std::path::Path;
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn models_are_listed_with_their_manifests() {
    let site = Site::new();
    let list = site.get("/models", &[]).await;
    let list: serde_json::Value = serde_json::from_slice(&list.body).unwrap();
    let address = "/models/make%20q8/manifest.json";
    let manifest = manifest("vision.safetensors", 1000);
    let written: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let expected = serde_json::json!([{
        "name": "MAKE, eight bits", "manifest": address, "trained": true, "notice": written["notice"],
        "weight_format": "int8", "files": written["files"], "label_sets": [],
    }]);
    assert_eq!(list, expected);

    let answer = site.get(address, &[]).await;
    assert_eq!(answer.body, manifest);
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-cache");
    let etag = answer.header(header::ETAG);
    assert_eq!(site.get(address, &[("if-none-match", etag)]).await.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn weights_are_kept_for_good_under_their_hash() {
    let site = Site::new();
    let (hash, etag) = (sha256(weights()), format!("\"{}\"", sha256(weights())));
    for (path, caching) in [
        (format!("{WEIGHTS}?v={hash}"), "public, max-age=31536000, immutable"),
        (format!("{WEIGHTS}?a=b&v={}", hash.to_uppercase()), "public, max-age=31536000, immutable"),
        (format!("{WEIGHTS}?v={}", sha256("other")), "public, max-age=0, must-revalidate"),
        (WEIGHTS.to_owned(), "public, max-age=0, must-revalidate"),
    ] {
        let answer = site.get(&path, &[("accept-encoding", "br, gzip")]).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, weights().into()));
        assert_eq!(answer.headers[header::CACHE_CONTROL], caching, "{path}");
        assert_eq!(answer.headers[header::ETAG], etag);
        assert_eq!(answer.headers[header::ACCEPT_RANGES], "bytes");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/octet-stream");
        assert_eq!(answer.headers[header::CONTENT_LENGTH], "1000");
    }
    for tags in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let answer = site.get(WEIGHTS, &[("if-none-match", &tags), ("range", "bytes=0-1")]).await;
        assert_eq!((answer.status, answer.header(header::ETAG)), (StatusCode::NOT_MODIFIED, &*etag));
    }
    assert_eq!(site.get(WEIGHTS, &[("if-none-match", "\"x\"")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn ranges_are_answered_as_the_standard_says() {
    let site = Site::new();
    let whole = weights();
    let etag = format!("\"{}\"", sha256(&whole));
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=990-", 990, 999),
        ("bytes=990-5000", 990, 999),
        ("bytes=-10", 990, 999),
        ("bytes=-5000", 0, 999),
    ] {
        for if_range in [None, Some(("if-range", etag.as_str()))] {
            let headers: Vec<_> = [("range", range)].into_iter().chain(if_range).collect();
            let answer = site.get(WEIGHTS, &headers).await;
            assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{range}");
            assert_eq!(answer.body, whole[first..=last], "{range}");
            assert_eq!(answer.header(header::CONTENT_RANGE), format!("bytes {first}-{last}/1000"));
            assert_eq!(answer.header(header::CONTENT_LENGTH), (last - first + 1).to_string());
            assert_eq!(answer.header(header::ETAG), etag);
        }
    }
    for range in ["bytes=1000-", "bytes=5000-6000", "bytes=-0"] {
        let answer = site.get(WEIGHTS, &[("range", range)]).await;
        assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        assert_eq!(answer.header(header::CONTENT_RANGE), "bytes */1000");
    }
    for ignored in [
        &[("range", "bytes=5-1")][..],
        &[("range", "bytes=0-1,x")],
        &[("range", "bytes=990-, 0-1, 100-149")],
        &[("range", "bytes=1000-,-0")],
        &[("range", "chunks=0-1")],
        &[("range", "bytes=0-1"), ("range", "bytes=5-6")],
        &[("range", "bytes=0-1"), ("if-range", "\"another\"")],
        &[("range", "bytes=0-1"), ("if-range", "Wed, 21 Oct 2065 07:28:00 GMT")],
        &[("if-modified-since", "Wed, 21 Oct 2065 07:28:00 GMT")],
        &[("if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT")],
    ] {
        let answer = site.get(WEIGHTS, ignored).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 1000), "{ignored:?}");
    }
    for (if_match, expected) in
        [(etag.as_str(), StatusCode::PARTIAL_CONTENT), ("\"another\"", StatusCode::PRECONDITION_FAILED)]
    {
        let answer = site.get(WEIGHTS, &[("range", "bytes=0-1"), ("if-match", if_match)]).await;
        assert_eq!(answer.status, expected, "{if_match}");
    }
    let head = site.send(Method::HEAD, WEIGHTS, &[("range", "bytes=0-1")]).await;
    assert_eq!((head.status, head.header(header::CONTENT_LENGTH)), (StatusCode::OK, "1000"));
}

#[tokio::test]
async fn a_file_that_vanishes_is_an_error_and_not_a_hang() {
    let site = Site::new();
    let router = site.router();
    fs::remove_file(site.path("make q8/vision.safetensors")).unwrap();
    let request = Request::get(WEIGHTS).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers()["content-type"], "application/json");
}

/// Sets a time that no write of this test has.
fn touch(path: &Path) {
    let later = SystemTime::now() + Duration::from_secs(60);
    fs::File::options().append(true).open(path).unwrap().set_modified(later).unwrap();
}

async fn status(router: &Router, path: &str) -> StatusCode {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap().status()
}

/// A model that is quantized again in its place has files of the same names and lengths.
#[tokio::test]
async fn a_file_that_changed_is_not_sent_under_its_old_hash() {
    let site = Site::new();
    let router = site.router();
    let file = format!("{WEIGHTS}?v={}", sha256(weights()));
    assert_eq!(status(&router, &file).await, StatusCode::OK);
    site.write("make q8/vision.safetensors", &weights().replace('0', "x"));
    touch(&site.path("make q8/vision.safetensors"));
    assert_eq!(status(&router, &file).await, StatusCode::INTERNAL_SERVER_ERROR);
    // A copy of the right one is put back.
    site.write("make q8/vision.safetensors", &weights());
    assert_eq!(status(&router, &file).await, StatusCode::OK);
}

/// A router of the folder `parent`, into which the model is put as `b`.
fn router_of_a_folder(site: &Site) -> Router {
    fs::create_dir_all(site.path("parent")).unwrap();
    fs::rename(site.path("make q8"), site.path("parent/b")).unwrap();
    Server::new(&ServeConfig { models: vec![site.path("parent")], ..site.config() }).unwrap().router()
}

#[tokio::test]
async fn a_model_in_a_folder_is_read_again_when_it_is_replaced_or_gone() {
    let site = Site::new();
    let router = router_of_a_folder(&site);
    let file = "/models/b/vision.safetensors";
    assert_eq!(status(&router, file).await, StatusCode::OK);
    let other = weights().replace('0', "x");
    site.write("parent/b/vision.safetensors", &other);
    touch(&site.path("parent/b/vision.safetensors"));
    assert_eq!(status(&router, file).await, StatusCode::INTERNAL_SERVER_ERROR, "not the manifest's");
    let manifest = manifest("vision.safetensors", 1000).replace(&sha256(weights()), &sha256(&other));
    site.write("parent/b/manifest.json", &manifest);
    touch(&site.path("parent/b/manifest.json"));
    assert_eq!(status(&router, file).await, StatusCode::OK);
    assert_eq!(status(&router, "/models/b/others.bin").await, StatusCode::OK);
    fs::remove_dir_all(site.path("parent/b")).unwrap();
    assert_eq!(status(&router, file).await, StatusCode::NOT_FOUND);
}

/// Found in use: a copy that was damaged in the middle was listed first, and stayed in caches for a year.
#[tokio::test]
async fn a_model_whose_file_has_another_hash_is_not_listed_and_the_file_not_sent() {
    let site = Site::new();
    site.write("parent/a/manifest.json", &manifest("vision.safetensors", 1000));
    site.write("parent/a/others.bin", OTHERS);
    site.write("parent/a/vision.safetensors", &weights().replace('5', "x"));
    let router = router_of_a_folder(&site);
    let list = async || {
        let request = Request::get("/models").body(Body::empty()).unwrap();
        let body = router.clone().oneshot(request).await.unwrap().into_body();
        let list: serde_json::Value = serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap();
        let manifest = |model: &serde_json::Value| model["manifest"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(manifest).collect::<Vec<_>>()
    };
    let file = format!("/models/a/vision.safetensors?v={}", sha256(weights()));
    assert_eq!(status(&router, &file).await, StatusCode::INTERNAL_SERVER_ERROR, "before the first list");
    assert_eq!(list().await, ["/models/b/manifest.json"]);
    assert_eq!(status(&router, &file).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(status(&router, "/models/b/vision.safetensors").await, StatusCode::OK);

    site.write("parent/a/vision.safetensors", &weights());
    touch(&site.path("parent/a/vision.safetensors"));
    assert_eq!(list().await, ["/models/a/manifest.json", "/models/b/manifest.json"]);
    assert_eq!(status(&router, &file).await, StatusCode::OK);
}

#[tokio::test]
async fn a_model_put_into_a_folder_is_found_without_a_restart() {
    let site = Site::new();
    let router = router_of_a_folder(&site);
    let get = async |path: &str| {
        let response = router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        (response.status(), to_bytes(response.into_body(), usize::MAX).await.unwrap())
    };
    let names = async || {
        let list: serde_json::Value = serde_json::from_slice(&get("/models").await.1).unwrap();
        let manifest = |model: &serde_json::Value| model["manifest"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(manifest).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["/models/b/manifest.json"]);

    // Half copied: the manifest is there, the weights are not.
    site.write("parent/a/manifest.json", &manifest("vision.safetensors", 1000));
    site.write("parent/a/others.bin", OTHERS);
    assert_eq!(names().await, ["/models/b/manifest.json"]);
    assert_eq!(get("/models/a/vision.safetensors").await.0, StatusCode::NOT_FOUND);
    site.write("parent/a/vision.safetensors", &weights());
    assert_eq!(get("/models/a/vision.safetensors").await, (StatusCode::OK, weights().into()));
    assert_eq!(names().await, ["/models/a/manifest.json", "/models/b/manifest.json"]);

    fs::remove_dir_all(site.path("parent/b")).unwrap();
    assert_eq!(names().await, ["/models/a/manifest.json"]);
    assert_eq!(get("/models/b/vision.safetensors").await.0, StatusCode::NOT_FOUND);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_a_folder_of_models_leads_nowhere() {
    let site = Site::new();
    fs::create_dir(site.path("parent")).unwrap();
    fs::rename(site.path("make q8"), site.path("parent/b")).unwrap();
    std::os::unix::fs::symlink(site.path("parent/b"), site.path("parent/a")).unwrap();
    let config = ServeConfig { models: vec![site.path("parent")], ..site.config() };
    let request = Request::get("/models/a/manifest.json").body(Body::empty()).unwrap();
    let response = Server::new(&config).unwrap().router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}
