//! The sentences of concepts, encoded by the text tower in small batches.

use super::connection::{RequestContext, Unanswered};
use super::protocol::{Progress, Reply, Stage};
use crate::error::Error;
use candle_core::Tensor;
use shared_model::ZeroShotModel;
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::ConceptTemplates;

/// Sentences between two looks at the inbox.
const BATCH: usize = 8;

/// Features of the sentences of one list of concepts. A request that is superseded leaves its part.
#[derive(Default)]
pub struct ConceptFeatures {
    names: Vec<String>,
    batches: Vec<Tensor>,
}

impl ConceptFeatures {
    /// Encodes the sentences that have not been encoded, and returns the scorer.
    ///
    /// # Errors
    /// [`Unanswered::Superseded`]; errors of the text tower.
    pub async fn scorer(
        &mut self,
        names: &[String],
        model: &ZeroShotModel,
        context: &RequestContext,
    ) -> Result<ConceptScorer, Unanswered> {
        if self.names != names {
            *self = Self { names: names.into(), batches: Vec::new() };
        }
        let concepts: Vec<Concept> = names.iter().map(|name| Concept::named(name)).collect();
        let templates = ConceptTemplates::skin();
        let prompts = ConceptScorer::prompts(&concepts, &templates);
        let total = prompts.len() as u64;
        for batch in prompts.chunks(BATCH).skip(self.batches.len()) {
            let done = (self.batches.len() * BATCH) as u64;
            context.send(Reply::Progress(Progress { stage: Stage::Concepts, done, total }));
            context.receive_messages().await?;
            self.batches.push(model.encode_texts(batch, &mut |_, _| {}).map_err(Error::from)?);
        }
        let features = Tensor::cat(&self.batches, 0).map_err(shared_model::Error::from).map_err(Error::from)?;
        Ok(ConceptScorer::new(&concepts, &templates, &features).map_err(Error::from)?)
    }
}
