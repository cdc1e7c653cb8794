//! Photos as clients send them: the bytes of a file, or a text that encodes them.

use std::fmt;

use axum::body::Bytes;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;
use shared_model::api::fields::PHOTO;
use shared_model::preprocess::{FileKind, OtherFile};
use shared_model::text_file::shortened;

use crate::error::HttpError;

/// Every name that a photo's field may have.
const PHOTO_FIELDS: [&str; 13] = [
    PHOTO,
    "images",
    "img",
    "image_url",
    "image_base64",
    "photo",
    "photos",
    "picture",
    "pictures",
    "file",
    "files",
    "upload",
    "uploads",
];

/// Base64 without padding or with it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Beginnings of addresses, in lower case.
const ADDRESSES: [&str; 5] = ["http:", "https:", "ftp:", "file:", "blob:"];

/// Longest text that is treated as typed by a person in place of a photo, in bytes.
const MAX_TYPED_BYTES: usize = 1024;

/// A photo and its place in the request.
#[derive(Debug, PartialEq)]
pub(super) struct Photo {
    pub(super) place: Place,
    pub(super) bytes: Bytes,
}

/// Place in a request, for messages.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    Body,
    Field(String),
}

impl Place {
    /// Returns an error that names this place.
    pub(super) fn invalid(&self, what: impl fmt::Display) -> HttpError {
        HttpError::invalid(format!("{self}: {what}"))
    }

    /// Returns the error for a file that is not a photo.
    fn unsupported(&self, what: impl fmt::Display) -> HttpError {
        HttpError::UnsupportedType { what: format!("{self}: {what}") }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("the body"),
            Self::Field(name) => write!(f, "`{name}`"),
        }
    }
}

/// Returns whether a field of this name has a photo: `image`, `File`, `photos[]`, `image[0]`.
pub(super) fn is_photo_field(name: &str) -> bool {
    let name = name.split('[').next().unwrap_or_default().trim().to_ascii_lowercase();
    PHOTO_FIELDS.contains(&name.as_str())
}

/// The names of [`is_photo_field`], for messages.
pub(super) fn photo_fields() -> String {
    format!("`{}`", PHOTO_FIELDS.join("`, `"))
}

impl Photo {
    /// Takes the bytes of a file, or decodes a data URI.
    ///
    /// # Errors
    /// [`HttpError::UnsupportedType`] for text in place of a photo: base64, an address, a file's name.
    pub(super) fn from_bytes(bytes: Bytes, place: Place) -> Result<Self, HttpError> {
        let Some(text) = as_text(&bytes) else { return Ok(Self { place, bytes }) };
        let text = text.trim();
        if has_prefix(text, "data:") {
            return Self::from_text(text, place);
        }
        let is_photo = |bytes: Vec<u8>| image::guess_format(&bytes).is_ok();
        if decode_base64(text).is_some_and(is_photo) {
            return Err(place.unsupported(format!(
                "it is a photo in base64, expected its bytes; base64 is sent as JSON: {{\"{PHOTO}\": \"…\"}}"
            )));
        }
        let is_plain_text = FileKind::of(&bytes) == FileKind::Other(OtherFile::Text);
        if is_plain_text && text.len() <= MAX_TYPED_BYTES && text.lines().count() == 1 {
            return Err(place.unsupported(format!(
                "it is the text {:?}, expected a photo's bytes (with curl: -F {PHOTO}=@photo.jpg)",
                shortened(text)
            )));
        }
        // The decoder names kinds of files.
        Ok(Self { place, bytes })
    }

    /// A data URI, or base64: in either alphabet, with line breaks, with or without padding.
    ///
    /// # Errors
    /// [`HttpError::Invalid`] for any other text.
    pub(super) fn from_text(text: &str, place: Place) -> Result<Self, HttpError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(place.invalid("it is empty, expected a photo"));
        }
        if ADDRESSES.iter().any(|scheme| has_prefix(text, scheme)) {
            return Err(place.invalid(format!(
                "it is the address {:?}; this server fetches nothing: send the photo in base64 or as a data URI",
                shortened(text)
            )));
        }
        let no_base64 =
            || place.invalid(format!("it is {:?}, expected a photo in base64 or as a data URI", shortened(text)));
        let bytes = match has_prefix(text, "data:") {
            true => decode_data_uri(text, &place)?,
            false => decode_base64(text).ok_or_else(no_base64)?,
        };
        if bytes.is_empty() {
            return Err(place.invalid("it holds no byte, expected a photo"));
        }
        Ok(Self { place, bytes: bytes.into() })
    }
}

