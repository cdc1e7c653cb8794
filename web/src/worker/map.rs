//! Maps where a photo is like a text. Nothing is computed before a map is requested, but for a GPU's photo the tower.

use super::connection::{RequestContext, Unanswered};
use super::engine::Engine;
use super::photo::Photo;
use super::protocol::Reply;
use crate::error::{Error, Result};
use candle_core::Tensor;
use shared_model::ImageTrace;
use shared_model::labels::LabelSet;

impl Engine {
    /// Maps where a photo is like a text: one of the labels, or other words, which need the text part.
    ///
    /// # Errors
    /// The image errors; as [`Self::load_text`]; [`Error::UnusableModel`] for a model that makes no maps.
    pub async fn map(
        &mut self,
        photo: &Photo,
        text: &str,
        labels: &LabelSet,
        context: &RequestContext,
    ) -> Result<Reply, Unanswered> {
        let started = context.now_millis();
        let trace = self.trace(photo, context).await?;
        let mut millis = context.now_millis() - started;
        let contrast = self.contrast(text, labels, context).await?;
        let started = context.now_millis();
        let map = self.model.similarity_map(&trace, &contrast).map_err(Error::from)?;
        millis += context.now_millis() - started;
        Ok(Reply::Mapped { map, millis })
    }

    /// What the answer's pass kept. If a GPU computed it, or the photo is another one, the tower computes it now.
    async fn trace(&mut self, photo: &Photo, context: &RequestContext) -> Result<ImageTrace> {
        if let Some(trace) = self.photo_features(photo, context).await?.trace {
            return Ok(trace);
        }
        let (_, pixel_values) = self.pixel_values(photo, context).await?;
        let (_, trace) = self.model.pixel_features_with_trace(&pixel_values)?;
        if let Some((_, _, features)) = &mut self.photo_features {
            features.trace = Some(trace.clone());
        }
        Ok(trace)
    }

    /// What sets the text apart from the labels.
    async fn contrast(
        &mut self,
        text: &str,
        labels: &LabelSet,
        context: &RequestContext,
    ) -> Result<Tensor, Unanswered> {
        let classifier = match self.model.shipped_classifier(labels, &self.templates).cloned() {
            Some(classifier) => classifier,
            None => {
                self.load_text(context).await?;
                self.own_classifier(&labels.class_names, context).await?
            }
        };
        if let Some(class) = labels.class_names.iter().position(|name| name == text) {
            return Ok(classifier.contrast(class).map_err(Error::from)?);
        }
        self.load_text(context).await?;
        let own = self.own_classifier(&[text.to_string()], context).await?;
        Ok(classifier.contrast_of(own.weights()).map_err(Error::from)?)
    }
}
