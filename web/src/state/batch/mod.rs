//! Many photos: a table of files, which the model answers one after the other while the table is shown.

mod export;
mod search;
mod table;
mod work;

pub use table::{Sort, TablePage, TableView};
pub(super) use work::BatchAnswer;

use super::{Action, AppState};
use crate::error::Error;
use crate::verdict::Verdict;
use search::{Feature, Query};
use shared_model::labels::LabelSet;
use shared_model::zero_shot::Answer as Ranking;
use work::Work;

/// Number of answers to keep for each photo.
const N_ANSWERS: usize = 5;

/// A file that was dropped or chosen with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchFile {
    /// Its path below what was dropped.
    pub name: String,
    /// Why the browser cannot read it.
    pub error: Option<Error>,
}

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

/// A file and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    /// `None` until it is the file's turn.
    pub outcome: Option<Outcome>,
    /// Similarity to what the photos are compared with; `None` until both features are there.
    pub similarity: Option<f32>,
    /// `None` until the model has encoded it on this device; empty if the model gave none.
    feature: Option<Feature>,
    /// Whether the worker keeps the feature on the device, or has tried to.
    is_kept: bool,
    /// Whether the feature was kept on the device before, so that nothing was computed.
    was_kept: bool,
    n_failures: u8,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The most likely labels, the first first, and whether to believe them.
    Answered(Ranking),
    Refused(Error),
}

impl Batch {
    fn new(files: Vec<BatchFile>) -> Self {
        let row = |BatchFile { name, error }| Row {
            name,
            outcome: error.map(Outcome::Refused),
            similarity: None,
            feature: None,
            is_kept: false,
            was_kept: false,
            n_failures: 0,
        };
        Self { rows: files.into_iter().map(row).collect(), is_open: true, ..Self::default() }
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
        (self.is_open, self.current) = (false, None);
    }

    /// Removes the answers of another model or of other labels, and the features of another model.
    fn begin_with(&mut self, model: &str, labels: &LabelSet) {
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

impl AppState {
    /// The table, if it is shown.
    pub fn open_batch(&self) -> Option<&Batch> {
        self.batch.as_ref().filter(|batch| batch.is_open)
    }

    pub(super) fn choose_batch(&mut self, files: Vec<BatchFile>) -> Vec<Action> {
        if files.is_empty() {
            self.input_error = Some(Error::NoFiles);
            return Vec::new();
        }
        self.batch = Some(Batch::new(files));
        let mut actions = self.close_camera();
        actions.extend(self.accept_input());
        actions
    }

    /// Shows the table. The model goes on with it.
    pub(super) fn show_batch(&mut self) -> Vec<Action> {
        if let Some(batch) = &mut self.batch {
            (batch.is_open, batch.current) = (true, None);
        }
        self.accept_input()
    }

    pub(super) fn remove_batch(&mut self) -> Vec<Action> {
        self.batch = None;
        let mut actions = self.accept_input();
        actions.push(Action::ForgetFiles);
        actions
    }

    pub(super) fn view_batch(&mut self, view: TableView) -> Vec<Action> {
        if let Some(batch) = &mut self.batch {
            batch.view = view;
        }
        Vec::new()
    }
}
