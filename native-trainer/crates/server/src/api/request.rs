//! A complete request: its photos and parameters, sent as a file, a form or JSON.

use std::time::Instant;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use candle_core::Tensor;
use shared_model::api::fields::PHOTO;
use shared_model::text_file;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{BodyReader, HeldBody};
use super::parameters::Parameters;
use super::photo::{Photo, Place, photo_fields};
use super::{form, json};
use crate::error::HttpError;
use crate::infer::{self, Engine};

/// A whole request.
pub(super) struct ApiRequest {
    photos: Vec<Photo>,
    pub(super) parameters: Parameters,
    /// When the request had arrived completely.
    pub(super) arrived: Instant,
    _held: OwnedSemaphorePermit,
}

/// The kind of a body, by its content type.
enum Kind {
    Photo,
    Form { boundary: String },
    Json,
}

impl ApiRequest {
    /// # Errors
    /// Those of [`BodyReader::read`]; [`HttpError::UnsupportedType`] for a body that is neither a photo, a form nor
    /// JSON, [`HttpError::Malformed`] for a broken form or JSON, [`HttpError::Invalid`] for what is no photo.
    pub(super) async fn read(reader: &BodyReader, request: Request) -> Result<Self, HttpError> {
        let (head, body) = request.into_parts();
        check_encoding(&head.headers)?;
        let kind = Kind::of(&head.headers)?;
        let mut parameters = Parameters::from_query(&head.uri)?;
        let HeldBody { bytes, held } = reader.read(&head.headers, body).await?;
        let arrived = Instant::now();
        let photos = match kind {
            Kind::Photo => vec![Photo::from_bytes(bytes, Place::Body)?],
            Kind::Json => json::read(text(&bytes)?, &mut parameters)?,
            Kind::Form { boundary } => form::read(bytes, boundary, &mut parameters).await?,
        };
        Ok(Self { photos, parameters, arrived, _held: held })
    }

    pub(super) fn has_photos(&self) -> bool {
        !self.photos.is_empty()
    }

    /// Takes the photos of a request that needs at least one and at most `n_most`.
    pub(super) fn take_photos(&mut self, n_most: u32) -> Result<Photos, HttpError> {
        let photos = std::mem::take(&mut self.photos);
        match photos.len() {
            0 => Err(HttpError::invalid(format!(
                "no photo; expected one as the field `{PHOTO}` of a form (or {}), or as the body",
                photo_fields()
            ))),
            n if n > n_most as usize => {
                let what = format!("`{PHOTO}`: {n} photos in one request, over the limit of {n_most}");
                Err(HttpError::invalid(what))
            }
            _ => match photos.iter().find(|photo| photo.bytes.is_empty()) {
                Some(empty) => Err(empty.place.invalid("it is empty, expected a photo")),
                None => Ok(Photos(photos)),
            },
        }
    }
}

/// At least one photo, none of them empty.
pub(super) struct Photos(Vec<Photo>);

impl Photos {
    /// Unit features `[B, E]`.
    ///
    /// # Errors
    /// Those of [`Engine::image_features`]; one of a single photo names its field, and its number among several.
    pub(super) async fn features(self, engine: &Engine) -> Result<Tensor, HttpError> {
        let (places, bytes): (Vec<_>, Vec<_>) = self.0.into_iter().map(|photo| (photo.place, photo.bytes)).unzip();
        let n_photos = places.len();
        engine.image_features(bytes).await.map_err(|err| match err {
            infer::Error::Photo { index, source } => {
                let err = HttpError::from(source);
                match &places[index] {
                    Place::Body => err,
                    place if n_photos == 1 => err.at(&place.to_string()),
                    place => err.at(&format!("{place}, photo {} of {n_photos}", index + 1)),
                }
            }
            err => err.into(),
        })
    }
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Self, HttpError> {
        let sent = headers.get(header::CONTENT_TYPE).map_or("", |sent| sent.to_str().unwrap_or_default());
        let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/octet-stream" | "binary/octet-stream" => Ok(Self::Photo),
            image if image.starts_with("image/") => Ok(Self::Photo),
            "application/json" | "text/json" => Ok(Self::Json),
            "multipart/form-data" => {
                let no_boundary = |_| {
                    HttpError::malformed(
                        "the form's Content-Type gives no boundary; leave the header to the client, which knows it",
                    )
                };
                Ok(Self::Form { boundary: multer::parse_boundary(sent).map_err(no_boundary)? })
            }
            _ => Err(unsupported(sent)),
        }
    }
}

