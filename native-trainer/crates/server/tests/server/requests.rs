//! Requests as clients of other servers write them: what is taken, and in which words the rest is refused.

use super::demo::photo;
use super::running::{Reply, Running};
use super::*;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

fn message(reply: &Reply) -> &str {
    reply.body["message"].as_str().unwrap()
}

fn post_json(server: &Running, path: &str, body: &Value) -> Reply {
    server.post(path, "application/json", body.to_string())
}

/// Every 76 digits a line, as MIME has it.
fn in_lines(base64: &str) -> String {
    base64.as_bytes().chunks(76).map(|line| format!("{}\r\n", str::from_utf8(line).unwrap())).collect()
}

#[test]
fn a_photo_is_taken_under_every_usual_name() {
    let server = Running::with(|config| config.limits.rate_per_sec = 0);
    let expected = server.post_photo("/v1/classify", 0).predictions();
    for field in ["image", "file", "photo", "upload", "images", "img", "files[]", "Image"] {
        let answer = server.post_form("/v1/classify", &[(field, &photo(0))]);
        assert_eq!(answer.predictions(), expected, "{field}");
    }
    let unknown = server.post_form("/v1/classify", &[("scan", &photo(0))]);
    assert_eq!((unknown.status, unknown.code()), (400, "malformed"));
    for name in ["`scan`", "`image`", "`file`"] {
        assert!(message(&unknown).contains(name), "{unknown:?}");
    }
}

#[test]
fn json_holds_photos_as_data_uris_or_base64() {
    let server = Running::with(|config| config.limits.rate_per_sec = 0);
    let expected = server.post_photo("/v1/classify?labels=acne,nevus&top_k=1", 0).predictions();
    let base64 = BASE64_STANDARD.encode(photo(0));
    let uri = format!("data:image/jpeg;base64,{base64}");
    for image in [
        json!(uri),
        json!(base64),
        json!(in_lines(&base64)),
        json!(BASE64_URL_SAFE_NO_PAD.encode(photo(0))),
        json!([uri]),
        json!({ "url": uri }),
        json!({ "type": "image_url", "image_url": { "url": uri } }),
        json!({ "type": "image", "source": { "type": "base64", "media_type": "image/jpeg", "data": base64 } }),
    ] {
        let body = json!({ "image": image, "labels": ["acne", "nevus"], "top_k": 1 });
        assert_eq!(post_json(&server, "/v1/classify", &body).predictions(), expected);
    }
    let annotated = post_json(&server, "/v1/annotate", &json!({ "file": uri, "concepts": ["Bulla", "tattoo"] }));
    assert_eq!(annotated.body["concepts"].as_array().unwrap().len(), 2, "{annotated:?}");
    let embedded = post_json(&server, "/v1/embed", &json!({ "images": [uri, base64] })).numbers("embeddings");
    assert_eq!(embedded[..embedded.len() / 2], embedded[embedded.len() / 2..]);
    let compared = post_json(&server, "/v1/similarity", &json!({ "image": uri, "texts": ["a wheal", "a nevus"] }));
    assert_eq!(compared.numbers("cosines").len(), 2);
    let form = server.post_form("/v1/classify?labels=acne,nevus&top_k=1", &[("image", uri.as_bytes())]);
    assert_eq!(form.predictions(), expected, "what a canvas gives, in a form");
}

#[test]
fn parameters_are_taken_as_clients_write_them() {
    let server = Running::with(|config| config.limits.rate_per_sec = 0);
    let expected = server.post_photo("/v1/classify?labels=acne,nevus&top_k=1", 0).predictions();
    let photo = photo(0);
    let image = ("image", &*photo);
    for form in [
        &[image, ("labels", b"acne"), ("labels", b"nevus"), ("top_k", b" 1 ")][..],
        &[image, ("labels", b"[\"acne\", \"nevus\"]"), ("top_k", b"1.0")],
        &[image, ("labels", b"acne, nevus"), ("top_k", b"1\r\n")],
    ] {
        assert_eq!(server.post_form("/v1/classify", form).predictions(), expected);
    }
    let single = server.post_photo("/v1/classify?labels=ham", 0);
    assert_eq!(single.body["warnings"].as_array().map(Vec::len), Some(1), "{single:?}");
    assert!(single.body["warnings"][0].as_str().unwrap().starts_with("\"ham\" is the only label"), "{single:?}");
    for path in ["/v1/classify", "/v1/annotate?concepts=bulla"] {
        assert_eq!(server.post_photo(path, 0).body["warnings"], json!([]), "{path}");
    }
    let texts = server.post_form("/v1/embed", &[("text", b"a wheal"), ("text", b"a nevus")]).numbers("embeddings");
    let json = post_json(&server, "/v1/embed", &json!({ "texts": ["a wheal", "a nevus"] })).numbers("embeddings");
    assert_eq!(texts, json);
    let one = post_json(&server, "/v1/embed", &json!({ "text": "a wheal", "model": null })).numbers("embeddings");
    assert_eq!(one.len() * 2, json.len());
}

