//! Forms: `multipart/form-data` into photos and parameters.

use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::stream;
use multer::{Field, Multipart};
use shared_model::text_file;

use super::parameters::{Parameters, Value};
use super::photo::{Photo, Place, is_photo_field, photo_fields};
use crate::error::HttpError;

/// Most fields of a form.
const MAX_FIELDS: usize = 4096;

/// Returns the photos of a form; its other fields are added to the parameters.
///
/// # Errors
/// [`HttpError::Malformed`] for a broken form, a file in a field of text and what the address has, too, [`HttpError::Invalid`] for a field
/// that holds no photo where one belongs.
pub(super) async fn read(
    body: Bytes,
    boundary: String,
    parameters: &mut Parameters,
) -> Result<Vec<Photo>, HttpError> {
    let mut form = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut photos = Vec::new();
    for _ in 0..MAX_FIELDS {
        let Some(field) = form.next_field().await.map_err(broken)? else { return Ok(photos) };
        let Some(name) = field.name().map(str::to_owned) else {
            return Err(HttpError::malformed("a field of the form has no name"));
        };
        if is_photo_field(&name) {
            photos.extend(photo(field, name).await?);
        } else {
            let value = text(field, &name).await?;
            parameters.add(name, Value::Text(value))?;
        }
    }
    Err(HttpError::invalid(format!("over the limit of {MAX_FIELDS} fields in a form")))
}

/// Returns the photo of a field; `None` for a file field that was left empty in a browser.
async fn photo(field: Field<'_>, name: String) -> Result<Option<Photo>, HttpError> {
    let is_unchosen = field.file_name() == Some("");
    let bytes = field.bytes().await.map_err(broken)?;
    let place = Place::Field(name);
    match bytes.is_empty() {
        true if is_unchosen => Ok(None),
        true => Err(place.invalid("it is empty, expected a photo")),
        false => Photo::from_bytes(bytes, place).map(Some),
    }
}

async fn text(field: Field<'_>, name: &str) -> Result<String, HttpError> {
    let bytes = field.bytes().await.map_err(broken)?;
    let not_text = |err| {
        let fields = photo_fields();
        HttpError::malformed(format!(
            "the form's field `{name}` is not text: {err} (a photo is sent as one of {fields})"
        ))
    };
    Ok(text_file::decode(&bytes).map_err(not_text)?.to_owned())
}

fn broken(err: multer::Error) -> HttpError {
    HttpError::malformed(format!("the form is broken: {err}"))
}
