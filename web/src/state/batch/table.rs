//! How the table is shown: sorted, filtered, a page at a time.

use super::{Batch, Outcome, Row};
use crate::error::Error;
use crate::verdict::Verdict;
use std::cmp::Ordering;

/// Rows on a page.
const PAGE_ROWS: usize = 50;

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

/// The rows of one page.
#[derive(Clone, Debug, PartialEq)]
pub struct TablePage {
    /// Each with its index among all files.
    pub rows: Vec<(usize, Row)>,
    /// Rows on all pages.
    pub n_rows: usize,
    pub page: usize,
    pub n_pages: usize,
}

impl Row {
    /// The most likely label and its probability.
    pub fn first(&self) -> Option<(&str, f32)> {
        match &self.outcome {
            Some(Outcome::Answered(answer)) => {
                answer.predictions.first().map(|first| (first.label.as_str(), first.probability))
            }
            _ => None,
        }
    }

    /// Whether to believe the answer; `None` without one.
    pub fn verdict(&self) -> Option<Verdict> {
        match &self.outcome {
            Some(Outcome::Answered(answer)) => Some(Verdict::of(answer.certainty.as_ref())),
            _ => None,
        }
    }

    /// Why the photo has no answer.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Some(Outcome::Refused(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether its name, its first label or what the table says of it has this part, which is in lower case.
    fn contains(&self, part: &str, remark: Option<String>) -> bool {
        let label = self.first().map(|(label, _)| label.to_lowercase());
        let texts = [Some(self.name.to_lowercase()), label, remark.map(|remark| remark.to_lowercase())];
        texts.iter().flatten().any(|text| text.contains(part))
    }
}

impl Batch {
    /// The page of the table that is shown. `remark` is what the table says of a row beside its name and English label,
    /// in the visitor's language: the filter finds it, too.
    pub fn shown(&self, remark: impl Fn(&Row) -> Option<String>) -> TablePage {
        let part = self.view.filter.trim().to_lowercase();
        let mut rows: Vec<(usize, &Row)> =
            self.rows.iter().enumerate().filter(|(_, row)| row.contains(&part, remark(row))).collect();
        // A photo that is searched is before its copies.
        let is_other = |(index, _): &(usize, &Row)| Some(*index) != self.searched_photo();
        rows.sort_by(|a, b| self.view.compare(a, b).then(is_other(a).cmp(&is_other(b))).then(a.0.cmp(&b.0)));
        let n_pages = rows.len().div_ceil(PAGE_ROWS).max(1);
        let page = self.view.page.min(n_pages - 1);
        let shown = rows.iter().skip(page * PAGE_ROWS).take(PAGE_ROWS).map(|(index, row)| (*index, (*row).clone()));
        TablePage { rows: shown.collect(), n_rows: rows.len(), page, n_pages }
    }
}

impl TableView {
    fn compare(&self, (a_index, a): &(usize, &Row), (b_index, b): &(usize, &Row)) -> Ordering {
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