#[test]
fn a_refusal_names_the_field_and_the_way_on() {
    let server = Running::with(|config| config.limits.rate_per_sec = 0);
    let (jpeg, base64) = (photo(0), BASE64_STANDARD.encode(photo(0)));
    let cut = BASE64_STANDARD.encode(&jpeg[..jpeg.len() / 2]);
    let many: String = (0..500).map(|index| format!("label+{index},")).collect::<String>()
        + &(0..9).map(|index| format!("&template=in+{index}+%7B%7D")).collect::<String>();
    for (reply, status, expected) in [
        (server.post("/v1/classify", "application/x-www-form-urlencoded", &jpeg), 415, "Content-Type: image/jpeg"),
        (server.post("/v1/classify", "multipart/form-data", &jpeg), 400, "boundary"),
        (server.post_form("/v1/classify", &[("image", b"")]), 422, "`image`: it is empty"),
        (server.post_form("/v1/classify", &[("image", b"photo.jpg")]), 415, "-F image=@photo.jpg"),
        (server.post_form("/v1/classify", &[("image", base64.as_bytes())]), 415, "base64 is sent as JSON"),
        (server.post("/v1/classify", "image/jpeg", &base64), 415, "the body: it is a photo in base64"),
        (server.post_form("/v1/classify", &[("labels", &jpeg)]), 400, "`labels` is not text"),
        (server.post_form("/v1/classify", &[("labels", b"acne")]), 422, "no photo"),
        (server.post_form("/v1/classify", &[("file", b"\0\x01\x02")]), 415, "`file`: "),
        (server.post_form("/v1/classify", &[("image", &jpeg), ("file", &jpeg)]), 422, "2 photos"),
        (server.post_form("/v1/embed", &[("image", &jpeg), ("file", &jpeg[..900])]), 422, "`file`, photo 2 of 2: "),
        (server.post_form("/v1/embed", &[("image", &jpeg), ("text", b"a")]), 422, "photos and texts"),
        (server.post_form("/v1/classify", &[("image", &jpeg), ("topk", b"1")]), 400, "did you mean `top_k`?"),
        (server.post_photo("/v1/classify?Labels=acne", 0), 400, "did you mean `labels`?"),
        (server.post_photo("/v1/classify?model=other", 0), 404, "there are: `demo`"),
        (
            post_json(&server, "/v1/classify", &json!({ "image": "https://x.example/a.jpg" })),
            422,
            "fetches nothing",
        ),
        (post_json(&server, "/v1/classify", &json!({ "image": cut })), 422, "`image`: "),
        (post_json(&server, "/v1/classify", &json!({ "image": 5 })), 422, "`image`: it holds the number 5"),
        (post_json(&server, "/v1/classify", &json!([1])), 422, "expected an object"),
        (server.post("/v1/classify", "application/json", ""), 400, "empty"),
        (post_json(&server, "/v1/embed", &json!({ "texts": ["data:image/png;base64,AA"] })), 422, "data URI"),
        (server.post_photo("/v1/classify?labels=Ekz%E9m", 0), 400, "`labels`"),
        (server.post_photo("/v1/classify?labels=pad&labels=pad", 0), 422, "the set \"pad\" in a list"),
        (
            server.post_form("/v1/classify?labels=f17k", &[("image", &jpeg), ("labels", b"pad")]),
            400,
            "`labels` is in the address and in the body",
        ),
        (server.post_photo("/v1/classify?labels=/etc/passwd", 0), 422, "looks like a file"),
        (
            server.post_photo(&format!("/v1/classify?labels={many}"), 0),
            422,
            "`labels`: 500 labels in 9 templates are 4500 sentences to encode, over the limit of 4000",
        ),
        (post_json(&server, "/v1/embed", &json!({ "texts": ["a"], "text": "b" })), 422, "`text` and `texts`"),
        (
            post_json(&server, "/v1/classify", &json!({ "image": base64, "labels": ["acne", ""] })),
            422,
            "label 2 of 2",
        ),
    ] {
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(message(&reply).contains(expected), "{expected}: {reply:?}");
    }
    let headers = [("content-type", "image/jpeg"), ("content-encoding", "gzip")];
    let compressed = server.send("/v1/classify", &headers, &jpeg);
    assert_eq!((compressed.status, compressed.code()), (415, "unsupported_type"));
}

#[test]
fn addresses_bear_a_slash_too_many_and_say_what_they_are() {
    let server = Running::with(|config| config.limits.rate_per_sec = 0);
    for path in ["//v1/classify", "/v1/classify/", "/v1//classify?top_k=1"] {
        assert_eq!(server.post_photo(path, 0).status, 200, "{path}");
    }
    assert_eq!(server.get("/healthz/").status, 200);
    for path in ["/v1/classifi", "/v1", "/v1/", "/classify", "/predict"] {
        assert_eq!((server.post_photo(path, 0).status, server.get(path).status), (404, 404), "{path}");
    }
    assert!(message(&server.post_photo("/v1/classifi", 0)).contains("/v1/classify"));
}

#[tokio::test]
async fn methods_that_an_address_lacks_are_told_those_that_it_has() {
    let site = Site::new();
    for (method, path, status, allowed) in [
        (Method::POST, SCRIPT, 405, "GET,HEAD"),
        (Method::DELETE, WEIGHTS, 405, "GET,HEAD"),
        (Method::OPTIONS, SCRIPT, 405, "GET,HEAD"),
        (Method::PUT, "/models", 405, "GET,HEAD"),
        (Method::POST, "/", 405, "GET,HEAD"),
        (Method::HEAD, SCRIPT, 200, ""),
        (Method::POST, "/missing.js", 404, ""),
        (Method::HEAD, "/missing.js", 404, ""),
        (Method::PUT, "/models/none/vision.safetensors", 404, ""),
    ] {
        let answer = site.send(method.clone(), path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header(header::ALLOW)), (status, allowed), "{method} {path}");
    }
}

#[test]
fn a_body_that_is_refused_unread_is_taken_from_the_client() {
    let server = Running::with(|_| {});
    let large = vec![0xff; 8 << 20];
    for (path, status) in [("/v1/nothing", 404), ("/nothing", 404), ("/", 405)] {
        assert_eq!(server.post(path, "image/jpeg", &large).status, status, "{path}");
    }
}
