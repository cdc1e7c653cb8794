//! Features of photos by way of those that are kept on the device.

use super::connection::{RequestContext, Unanswered};
use super::engine::{Engine, PhotoFeatures, values};
use super::kept::PhotoHash;
use super::photo::Photo;
use super::protocol::{Computed, Engine as ComputedBy, Reply};
use crate::error::Result;
use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};
use web_sys::Blob;

impl Engine {
    /// The features of a whole photo: those that are kept, or new ones, which are kept.
    pub(super) async fn kept_or_new_features(
        &mut self,
        photo: &Photo,
        context: &RequestContext,
    ) -> Result<PhotoFeatures> {
        let content = photo.read().await?;
        let hash: PhotoHash = Sha256::digest(&content).into();
        if let Some(feature) = self.kept.find(&hash).await {
            let n_values = feature.len();
            let features = Tensor::from_vec(feature, (1, n_values), &Device::Cpu);
            let features = features.map_err(shared_model::Error::from)?;
            let computed = Computed { by: ComputedBy::Kept, note: None };
            return Ok(PhotoFeatures { features, trace: None, computed });
        }
        let input = photo.model_input_of(&content, &self.model.config.preprocess)?;
        let features = self.new_features(&self.values_of(&input)?, context).await?;
        self.kept.add(hash, &values(&features.features)?, &context.connection).await;
        Ok(features)
    }

    /// Keeps a feature of a photo that was computed before.
    ///
    /// # Errors
    /// As [`Photo::read`].
    pub async fn keep_feature(
        &mut self,
        file: Blob,
        feature: &[f32],
        context: &RequestContext,
    ) -> Result<Reply, Unanswered> {
        let photo = Photo { id: 0, file, crop: None, is_shown: false };
        let hash: PhotoHash = Sha256::digest(photo.read().await?).into();
        if self.kept.find(&hash).await.is_none() {
            self.kept.add(hash, feature, &context.connection).await;
        }
        Ok(Reply::FeatureKept)
    }
}
