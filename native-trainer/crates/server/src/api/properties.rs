//! Properties of requests that hold for every body.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::body::BodyReader;
use super::photo::{Photo, Place};
use super::request::ApiRequest;
use crate::error::HttpError;
use crate::limits::Limits;

fn read(content_type: &str, body: Vec<u8>) -> Result<ApiRequest, HttpError> {
    let request =
        Request::post("/?top_k=1").header(header::CONTENT_TYPE, content_type).body(Body::from(body)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(ApiRequest::read(&BodyReader::new(&Limits::DEFAULT), request))
}

/// Pieces of which bodies are made, whole and broken ones.
fn body(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

const FORM: &[&str] = &[
    "--x\r\n",
    "--x--\r\n",
    "\r\n",
    "\r\n\r\n",
    "Content-Disposition: form-data; name=\"image\"; filename=\"a.png\"",
    "Content-Disposition: form-data; name=labels",
    "Content-Disposition: form-data; name=\"file\"; filename=\"\"",
    "Content-Type: text/plain; charset=utf-8",
    "data:image/png;base64,iVBO",
    "acne, nevus",
];

const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"image\"",
    "\"labels\"",
    "\"data:;base64,AA\"",
    "\"url\"",
    "null",
    "true",
    "1.5",
    "{\"image\": ",
    "\"\\ud800\"",
    " ",
    "\u{feff}",
];

proptest! {
    #[test]
    fn a_form_is_read_or_refused(body in body(FORM)) {
        if let Err(refusal) = read("multipart/form-data; boundary=x", body) {
            prop_assert!(matches!(refusal, HttpError::Malformed { .. } | HttpError::Invalid { .. } | HttpError::UnsupportedType { .. }), "{refusal:?}");
        }
    }

    #[test]
    fn json_is_read_or_refused(body in body(JSON)) {
        if let Err(refusal) = read("application/json", body) {
            prop_assert!(matches!(refusal, HttpError::Malformed { .. } | HttpError::Invalid { .. } | HttpError::UnsupportedType { .. }), "{refusal:?}");
        }
    }

    #[test]
    fn base64_of_any_kind_gives_the_bytes_back(bytes in proptest::collection::vec(any::<u8>(), 1..200), width in 1usize..80) {
        let texts = [
            BASE64_STANDARD.encode(&bytes),
            BASE64_STANDARD_NO_PAD.encode(&bytes),
            BASE64_URL_SAFE.encode(&bytes),
            BASE64_URL_SAFE_NO_PAD.encode(&bytes),
        ];
        for text in texts {
            let lines: Vec<&str> = text.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
            for text in [lines.join("\r\n"), format!("data:image/png;base64,{}", lines.join("\n"))] {
                let photo = Photo::from_text(&text, Place::Body).unwrap();
                prop_assert_eq!(&photo.bytes, &Bytes::from(bytes.clone()));
            }
        }
    }
}
