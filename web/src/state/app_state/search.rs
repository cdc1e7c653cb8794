//! The table is searched, by words or by one of its photos.

use super::AppState;
use crate::error::Error;
use crate::state::batch::Query;
use crate::state::words::words_in;
use crate::state::{Action, Batch, Phase};
use crate::worker::protocol::{Envelope, Request, RequestId};

impl AppState {
    /// Whether the table can be searched: the model runs here.
    pub fn offers_search(&self) -> bool {
        !self.is_on_server && self.open_batch().is_some()
    }

    /// Orders the table by similarity to words. Without words, ends the search.
    pub(super) fn search_words(&mut self, text: &str) -> Vec<Action> {
        if text.trim().is_empty() {
            return self.end_search();
        }
        let is_offered = self.offers_search();
        let batch = self.batch.as_mut().filter(|_| is_offered);
        let (Some(batch), Some(words)) = (batch, words_in(text)) else { return Vec::new() };
        batch.begin_search(Query::Words { text: words.into(), feature: None });
        self.input_error = None;
        // The photo that the model has is not encoded twice: the words come after it.
        if self.is_batch_running() { Vec::new() } else { self.accept_input() }
    }

    /// Orders the table by similarity to one of its photos.
    pub(super) fn search_like(&mut self, index: usize) -> Vec<Action> {
        let is_offered = self.offers_search();
        let Some(batch) = self.batch.as_mut().filter(|_| is_offered) else { return Vec::new() };
        if !batch.can_search_like(index) {
            return Vec::new();
        }
        batch.begin_search(Query::Photo(index));
        // The photo that the model has is not interrupted.
        if self.phase == Phase::Ready { self.accept_input() } else { Vec::new() }
    }

    pub(super) fn end_search(&mut self) -> Vec<Action> {
        let Some(batch) = self.batch.as_mut().filter(|batch| batch.is_searched()) else { return Vec::new() };
        batch.end_search();
        // Only what waits for the words, or failed with them, goes on.
        let is_undisturbed = self.phase == Phase::Ready || self.is_batch_running();
        if is_undisturbed { Vec::new() } else { self.accept_input() }
    }

    /// Requests the feature of the words, if it is missing.
    pub(super) fn encode_words(&mut self, request_id: RequestId) -> Option<Action> {
        let batch = self.batch.as_mut()?;
        let texts = vec![batch.words_to_encode()?.to_string()];
        batch.pause();
        self.phase = Phase::Searching(None);
        Some(Action::Search(Envelope { request_id, body: Request::EmbedTexts { texts } }))
    }

    /// Receives the feature of the words. The model goes on with the photos.
    pub(super) fn set_words_feature(&mut self, found: Vec<f32>) -> Vec<Action> {
        self.phase = Phase::Ready;
        if let Some(batch) = &mut self.batch {
            batch.set_words_feature(found);
        }
        self.classify_if_possible()
    }

    /// Ends a search that failed, so that the photos go on. It is repeated only after an outage of the network.
    pub(super) fn end_failed_search(&mut self, error: &Error) {
        let is_outage = matches!(error, Error::Unreachable { .. } | Error::Timeout { .. });
        if matches!(self.phase, Phase::Searching(_)) && !is_outage {
            self.batch.iter_mut().for_each(Batch::end_search);
        }
    }
}
