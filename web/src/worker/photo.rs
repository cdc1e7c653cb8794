//! A photo and what is asked about it: its bytes are read and decoded here, and nowhere else.

use super::protocol::{PhotoId, Reply};
use super::serve::Line;
use crate::error::{Error, Result};
use shared_model::labels::LabelSet;
use shared_model::preprocess::{DecodedImage, Reading, RgbImage8, decode, encode_png, preview};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag};

/// A larger file is no photo; it is refused before it is read.
const MAX_PHOTO_BYTES: f64 = 256e6;

/// The longest side of a preview: the frame's on a screen of two pixels to each of CSS.
const PREVIEW_EDGE: u32 = 1024;

/// A photo's file.
pub struct Photo {
    pub id: PhotoId,
    pub file: Blob,
}

/// One question: a photo and the labels to rank.
pub struct Question {
    pub photo: Photo,
    pub labels: LabelSet,
    pub top_k: usize,
}

impl Photo {
    /// Decodes the photo, and sends the page a preview of what came of it.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`], [`Error::PhotoUnreadable`], [`Error::OutOfMemory`], the image errors.
    pub async fn open(&self, line: &Line) -> Result<DecodedImage> {
        let image = decode(&self.read().await?, Reading::Photo)?;
        // Without one, the page shows the photo's name.
        if let Ok(blob) = preview(&image, PREVIEW_EDGE).map_err(Error::from).and_then(|shown| png(&shown)) {
            line.say_with(0, Reply::PhotoOpened { photo_id: self.id }, &blob);
        }
        Ok(image)
    }

    /// Shows the page the photo, or why it cannot be opened.
    pub async fn open_early(&self, line: &Line) {
        if let Err(error) = self.open(line).await {
            line.say(0, Reply::PhotoRefused { photo_id: self.id, error });
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

/// A PNG file of the image.
pub fn png(image: &RgbImage8) -> Result<Blob> {
    let broken = |detail: JsValue| Error::Computation { detail: format!("{detail:?}") };
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(encode_png(image).as_slice()));
    let options = BlobPropertyBag::new();
    options.set_type("image/png");
    Blob::new_with_u8_array_sequence_and_options(&parts, &options).map_err(broken)
}
