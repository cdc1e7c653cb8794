//! What a request asks: its photos and its parameters, sent as they are or as a form.

use std::convert::Infallible;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures_util::stream;
use multer::Multipart;
use shared_model::text_file;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{BodyReader, HeldBody};
use super::parameters::Parameters;
use crate::server::error::HttpError;

/// Fields of a form beyond which nobody reads on.
const MAX_FIELDS: usize = 4096;

/// The form's field that holds a photo.
const IMAGE_FIELD: &str = "image";

/// A whole request.
pub(super) struct Ask {
    pub(super) content: Content,
    pub(super) parameters: Parameters,
    /// When the whole of it had arrived.
    pub(super) arrived: Instant,
    _held: OwnedSemaphorePermit,
}

/// What the body is.
#[derive(Debug, PartialEq)]
pub(super) enum Content {
    Images(Vec<Bytes>),
    Json(Bytes),
}

/// What a content type says of the body.
enum Kind {
    Image,
    Form { boundary: String },
    Json,
}

impl Ask {
    /// # Errors
    /// Those of [`BodyReader::read`]; [`HttpError::UnsupportedType`] for a body that is neither a photo, a form nor
    /// JSON, [`HttpError::Malformed`] for a broken form.
    pub(super) async fn read(reader: &BodyReader, request: Request) -> Result<Self, HttpError> {
        let (head, body) = request.into_parts();
        let kind = Kind::of(&head.headers)?;
        let mut parameters = Parameters::from_query(&head.uri)?;
        let HeldBody { bytes, held } = reader.read(&head.headers, body).await?;
        let arrived = Instant::now();
        let content = match kind {
            Kind::Image => Content::Images(vec![bytes]),
            Kind::Json => Content::Json(bytes),
            Kind::Form { boundary } => Content::Images(read_form(bytes, boundary, &mut parameters).await?),
        };
        Ok(Self { content, parameters, arrived, _held: held })
    }

    /// The photos of a request that cannot do without.
    pub(super) fn take_images(&mut self, n_most: u32) -> Result<Vec<Bytes>, HttpError> {
        let Content::Images(images) = &mut self.content else {
            return Err(unsupported("application/json"));
        };
        let images = std::mem::take(images);
        match images.len() {
            0 => Err(HttpError::invalid(format!("no photo; expected a field `{IMAGE_FIELD}` of the form"))),
            n if n > n_most as usize => {
                Err(HttpError::invalid(format!("{n} photos in one request, over the limit of {n_most}")))
            }
            _ if images.iter().any(Bytes::is_empty) => Err(HttpError::invalid("a photo is empty")),
            _ => Ok(images),
        }
    }
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Self, HttpError> {
        let sent = headers.get(header::CONTENT_TYPE).map_or("", |sent| sent.to_str().unwrap_or_default());
        let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/octet-stream" => Ok(Self::Image),
            image if image.starts_with("image/") => Ok(Self::Image),
            "application/json" => Ok(Self::Json),
            "multipart/form-data" => {
                let no_boundary = |_| HttpError::malformed("the form's Content-Type gives no boundary");
                Ok(Self::Form { boundary: multer::parse_boundary(sent).map_err(no_boundary)? })
            }
            _ => Err(unsupported(sent)),
        }
    }
}

fn unsupported(sent: &str) -> HttpError {
    let expected = "image/jpeg, image/png or another image's, application/octet-stream or multipart/form-data";
    HttpError::UnsupportedType { what: format!("the Content-Type is {sent:?}, expected {expected}") }
}

/// Takes the photos out of a form; its other fields become parameters.
async fn read_form(bytes: Bytes, boundary: String, parameters: &mut Parameters) -> Result<Vec<Bytes>, HttpError> {
    let broken = |err: multer::Error| HttpError::malformed(format!("the form is broken: {err}"));
    let mut form = Multipart::new(stream::iter([Ok::<_, Infallible>(bytes)]), boundary);
    let mut images = Vec::new();
    for _ in 0..MAX_FIELDS {
        let Some(field) = form.next_field().await.map_err(broken)? else { return Ok(images) };
        let Some(name) = field.name().map(str::to_owned) else {
            return Err(HttpError::malformed("a field of the form has no name"));
        };
        let content = field.bytes().await.map_err(broken)?;
        if name == IMAGE_FIELD {
            images.push(content);
            continue;
        }
        let not_text = |err| HttpError::malformed(format!("the form's field `{name}` is not text: {err}"));
        let value = text_file::decode(&content).map_err(not_text)?.to_owned();
        parameters.add(name, value);
    }
    Err(HttpError::invalid(format!("over the limit of {MAX_FIELDS} fields in a form")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::limits::Limits;
    use axum::body::Body;

    async fn ask(content_type: &str, body: &'static str) -> Result<Ask, HttpError> {
        let request = Request::post("/?a=1").header(header::CONTENT_TYPE, content_type).body(Body::from(body));
        Ask::read(&BodyReader::new(&Limits::DEFAULT), request.unwrap()).await
    }

    const FORM: &str = "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\nPNG\r\n\
        --x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n2\r\n--x--\r\n";

    #[tokio::test]
    async fn photos_come_as_they_are_or_in_a_form() {
        for content_type in ["image/jpeg", "IMAGE/PNG; q=1", "application/octet-stream"] {
            let mut plain = ask(content_type, "PNG").await.unwrap();
            assert_eq!(plain.take_images(1).unwrap(), ["PNG"]);
            assert_eq!(plain.parameters.all("a"), ["1"]);
        }
        let mut form = ask("multipart/form-data; boundary=x", FORM).await.unwrap();
        assert_eq!(form.take_images(1).unwrap(), ["PNG"]);
        assert_eq!(form.parameters.all("a"), ["1", "2"]);
        assert_eq!(ask("application/json", "{}").await.unwrap().content, Content::Json("{}".into()));
    }

    #[tokio::test]
    async fn what_is_neither_is_refused() {
        for content_type in ["", "text/plain", "application/x-www-form-urlencoded", "imagejpeg"] {
            assert!(matches!(ask(content_type, "x").await, Err(HttpError::UnsupportedType { .. })));
        }
        let half = FORM.split_at(FORM.len() - 20).0;
        for (content_type, body) in [
            ("multipart/form-data", FORM),
            ("multipart/form-data; boundary=y", FORM),
            ("multipart/form-data; boundary=x", half),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data\r\n\r\n2\r\n--x--\r\n"),
        ] {
            assert!(matches!(ask(content_type, body).await, Err(HttpError::Malformed { .. })), "{content_type}");
        }
        let mut empty = ask("image/png", "").await.unwrap();
        assert!(matches!(empty.take_images(1), Err(HttpError::Invalid { .. })));
        let mut json = ask("application/json", "{}").await.unwrap();
        assert!(matches!(json.take_images(1), Err(HttpError::UnsupportedType { .. })));
    }
}