fn unsupported(sent: &str) -> HttpError {
    let found =
        if sent.is_empty() { "there is no Content-Type".into() } else { format!("the Content-Type is {sent:?}") };
    HttpError::UnsupportedType {
        what: format!(
            "{found}, expected image/jpeg, image/png or another image's, application/octet-stream, multipart/form-data \
             or application/json (with curl: -H 'Content-Type: image/jpeg' --data-binary @photo.jpg, or \
             -F {PHOTO}=@photo.jpg)"
        ),
    }
}

/// Refuses compressed bodies, whose decompressed size would need another limit.
fn check_encoding(headers: &HeaderMap) -> Result<(), HttpError> {
    let mut sent = headers.get_all(header::CONTENT_ENCODING).iter().map(|sent| sent.to_str().unwrap_or("?").trim());
    match sent.find(|sent| !sent.is_empty() && !sent.eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(sent) => Err(HttpError::UnsupportedType {
            what: format!("the body's Content-Encoding is {sent:?}; send it without, as it is"),
        }),
    }
}

fn text(bytes: &Bytes) -> Result<&str, HttpError> {
    text_file::decode(bytes).map_err(|err| HttpError::malformed(format!("the JSON body is not text: {err}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use axum::body::Body;

    async fn read(content_type: &str, body: &'static str) -> Result<ApiRequest, HttpError> {
        let request = Request::post("/?a=1").header(header::CONTENT_TYPE, content_type).body(Body::from(body));
        ApiRequest::read(&BodyReader::new(&Limits::DEFAULT), request.unwrap()).await
    }

    fn photos(parsed: &mut ApiRequest) -> Vec<Bytes> {
        parsed.take_photos(9).unwrap().0.into_iter().map(|photo| photo.bytes).collect()
    }

    /// A form of parts: `name` or `name; filename=…`, and the content.
    fn form(parts: &[(&str, &str)]) -> &'static str {
        let part = |(name, content): &(&str, &str)| {
            format!("--x\r\nContent-Disposition: form-data; name={name}\r\n\r\n{content}\r\n")
        };
        format!("{}--x--\r\n", parts.iter().map(part).collect::<String>()).leak()
    }

    const FORM: &str = "multipart/form-data; boundary=x";
    const GIF: &str = "GIF89a\0\0";

    #[tokio::test]
    async fn photos_come_as_they_are_or_in_a_form_or_as_json() {
        for content_type in ["image/jpeg", "IMAGE/PNG; q=1", "application/octet-stream"] {
            let mut plain = read(content_type, GIF).await.unwrap();
            assert_eq!(photos(&mut plain), [GIF]);
            assert_eq!(plain.parameters.texts("a").unwrap(), ["1"]);
        }
        for field in ["image", "file; filename=a.gif", "\"photos[]\"", "upload; filename=\"a b.gif\""] {
            let mut form = read(FORM, form(&[(field, GIF), ("b", "2")])).await.unwrap();
            assert_eq!(photos(&mut form), [GIF], "{field}");
            assert_eq!(form.parameters.texts("a").unwrap(), ["1"]);
            assert_eq!(form.parameters.texts("b").unwrap(), ["2"]);
        }
        let mut json =
            read("application/json; charset=utf-8", r#"{"image": "R0lGODlhAAA=", "b": ["2"]}"#).await.unwrap();
        assert_eq!(photos(&mut json), [GIF]);
        assert_eq!(json.parameters.texts("b").unwrap(), ["2"]);
        for (content_type, body) in [(FORM, form(&[("a", "2")])), ("application/json", r#"{"a": "2"}"#)] {
            let twice = read(content_type, body).await.err();
            assert!(
                matches!(&twice, Some(HttpError::Malformed { what }) if what.contains("`a` is in the address"))
            );
        }
    }

    #[tokio::test]
    async fn what_is_neither_is_refused() {
        for content_type in ["", "text/plain", "application/x-www-form-urlencoded", "imagejpeg"] {
            let Err(HttpError::UnsupportedType { what }) = read(content_type, "x").await else {
                panic!("{content_type} is taken")
            };
            assert!(what.contains("-F image=@photo.jpg") && what.contains(content_type), "{what}");
        }
        let whole = form(&[("image", GIF)]);
        for (content_type, body) in [
            ("multipart/form-data", whole),
            ("multipart/form-data; boundary=y", whole),
            (FORM, &whole[..whole.len() - 20]),
            (FORM, "--x\r\nContent-Disposition: form-data\r\n\r\n2\r\n--x--\r\n"),
        ] {
            assert!(matches!(read(content_type, body).await, Err(HttpError::Malformed { .. })), "{content_type}");
        }
        let mut empty = read("image/png", "").await.unwrap();
        assert!(matches!(empty.take_photos(1), Err(HttpError::Invalid { what }) if what.starts_with("the body: ")));
        let mut json = read("application/json", "{}").await.unwrap();
        assert!(matches!(json.take_photos(1), Err(HttpError::Invalid { what }) if what.contains("`image`")));
    }

    #[tokio::test]
    async fn a_field_that_does_not_hold_what_it_should_is_named() {
        for (parts, expected) in [
            (&[("image", "")][..], "`image`: it is empty"),
            (&[("image; filename=a.gif", "")][..], "`image`: it is empty"),
            (&[("file", "photo.jpg")][..], "`file`: it is the text \"photo.jpg\""),
            (&[("photo", "https://example.org/a.jpg")][..], "`photo`: it is the text"),
            (&[("image", "R0lGODlhAAA=")][..], "`image`: it is a photo in base64"),
        ] {
            match read(FORM, form(parts)).await {
                Err(HttpError::Invalid { what } | HttpError::UnsupportedType { what }) => {
                    assert!(what.starts_with(expected), "{what}");
                }
                other => panic!("{parts:?}: {:?}", other.err()),
            }
        }
        // Nothing chosen in one of two file fields.
        let mut two =
            read(FORM, form(&[("image; filename=\"\"", ""), ("file; filename=a.gif", GIF)])).await.unwrap();
        assert_eq!(photos(&mut two), [GIF]);

        let body = b"--x\r\nContent-Disposition: form-data; name=labels\r\n\r\n\xff\xd8\xff\r\n--x--\r\n";
        let request = Request::post("/").header(header::CONTENT_TYPE, FORM).body(Body::from(&body[..])).unwrap();
        match ApiRequest::read(&BodyReader::new(&Limits::DEFAULT), request).await {
            Err(HttpError::Malformed { what }) => {
                assert!(what.contains("`labels`") && what.contains("`image`"), "{what}")
            }
            other => panic!("{:?}", other.err()),
        }
    }

    #[tokio::test]
    async fn a_compressed_body_is_refused_in_words() {
        let request = |encoding: &str| {
            let request = Request::post("/").header(header::CONTENT_TYPE, "image/gif");
            request.header(header::CONTENT_ENCODING, encoding).body(Body::from(GIF)).unwrap()
        };
        let reader = BodyReader::new(&Limits::DEFAULT);
        assert!(ApiRequest::read(&reader, request("identity")).await.is_ok());
        match ApiRequest::read(&reader, request("gzip")).await {
            Err(HttpError::UnsupportedType { what }) => assert!(what.contains("\"gzip\""), "{what}"),
            other => panic!("{:?}", other.err()),
        }
    }
}
