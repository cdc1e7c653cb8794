//! Many photos: a table of files, which the model answers one after the other while the table is shown.

mod answers;
mod export;
mod query;
mod row;
mod search;
mod table;
mod view;
mod work;

pub(super) use query::Query;
pub use row::{BatchFile, Outcome, Row};
pub use table::TablePage;
pub use view::{Sort, TableView};
pub(super) use work::{BatchAnswer, Work};

use crate::verdict::Verdict;
use shared_model::labels::LabelSet;

/// Number of answers to keep for each photo.
pub(super) const N_ANSWERS: usize = 5;

/// The files, their answers, and how the table shows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    rows: Vec<Row>,
    pub view: TableView,
    /// Whether the table is shown. The model pauses while it is not.
    pub is_open: bool,
    /// What the worker does.
    current: Option<Work>,
    /// Name of the model and the labels that the answers are of.
    answered_by: Option<(String, LabelSet)>,
    /// What the photos are compared with.
    query: Option<Query>,
}

impl Batch {
    pub(super) fn new(files: Vec<BatchFile>) -> Self {
        Self { rows: files.into_iter().map(Row::new).collect(), is_open: true, ..Self::default() }
    }

    pub fn n_files(&self) -> usize {
        self.rows.len()
    }

    /// Number of files that were answered or refused.
    pub fn n_done(&self) -> usize {
        self.rows.iter().filter(|row| row.outcome.is_some()).count()
    }

    /// Number of files that cannot be answered.
    pub fn n_refused(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.outcome, Some(Outcome::Refused(_)))).count()
    }

    /// Number of answered photos with this verdict.
    pub fn n_with(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict() == Some(verdict)).count()
    }

    /// Number of photos whose features were kept on the device.
    pub fn n_kept(&self) -> usize {
        self.rows.iter().filter(|row| row.was_kept).count()
    }

    /// Name of a file.
    pub fn name(&self, index: usize) -> Option<&str> {
        self.rows.get(index).map(|row| row.name.as_str())
    }

    /// Pauses while a single photo is shown.
    pub(super) fn close(&mut self) {
        self.is_open = false;
        self.pause();
    }

    /// Shows the table. The model goes on with it.
    pub(super) fn show(&mut self) {
        self.is_open = true;
        self.pause();
    }

    /// Removes the answers of another model or of other labels, and the features of another model.
    pub(super) fn begin_with(&mut self, model: &str, labels: &LabelSet) {
        if self.answered_by.as_ref().is_some_and(|(name, _)| name != model) {
            self.forget_features();
        }
        let is_same = self.answered_by.as_ref().is_some_and(|(name, set)| name == model && set == labels);
        if !is_same {
            self.answered_by = Some((model.into(), labels.clone()));
            let answered = |row: &&mut Row| matches!(row.outcome, Some(Outcome::Answered(_)));
            self.rows.iter_mut().filter(answered).for_each(|row| row.outcome = None);
        }
    }
}
