//! A photo and the query about it. Photos are read and decoded only here.

use super::connection::Connection;
use super::protocol::{PhotoId, Reply};
use crate::crop::{Crop, PhotoSize};
use crate::error::{Error, Result, what};
use crate::time::timeout;
use shared_model::config::PreprocessConfig;
use shared_model::labels::LabelSet;
use shared_model::preprocess::{
    DecodedImage, PhotoQuality, Reading, RgbImage8, decode, encode_png, preview, resize_and_crop,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, BlobPropertyBag};

/// Larger files are refused before they are read.
const MAX_PHOTO_BYTES: f64 = 256e6;

/// Seconds after which a file that is still being read is given up.
const READ_TIMEOUT_SECS: u32 = 60;

/// Length of a preview's longer side: that of its frame on a screen with two pixels per CSS pixel.
const PREVIEW_EDGE: u32 = 1024;

/// Length of the longer side at which a whole photo's quality is measured: about that of a model's square.
const QUALITY_EDGE: u32 = 256;

/// Photos up to this many pixels stay decoded: 100 MB at four bytes a pixel.
const MAX_KEPT_PIXELS: u64 = 25_000_000;

/// A photo's file, and the part of it to look at.
#[derive(Clone)]
pub struct Photo {
    pub id: PhotoId,
    pub file: Blob,
    /// `None` for the whole photo.
    pub crop: Option<Crop>,
    /// Whether the page shows it, and so needs pictures of it.
    pub is_shown: bool,
}

/// A photo and the labels to rank for it.
pub struct Query {
    pub photo: Photo,
    pub labels: LabelSet,
    pub top_k: usize,
}

/// The decoded photo, kept until the model looks at it, and then while it is cropped, so that it is not decoded again.
#[derive(Default)]
pub struct DecodedPhotos {
    previewed: Cell<Option<PhotoId>>,
    kept: RefCell<Option<(PhotoId, DecodedImage)>>,
}

impl DecodedPhotos {
    /// Crops and scales a photo for the model. Sends the page the preview of a new photo.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`], [`Error::PhotoUnreadable`], [`Error::OutOfMemory`], the image errors;
    /// [`Error::Computation`] for a crop outside the photo.
    pub async fn model_input(
        &self,
        photo: &Photo,
        config: &PreprocessConfig,
        connection: &Connection,
    ) -> Result<RgbImage8> {
        let kept = self.kept.take().filter(|(id, _)| *id == photo.id);
        let image = match kept {
            Some((_, image)) => image,
            None => self.decode(photo, connection).await?,
        };
        let pixels = match photo.crop {
            None => resize_and_crop(&image, config)?,
            Some(crop) => resize_and_crop(&image.cropped(crop.to_box())?, config)?,
        };
        if photo.crop.is_some() {
            self.keep(photo.id, image);
        }
        Ok(pixels)
    }

    /// Decodes a photo before the model is there. Sends the page its preview, or why it cannot be decoded.
    pub async fn decode_early(&self, photo: &Photo, connection: &Connection) {
        match self.decode(photo, connection).await {
            Ok(image) => self.keep(photo.id, image),
            Err(error) => connection.send(0, Reply::PhotoRefused { photo_id: photo.id, error }),
        }
    }

    async fn decode(&self, photo: &Photo, connection: &Connection) -> Result<DecodedImage> {
        let image = photo.pixels().await?;
        if photo.is_shown && self.previewed.replace(Some(photo.id)) != Some(photo.id) {
            photo.send_preview(&image, connection);
        }
        Ok(image)
    }

    fn keep(&self, photo_id: PhotoId, image: DecodedImage) {
        let n_pixels = u64::from(image.width()) * u64::from(image.height());
        *self.kept.borrow_mut() = (n_pixels <= MAX_KEPT_PIXELS).then_some((photo_id, image));
    }
}

impl Photo {
    /// Sends the page a preview made of the decoded pixels.
    fn send_preview(&self, image: &DecodedImage, connection: &Connection) {
        // Without a preview, the page shows the photo's name.
        if let Ok((preview, quality)) = preview_of(image) {
            let size = PhotoSize { width: image.width(), height: image.height() };
            let decoded = Reply::PhotoDecoded { photo_id: self.id, size, quality };
            connection.send_with_picture(0, decoded, &preview);
        }
    }

    /// Sends the page the square that the model is given, if the page shows the photo.
    ///
    /// The view of a crop is sent at once, because the hints about it precede the answer. Those about a whole photo came
    /// with its preview, so its view is sent once the worker waits or has answered.
    pub fn show_view(&self, pixels: RgbImage8, connection: &Rc<Connection>) {
        if !self.is_shown {
            return;
        }
        let (photo, connection) = (self.clone(), connection.clone());
        let send = move || {
            // Without a picture, the page does not show the square.
            if let Ok(picture) = png(&pixels) {
                photo.send_view(&pixels, &picture, &connection);
            }
        };
        match self.crop {
            Some(_) => send(),
            None => spawn_local(async move { send() }),
        }
    }

    /// Sends the page this square with its picture, if the page shows the photo.
    pub fn send_view(&self, pixels: &RgbImage8, picture: &Blob, connection: &Connection) {
        if self.is_shown {
            let (side, quality) = (pixels.width(), PhotoQuality::of(pixels));
            let viewed = Reply::PhotoViewed { photo_id: self.id, crop: self.crop, side, quality };
            connection.send_with_picture(0, viewed, picture);
        }
    }

    /// Reads and decodes the photo.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`], [`Error::PhotoUnreadable`], [`Error::OutOfMemory`], the image errors.
    async fn pixels(&self) -> Result<DecodedImage> {
        Ok(decode(&self.read().await?, Reading::Photo)?)
    }

    async fn read(&self) -> Result<Vec<u8>> {
        if self.file.size() > MAX_PHOTO_BYTES {
            let megabytes = |n_bytes: f64| format!("{:.0} MB", n_bytes / 1e6);
            return Err(Error::ImageTooLarge {
                found: megabytes(self.file.size()),
                limit: megabytes(MAX_PHOTO_BYTES),
            });
        }
        // A file on a drive that is away may never be read.
        let buffer = timeout(READ_TIMEOUT_SECS, JsFuture::from(self.file.array_buffer())).await;
        let buffer = buffer.and_then(Result::ok).ok_or(Error::PhotoUnreadable)?;
        let bytes = js_sys::Uint8Array::new(&buffer);
        let mut content = Vec::new();
        let n_bytes = bytes.length() as usize;
        content.try_reserve_exact(n_bytes).map_err(|_| Error::OutOfMemory { what: what::PHOTO.into() })?;
        content.resize(n_bytes, 0);
        bytes.copy_to(&mut content);
        Ok(content)
    }
}

/// A preview, and the quality of the photo as a model would see it.
fn preview_of(image: &DecodedImage) -> Result<(Blob, PhotoQuality)> {
    let shown = preview(image, PREVIEW_EDGE)?;
    let file = png(&shown)?;
    Ok((file, PhotoQuality::of(&preview(&DecodedImage::from(shown), QUALITY_EDGE)?)))
}

/// Encodes an image as a PNG file.
pub fn png(image: &RgbImage8) -> Result<Blob> {
    let failed = |detail: JsValue| Error::Computation { detail: format!("{detail:?}") };
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(encode_png(image).as_slice()));
    let options = BlobPropertyBag::new();
    options.set_type("image/png");
    Blob::new_with_u8_array_sequence_and_options(&parts, &options).map_err(failed)
}
