//! Decodes photos in parallel with the model: a few at a time, and none whose header says that it is too large.

use std::sync::Arc;

use axum::body::Bytes;
use candle_core::{Device, Tensor};
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::Reading;
use tokio::sync::Semaphore;

use super::error::Error;

/// Turns photos into the pixels that the model looks at.
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

    /// Returns the pixels of a photo, u8 `[3, S, S]`. Dropping the future before decoding starts removes the photo from
    /// the queue.
    ///
    /// # Errors
    /// [`Error::Input`] for a file that is not an image, is damaged or too large.
    pub(super) async fn decode(&self, photo: Bytes) -> Result<Tensor, Error> {
        dermake_pictures::check_size(&photo, self.max_megapixels)?;
        let place = self.places.clone().acquire_owned().await.map_err(|_| Error::Failed)?;
        let (config, most) = (self.config.clone(), self.max_megapixels);
        let decoded = tokio::task::spawn_blocking(move || {
            let _place = place;
            // The decoder has the last word on the size: it may read another one than the header's first.
            dermake_pictures::pixels_within(&photo, &config, Reading::Photo, most)
        });
        let side = self.config.image_size;
        let values = decoded.await.map_err(|_| Error::Failed)??;
        Ok(Tensor::from_vec(values, (3, side, side), &Device::Cpu).map_err(shared_model::Error::from)?)
    }
}