/// The content of `data:image/jpeg;base64,…`, or of one in percent-encoding.
fn decode_data_uri(uri: &str, place: &Place) -> Result<Vec<u8>, HttpError> {
    let Some((head, content)) = uri.split_once(',') else {
        return Err(place.invalid("it is a data URI without a comma, expected data:image/jpeg;base64,…"));
    };
    let content: Vec<u8> = percent_decode(content.as_bytes()).collect();
    let is_base64 = head.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    if !is_base64 {
        return Ok(content);
    }
    let decoded = std::str::from_utf8(&content).ok().and_then(decode_base64);
    decoded.ok_or_else(|| place.invalid("it is a data URI whose content is not base64"))
}

/// `None` for what is not base64.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let standard = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(standard).collect();
    BASE64.decode(digits).ok()
}

/// The bytes as text; `None` for binary data, which shows within the first bytes of any photo.
fn as_text(bytes: &[u8]) -> Option<&str> {
    let is_printed = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    if bytes.iter().all(is_printed) { std::str::from_utf8(bytes).ok() } else { None }
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature of a PNG and a byte whose digits differ between the alphabets.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\xff\xfe";

    fn field() -> Place {
        Place::Field("image".into())
    }

    fn refusal(result: Result<Photo, HttpError>) -> String {
        match result {
            Err(HttpError::Invalid { what } | HttpError::UnsupportedType { what }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn photos_have_the_names_that_forms_give_them() {
        for name in ["image", "Image", "file", "files[]", "image[0]", "upload", " photo "] {
            assert!(is_photo_field(name), "{name}");
        }
        for name in ["labels", "imag", "", "[]", "text"] {
            assert!(!is_photo_field(name), "{name}");
        }
    }

    #[test]
    fn base64_is_read_however_it_is_written() {
        // python3 -c 'import base64; print(base64.b64encode(b"\x89PNG\r\n\x1a\n\xff\xfe").decode())'
        for text in [
            "iVBORw0KGgr//g==",
            "iVBORw0KGgr//g",
            "iVBORw0KGgr__g",
            " iVBORw0K\r\nGgr//g==\n",
            "data:image/png;base64,iVBORw0KGgr//g==",
            "DATA:image/PNG;charset=utf-8;BASE64,iVBORw0KGgr//g",
            "data:;base64,iVBORw0KGgr%2F%2Fg%3D%3D",
            "data:image/png,%89PNG%0D%0A%1A%0A%FF%FE",
        ] {
            assert_eq!(Photo::from_text(text, field()).unwrap().bytes, PNG, "{text}");
        }
    }

    #[test]
    fn text_that_stands_for_no_photo_is_refused_with_its_field() {
        for (text, expected) in [
            ("", "empty"),
            ("https://example.org/a.jpg", "fetches nothing"),
            ("blob:http://x/1", "fetches nothing"),
            ("photo.jpg", "\"photo.jpg\""),
            ("data:image/png;base64", "without a comma"),
            ("data:image/png;base64,???", "not base64"),
            ("data:image/png;base64,", "no byte"),
        ] {
            let message = refusal(Photo::from_text(text, field()));
            assert!(message.starts_with("`image`: ") && message.contains(expected), "{text}: {message}");
        }
        assert!(refusal(Photo::from_text(&"é".repeat(10_000), field())).len() < 200);
    }

    #[test]
    fn a_file_is_taken_as_it_is_and_text_in_its_place_is_explained() {
        let from_bytes = |bytes: &'static [u8]| Photo::from_bytes(Bytes::from_static(bytes), field());
        assert_eq!(from_bytes(PNG).unwrap().bytes, PNG);
        assert_eq!(from_bytes(b"data:image/png;base64,iVBORw0KGgr//g==").unwrap().bytes, PNG);
        assert!(refusal(from_bytes(b"iVBORw0KGgr//g==")).contains("base64 is sent as JSON"));
        assert!(refusal(from_bytes(b"photo.jpg")).contains("-F image=@photo.jpg"));
        let page = b"<!DOCTYPE html>\n<title>Sign in</title>\n";
        assert_eq!(from_bytes(page).unwrap().bytes, &page[..], "the decoder says what it is");
    }
}
