//! The table searched: its photos ordered by their similarity to words, or to one of them.
//!
//! The worker sends each photo's feature with its answer. The page has the features in memory as long as the table, so
//! a search encodes its words and no photo again.

use super::{Batch, Outcome, Row, Sort, TableView};
use crate::error::Error;
use crate::state::words::words_in;
use crate::state::{Action, AppState, Phase};
use crate::worker::protocol::{Envelope, Request, RequestId};
use std::sync::Arc;

/// A feature of unit length.
pub(super) type Feature = Arc<[f32]>;

/// What the photos are compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Query {
    /// Words of the visitor's own, and their feature once it is computed.
    Words { text: String, feature: Option<Feature> },
    /// The photo with this index.
    Photo(usize),
}

impl Batch {
    /// Whether the table shows similarities.
    pub fn is_searched(&self) -> bool {
        self.query.is_some()
    }

    /// The words that the photos are compared with.
    pub fn searched_words(&self) -> Option<&str> {
        match &self.query {
            Some(Query::Words { text, .. }) => Some(text),
            _ => None,
        }
    }

    /// Index of the photo that the others are compared with.
    pub(super) fn searched_photo(&self) -> Option<usize> {
        match self.query {
            Some(Query::Photo(index)) => Some(index),
            _ => None,
        }
    }

    /// Name of what the photos are compared with: the words, or the photo's name.
    pub fn searched(&self) -> Option<&str> {
        self.searched_words().or_else(|| self.name(self.searched_photo()?))
    }

    /// Name of the photo that is most similar to the words, or to the photo and another one.
    pub fn most_similar(&self) -> Option<&str> {
        let photo = self.searched_photo();
        let others = self.rows.iter().enumerate().filter(|(index, _)| Some(*index) != photo);
        let compared = others.filter_map(|(_, row)| Some((row.similarity?, row.name.as_str())));
        // Of equal ones the first, as in the table.
        let most = compared.reduce(|most, next| if next.0 > most.0 { next } else { most });
        most.map(|(_, name)| name)
    }

    /// The words whose feature is missing.
    fn words_to_encode(&self) -> Option<&str> {
        match &self.query {
            Some(Query::Words { text, feature: None }) => Some(text),
            _ => None,
        }
    }

    fn begin_search(&mut self, query: Query) {
        let is_same_text = matches!(
            (&self.query, &query),
            (Some(Query::Words { text: old, .. }), Query::Words { text: new, .. }) if old == new
        );
        if !is_same_text {
            self.query = Some(query);
        }
        // The same column chosen once more would turn the order around.
        let view = TableView { sort: Sort::Added, ..self.view.clone() };
        self.view = view.sorted_by(Sort::Similarity);
        self.compare_photos();
    }

    pub(super) fn end_search(&mut self) {
        self.query = None;
        if self.view.sort == Sort::Similarity {
            self.view = TableView { filter: self.view.filter.clone(), ..TableView::default() };
        }
        self.compare_photos();
    }

    /// Removes the features of another model. Words are encoded again; a photo is compared once it is encoded again.
    pub(super) fn forget_features(&mut self) {
        for row in &mut self.rows {
            (row.feature, row.is_kept, row.was_kept) = (None, false, false);
        }
        if let Some(Query::Words { feature, .. }) = &mut self.query {
            *feature = None;
        }
        self.compare_photos();
    }

    /// Compares each photo with what is searched.
    pub(super) fn compare_photos(&mut self) {
        let searched = match &self.query {
            Some(Query::Words { feature, .. }) => feature.clone(),
            Some(Query::Photo(index)) => self.rows.get(*index).and_then(|row| row.feature.clone()),
            None => None,
        };
        for row in &mut self.rows {
            row.similarity =
                searched.as_ref().zip(row.feature.as_ref()).and_then(|(searched, photo)| cosine(searched, photo));
        }
    }
}

impl Row {
    /// Whether other photos can be compared with this one.
    pub fn can_be_searched(&self) -> bool {
        self.feature.as_ref().is_some_and(|feature| !feature.is_empty())
    }

    /// Whether its feature can be kept on the device, and is not.
    pub(super) fn can_be_kept(&self) -> bool {
        self.can_be_searched() && !self.is_kept
    }

    /// Whether the server answered it, which sends no feature.
    pub(super) fn lacks_feature(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Answered(_))) && self.feature.is_none()
    }
}

impl AppState {
    /// Whether the table can be searched: the model runs here.
    pub fn offers_search(&self) -> bool {
        !self.is_on_server && self.open_batch().is_some()
    }

    /// Orders the table by similarity to words. Without words, ends the search.
    pub(in crate::state) fn search_words(&mut self, text: &str) -> Vec<Action> {
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
    pub(in crate::state) fn search_like(&mut self, index: usize) -> Vec<Action> {
        let is_offered = self.offers_search();
        let Some(batch) = self.batch.as_mut().filter(|_| is_offered) else { return Vec::new() };
        if !batch.rows.get(index).is_some_and(Row::can_be_searched) {
            return Vec::new();
        }
        batch.begin_search(Query::Photo(index));
        // The photo that the model has is not interrupted.
        if self.phase == Phase::Ready { self.accept_input() } else { Vec::new() }
    }

    pub(in crate::state) fn end_search(&mut self) -> Vec<Action> {
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
        batch.current = None;
        self.phase = Phase::Searching(None);
        Some(Action::Search(Envelope { request_id, body: Request::EmbedTexts { texts } }))
    }

    /// Receives the feature of the words. The model goes on with the photos.
    pub(in crate::state) fn set_words_feature(&mut self, found: Vec<f32>) -> Vec<Action> {
        self.phase = Phase::Ready;
        if let Some(batch) = &mut self.batch
            && let Some(Query::Words { feature, .. }) = &mut batch.query
        {
            *feature = Some(found.into());
            batch.compare_photos();
        }
        self.classify_if_possible()
    }

    /// Ends a search that failed, so that the photos go on. It is repeated only after an outage of the network.
    pub(in crate::state) fn end_failed_search(&mut self, error: &Error) {
        let is_outage = matches!(error, Error::Unreachable { .. } | Error::Timeout { .. });
        if matches!(self.phase, Phase::Searching(_)) && !is_outage {
            self.batch.iter_mut().for_each(Batch::end_search);
        }
    }
}

/// The cosine of two features; `None` if they are not of one model.
fn cosine(a: &[f32], b: &[f32]) -> Option<f32> {
    let is_of_one_model = a.len() == b.len() && !a.is_empty();
    is_of_one_model.then(|| a.iter().zip(b).map(|(a, b)| a * b).sum())
}
