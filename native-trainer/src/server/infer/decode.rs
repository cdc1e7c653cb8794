//! Photos to pixels, beside the model: a few at a time, and none that its own header says is too large.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::body::Bytes;
use candle_core::Tensor;
use imagesize::ImageType;
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{Orientation, preprocess_within};
use tokio::sync::Semaphore;

use super::Error;

/// Turns photos into `pixel_values`.
pub(super) struct Decoder {
    config: PreprocessConfig,
    max_megapixels: u32,
    places: Arc<Semaphore>,
}

impl Decoder {
    /// Decodes at most `n_at_once`.
    pub(super) fn new(config: PreprocessConfig, max_megapixels: u32, n_at_once: usize) -> Self {
        Self { config, max_megapixels, places: Arc::new(Semaphore::new(n_at_once)) }
    }

    /// `pixel_values` `[3, S, S]` of a photo, turned upright. A caller who goes before its turn costs nothing.
    ///
    /// # Errors
    /// [`Error::Input`] for what is no image, is damaged or too large.
    pub(super) async fn decode(&self, photo: Bytes) -> Result<Tensor, Error> {
        check_size(&photo, self.max_megapixels)?;
        let place = self.places.clone().acquire_owned().await.map_err(|_| Error::Failed)?;
        let (config, most) = (self.config.clone(), self.max_megapixels);
        let decoded = tokio::task::spawn_blocking(move || {
            let _place = place;
            // The decoder has the last word on the size: it may read another one than the header's first.
            let prepare = || preprocess_within(&photo, &config, Orientation::FromExif, most);
            catch_unwind(AssertUnwindSafe(prepare))
        });
        let decoded = decoded.await.map_err(|_| Error::Failed)?;
        let gave_up = |_| shared_model::Error::ImageDecode { detail: "the decoder gave up".into() };
        Ok(decoded.map_err(gave_up)??)
    }
}

/// Refuses what is none of the formats that are decoded, and what is too large.
fn check_size(photo: &[u8], limit_megapixels: u32) -> Result<(), shared_model::Error> {
    let is_known = matches!(
        imagesize::image_type(photo),
        Ok(ImageType::Jpeg | ImageType::Png | ImageType::Webp | ImageType::Gif | ImageType::Bmp | ImageType::Tiff)
    );
    if !is_known {
        return Err(shared_model::Error::ImageFormat);
    }
    let size = imagesize::blob_size(photo)
        .map_err(|err| shared_model::Error::ImageDecode { detail: format!("no size in its header: {err}") })?;
    let too_large = size.width as u128 * size.height as u128 > u128::from(limit_megapixels) * 1_000_000;
    if too_large {
        let edge = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        let (width, height) = (edge(size.width), edge(size.height));
        let limit_edge = shared_model::preprocess::MAX_EDGE;
        return Err(shared_model::Error::ImageTooLarge { width, height, limit_megapixels, limit_edge });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a PNG of this size, and nothing else.
    fn png_head(width: u32, height: u32) -> Vec<u8> {
        let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        head.extend(width.to_be_bytes());
        head.extend(height.to_be_bytes());
        head.extend([8, 2, 0, 0, 0]);
        head
    }

    #[test]
    fn sizes_are_told_from_the_head_alone() {
        assert!(check_size(&png_head(5000, 2000), 10).is_ok());
        let too_large = check_size(&png_head(5001, 2000), 10).unwrap_err();
        assert!(matches!(too_large, shared_model::Error::ImageTooLarge { width: 5001, limit_megapixels: 10, .. }));
        assert!(check_size(&png_head(u32::MAX, u32::MAX), 100).is_err());
        assert!(matches!(check_size(b"%PDF-1.7", 10), Err(shared_model::Error::ImageFormat)));
        assert!(matches!(check_size(b"", 10), Err(shared_model::Error::ImageFormat)));
        let cut = check_size(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01", 10).unwrap_err();
        assert!(matches!(cut, shared_model::Error::ImageDecode { .. }), "{cut}");
    }
}
