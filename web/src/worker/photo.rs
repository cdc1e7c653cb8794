//! A photo and what is asked about it; its bytes are read here and nowhere else.

use super::protocol::PhotoId;
use crate::error::{Error, Result};
use shared_model::labels::LabelSet;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// A larger file is no photo; it is refused before it is read.
const MAX_PHOTO_BYTES: f64 = 256e6;

/// One question: a photo and the labels to rank.
pub struct Question {
    pub photo_id: PhotoId,
    pub photo: Blob,
    pub labels: LabelSet,
    pub top_k: usize,
}

impl Question {
    /// The bytes of the photo's file.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`], [`Error::PhotoUnreadable`], [`Error::OutOfMemory`].
    pub async fn read_photo(&self) -> Result<Vec<u8>> {
        let photo = &self.photo;
        if photo.size() > MAX_PHOTO_BYTES {
            let megabytes = |n_bytes: f64| format!("{:.0} MB", n_bytes / 1e6);
            return Err(Error::ImageTooLarge { found: megabytes(photo.size()), limit: megabytes(MAX_PHOTO_BYTES) });
        }
        let buffer = JsFuture::from(photo.array_buffer()).await.map_err(|_| Error::PhotoUnreadable)?;
        let bytes = js_sys::Uint8Array::new(&buffer);
        let mut content = Vec::new();
        let n_bytes = bytes.length() as usize;
        content.try_reserve_exact(n_bytes).map_err(|_| Error::OutOfMemory { what: "this photo".into() })?;
        content.resize(n_bytes, 0);
        bytes.copy_to(&mut content);
        Ok(content)
    }
}
