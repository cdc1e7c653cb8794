//! What is requested besides answers: features of photos by the JavaScript package, of texts also by the page, for a search.

use super::connection::{RequestContext, Unanswered};
use super::engine::Engine;
use super::photo::Photo;
use super::protocol::{Progress, Reply, Stage};
use crate::error::Error;
use candle_core::Tensor;

/// Texts to encode between two looks at the inbox.
const TEXTS_AT_ONCE: usize = 8;

impl Engine {
    /// Encodes a photo.
    ///
    /// # Errors
    /// The image errors.
    pub async fn embed(&mut self, photo: &Photo, context: &RequestContext) -> Result<Reply, Unanswered> {
        let features = self.photo_features(photo, context).await?.features;
        Ok(Reply::Features { features: rows(&features)? })
    }

    /// Encodes texts, unless a later request arrives first.
    ///
    /// # Errors
    /// As for own labels, which need the text part, too; [`Error::Labels`] for a text that is too long.
    pub async fn embed_texts(&mut self, texts: &[String], context: &RequestContext) -> Result<Reply, Unanswered> {
        self.load_text(context).await?;
        let mut features = Vec::new();
        for (batch, done) in texts.chunks(TEXTS_AT_ONCE).zip((0..).step_by(TEXTS_AT_ONCE)) {
            context.send(Reply::Progress(Progress { stage: Stage::Labels, done, total: texts.len() as u64 }));
            context.receive_messages().await?;
            features.extend(rows(&self.model.encode_texts(batch, &mut |_, _| {}).map_err(Error::from)?)?);
        }
        Ok(Reply::Features { features })
    }
}

/// The values of a tensor `[n, E]`.
fn rows(features: &Tensor) -> Result<Vec<Vec<f32>>, Error> {
    Ok(features.to_vec2().map_err(shared_model::Error::from)?)
}
