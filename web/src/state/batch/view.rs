//! How the visitor chose to see the table: sorted by a column, filtered, a page of it.

use super::row::Row;
use std::cmp::Ordering;

/// The column by which the table is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As the files were added.
    #[default]
    Added,
    File,
    Label,
    Probability,
    /// As similar as they are to what is searched.
    Similarity,
}

/// What the visitor chose to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableView {
    pub sort: Sort,
    pub is_descending: bool,
    /// Part of a file's name, of its first label, or of what the table says of it, in any case.
    pub filter: String,
    /// Index of the page.
    pub page: usize,
}

impl TableView {
    /// Sorts by a column; once more, in the other direction. Probabilities and similarities begin with the highest.
    pub fn sorted_by(&self, sort: Sort) -> Self {
        let begins_with_highest = matches!(sort, Sort::Probability | Sort::Similarity);
        let is_descending = if self.sort == sort { !self.is_descending } else { begins_with_highest };
        Self { sort, is_descending, filter: self.filter.clone(), page: 0 }
    }

    pub fn filtered_by(&self, filter: String) -> Self {
        Self { filter, page: 0, ..self.clone() }
    }

    pub fn on_page(&self, page: usize) -> Self {
        Self { page, ..self.clone() }
    }
}

impl TableView {
    pub(super) fn compare(&self, (a_index, a): &(usize, &Row), (b_index, b): &(usize, &Row)) -> Ordering {
        match self.sort {
            Sort::Added => self.directed(a_index.cmp(b_index)),
            Sort::File => self.directed(a.name.cmp(&b.name)),
            Sort::Label => self.by(a.first(), b.first(), |a, b| a.0.cmp(b.0)),
            Sort::Probability => self.by(a.first(), b.first(), |a, b| a.1.total_cmp(&b.1)),
            Sort::Similarity => self.by(a.similarity, b.similarity, f32::total_cmp),
        }
    }

    /// Compares what some rows lack; those are last in either direction.
    fn by<T>(&self, a: Option<T>, b: Option<T>, compare: impl Fn(&T, &T) -> Ordering) -> Ordering {
        match (&a, &b) {
            (Some(a), Some(b)) => self.directed(compare(a, b)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    fn directed(&self, order: Ordering) -> Ordering {
        if self.is_descending { order.reverse() } else { order }
    }
}
