//! A photo and the query about it. Photos are read and decoded only here.

use super::connection::Connection;
use super::protocol::{PhotoId, Reply};
use crate::error::{Error, Result};
use shared_model::labels::LabelSet;
use shared_model::preprocess::{DecodedImage, Reading, RgbImage8, decode, encode_png, preview};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag};

/// Larger files are refused before they are read.
const MAX_PHOTO_BYTES: f64 = 256e6;

/// Length of a preview's longer side: that of its frame on a screen with two pixels per CSS pixel.
const PREVIEW_EDGE: u32 = 1024;

/// A photo's file.
pub struct Photo {
    pub id: PhotoId,
    pub file: Blob,
}

/// A photo and the labels to rank for it.
pub struct Query {
    pub photo: Photo,
    pub labels: LabelSet,
    pub top_k: usize,
}

impl Photo {
    /// Decodes the photo, and sends the page a preview made of the decoded pixels.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`], [`Error::PhotoUnreadable`], [`Error::OutOfMemory`], the image errors.
    pub async fn decode(&self, connection: &Connection) -> Result<DecodedImage> {
        let image = decode(&self.read().await?, Reading::Photo)?;
        // Without a preview, the page shows the photo's name.
        if let Ok(blob) = preview(&image, PREVIEW_EDGE).map_err(Error::from).and_then(|preview| png(&preview)) {
            connection.send_with_picture(0, Reply::PhotoDecoded { photo_id: self.id }, &blob);
        }
        Ok(image)
    }

    /// Sends the page a preview, or why the photo cannot be decoded.
    pub async fn decode_early(&self, connection: &Connection) {
        if let Err(error) = self.decode(connection).await {
            connection.send(0, Reply::PhotoRefused { photo_id: self.id, error });
        }
    }

    async fn read(&self) -> Result<Vec<u8>> {
        if self.file.size() > MAX_PHOTO_BYTES {
            let megabytes = |n_bytes: f64| format!("{:.0} MB", n_bytes / 1e6);
            return Err(Error::ImageTooLarge {
                found: megabytes(self.file.size()),
                limit: megabytes(MAX_PHOTO_BYTES),
            });
        }
        let buffer = JsFuture::from(self.file.array_buffer()).await.map_err(|_| Error::PhotoUnreadable)?;
        let bytes = js_sys::Uint8Array::new(&buffer);
        let mut content = Vec::new();
        let n_bytes = bytes.length() as usize;
        content.try_reserve_exact(n_bytes).map_err(|_| Error::OutOfMemory { what: "this photo".into() })?;
        content.resize(n_bytes, 0);
        bytes.copy_to(&mut content);
        Ok(content)
    }
}

/// Encodes an image as a PNG file.
pub fn png(image: &RgbImage8) -> Result<Blob> {
    let failed = |detail: JsValue| Error::Computation { detail: format!("{detail:?}") };
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(encode_png(image).as_slice()));
    let options = BlobPropertyBag::new();
    options.set_type("image/png");
    Blob::new_with_u8_array_sequence_and_options(&parts, &options).map_err(failed)
}
