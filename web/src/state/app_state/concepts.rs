//! The concepts of the current photo are scored.

use super::AppState;
use crate::error::Error;
use crate::state::{Action, Answer, ConceptList, Phase};
use crate::worker::protocol::{Envelope, Request};
use shared_model::concepts::{Presence, Typical, typical_findings};

impl AppState {
    /// Whether findings can be scored: the model runs here, and there is an answer.
    pub fn offers_concepts(&self) -> bool {
        !self.is_on_server && self.answer.is_some()
    }

    /// The scores of the current photo, the highest first.
    pub fn concepts(&self) -> Option<&[Presence]> {
        self.answer.as_ref()?.concepts.as_deref()
    }

    /// Returns what is typical of the label that the visitor chose, or of the first; `None` without scores, or if no
    /// label has a list.
    pub fn typical(&self) -> Option<Typical> {
        let labels = self.concepts().map(|_| self.ranked_labels())?;
        let label = self.typical_label.as_ref().or(labels.first())?;
        let is_offered = labels.iter().any(|label| typical_findings(label).is_some());
        is_offered.then(|| Typical::of(label))
    }

    /// Turns findings on or off. While they are on, they are scored after each answer.
    pub(super) fn want_concepts(&mut self, wants: bool) -> Vec<Action> {
        self.wants_concepts = wants;
        match self.phase {
            Phase::Ready => self.annotate(),
            // A map or the findings failed beside the answer.
            Phase::Failed(_) if self.is_loaded => self.annotate(),
            Phase::Annotating(_) if !wants => {
                self.next_request_id(); // the reply to the current request is ignored
                self.phase = Phase::Ready;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Requests the scores if they are wanted and missing.
    pub(super) fn annotate(&mut self) -> Vec<Action> {
        let is_missing = self.wants_concepts && self.offers_concepts() && self.concepts().is_none();
        let Some(photo) = self.photo.as_ref().filter(|_| is_missing) else { return Vec::new() };
        let concepts = ConceptList::ALL.iter().flat_map(|list| list.names()).map(|name| name.to_string());
        let body = Request::Annotate { photo_id: photo.id, crop: photo.used_crop, concepts: concepts.collect() };
        let request_id = self.next_request_id();
        self.phase = Phase::Annotating(None);
        vec![Action::Annotate(Envelope { request_id, body })]
    }

    pub(super) fn set_concepts(&mut self, concepts: Vec<Presence>) {
        self.phase = Phase::Ready;
        self.answer = self.answer.take().map(|answer| Answer { concepts: Some(concepts), ..answer });
    }

    /// Shows an error of the scoring, or of a map. The answer stays: it does not depend on them.
    pub(super) fn fail_beside_answer(&mut self, error: Error) -> Vec<Action> {
        let answer = self.answer.take();
        let actions = self.fail(error);
        self.answer = answer;
        actions
    }
}
