//! A photo and the query about it. Photos are read and decoded only here.

use super::connection::Connection;
use super::protocol::{PhotoId, Reply, arguments};
use crate::crop::{Crop, PhotoSize};
use crate::error::{Error, Result, what};
use crate::time::timeout;
use shared_model::config::PreprocessConfig;
use shared_model::labels::LabelSet;
use shared_model::preprocess::{
    DecodedImage, PhotoQuality, Reading, RgbImage8, decode, encode_png, preview, resize_and_crop,
};
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
    /// Whether the answer comes with the photo's feature.
    pub wants_feature: bool,
}

impl Photo {
    /// Crops and scales the photo for the model. Sends the page the preview of a new photo.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`], [`Error::PhotoUnreadable`], [`Error::OutOfMemory`], the image errors;
    /// [`Error::InvalidArgument`] for a crop outside the photo.
    pub async fn model_input(&self, config: &PreprocessConfig, connection: &Connection) -> Result<RgbImage8> {
        let image = match connection.decoded.take(self.id) {
            Some(image) => image,
            None => self.decode(connection).await?,
        };
        let pixels = self.square_of(&image, config)?;
        if self.crop.is_some() {
            connection.decoded.keep(self.id, image);
        }
        Ok(pixels)
    }

    /// Crops and scales the photo, whose file was read, for the model.
    ///
    /// # Errors
    /// The image errors; [`Error::InvalidArgument`] for a crop outside the photo.
    pub fn model_input_of(&self, content: &[u8], config: &PreprocessConfig) -> Result<RgbImage8> {
        self.square_of(&decode(content, Reading::Photo)?, config)
    }

    fn square_of(&self, image: &DecodedImage, config: &PreprocessConfig) -> Result<RgbImage8> {
        let Some(crop) = self.crop else { return Ok(resize_and_crop(image, config)?) };
        let size = PhotoSize { width: image.width(), height: image.height() };
        Ok(resize_and_crop(&image.cropped(arguments::box_within(crop, size)?)?, config)?)
    }

    /// Decodes the photo before the model is there. Sends the page its preview, or why it cannot be decoded.
    pub async fn decode_early(&self, connection: &Connection) {
        match self.decode(connection).await {
            Ok(image) => connection.decoded.keep(self.id, image),
            Err(error) => connection.send(0, Reply::PhotoRefused { photo_id: self.id, error }),
        }
    }

    async fn decode(&self, connection: &Connection) -> Result<DecodedImage> {
        let image = self.pixels().await?;
        if self.is_shown && connection.decoded.begin_preview(self.id) {
            self.send_preview(&image, connection);
        }
        Ok(image)
    }

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

    /// Reads the photo's file.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`], [`Error::PhotoUnreadable`], [`Error::OutOfMemory`].
    pub async fn read(&self) -> Result<Vec<u8>> {
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
