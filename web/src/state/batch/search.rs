//! The table searched: its photos ordered by their similarity to words, or to one of them.
//!
//! The worker sends each photo's feature with its answer. The page has the features in memory as long as the table, so
//! a search encodes its words and no photo again.

use super::Batch;
use super::query::Query;
use super::row::Row;
use super::view::{Sort, TableView};

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
    pub(in crate::state) fn words_to_encode(&self) -> Option<&str> {
        match &self.query {
            Some(Query::Words { text, feature: None }) => Some(text),
            _ => None,
        }
    }

    pub(in crate::state) fn begin_search(&mut self, query: Query) {
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

    pub(in crate::state) fn end_search(&mut self) {
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

    /// Sets the feature of the words that are searched.
    pub(in crate::state) fn set_words_feature(&mut self, found: Vec<f32>) {
        if let Some(Query::Words { feature, .. }) = &mut self.query {
            *feature = Some(found.into());
            self.compare_photos();
        }
    }

    /// Whether other photos can be compared with the one with this index.
    pub(in crate::state) fn can_search_like(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(Row::can_be_searched)
    }
}

/// The cosine of two features; `None` if they are not of one model.
fn cosine(a: &[f32], b: &[f32]) -> Option<f32> {
    let is_of_one_model = a.len() == b.len() && !a.is_empty();
    is_of_one_model.then(|| a.iter().zip(b).map(|(a, b)| a * b).sum())
}
