//! Many photos: a table of files, which the model answers one after the other while the table is shown.

mod export;
mod search;
mod table;

pub use table::{Sort, TablePage, TableView};

use super::{Action, AppState, Phase};
use crate::error::Error;
use crate::verdict::Verdict;
use crate::worker::protocol::{Envelope, Progress, Request, Stage};
use search::{Feature, Query};
use shared_model::labels::LabelSet;
use shared_model::zero_shot::Answer as Ranking;

/// Number of answers to keep for each photo.
const N_ANSWERS: usize = 5;
/// A photo during which the model failed this often is given up.
const MAX_FAILURES: u8 = 2;

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
    /// Index of the photo that the worker has.
    current: Option<usize>,
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

    /// Index of the next photo for the model. While the table is searched, that is also one whose feature is missing.
    fn next(&self, is_on_server: bool) -> Option<usize> {
        let needs_features = self.is_searched() && !is_on_server;
        let unanswered = self.rows.iter().position(|row| row.outcome.is_none());
        unanswered.or_else(|| self.rows.iter().position(|row| needs_features && row.lacks_feature()))
    }

    fn progress(&self) -> Progress {
        Progress { stage: Stage::Photos, done: self.n_done() as u64, total: self.n_files() as u64 }
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

    /// Sends the words of a search or the next photo of the table to the worker; `None` if the table is not shown.
    pub(super) fn continue_batch(&mut self) -> Option<Vec<Action>> {
        let (labels, is_on_server) = (self.label_set().cloned(), self.is_on_server);
        let model = self.model.as_ref().map(|model| model.name.clone()).unwrap_or_default();
        let batch = self.batch.as_mut().filter(|batch| batch.is_open)?;
        if is_on_server {
            batch.end_search();
        }
        let next = labels.and_then(|labels| {
            batch.begin_with(&model, &labels);
            Some((batch.next(is_on_server)?, labels))
        });
        batch.current = next.as_ref().map(|(index, _)| *index);
        let progress = batch.progress();
        let request_id = self.next_request_id();
        if let Some(search) = self.encode_words(request_id) {
            return Some(vec![search]);
        }
        let Some((index, labels)) = next else {
            self.phase = Phase::Ready;
            return Some(Vec::new());
        };
        self.phase = Phase::Classifying(Some(progress));
        self.last_photo_id += 1;
        let top_k = N_ANSWERS.min(labels.class_names.len());
        let body = Request::Classify {
            photo_id: self.last_photo_id,
            crop: None,
            labels,
            top_k,
            is_shown: false,
            wants_feature: true,
        };
        Some(vec![Action::ClassifyFile { index, request: Envelope { request_id, body } }])
    }

    /// Whether the worker has a photo of the table.
    pub(super) fn is_batch_running(&self) -> bool {
        self.open_batch().is_some_and(|batch| batch.current.is_some())
    }

    /// Records what became of the photo that the worker had, with its feature, and sends the next.
    pub(super) fn record_in_batch(&mut self, outcome: Outcome, feature: Option<Vec<f32>>) -> Vec<Action> {
        let is_on_server = self.is_on_server;
        if let Some(batch) = &mut self.batch
            && let Some(row) = batch.current.take().and_then(|index| batch.rows.get_mut(index))
        {
            row.outcome = Some(outcome);
            if !is_on_server {
                row.feature = Some(feature.unwrap_or_default().into());
                batch.compare_photos();
            }
        }
        self.continue_batch().unwrap_or_default()
    }

    /// Notes that the model failed during a photo of the table, and gives the photo up if that happened before.
    pub(super) fn note_failure_in_batch(&mut self, error: &Error) {
        if let Some(batch) = &mut self.batch
            && let Some(row) = batch.current.take().and_then(|index| batch.rows.get_mut(index))
        {
            row.n_failures += 1;
            if row.n_failures >= MAX_FAILURES {
                row.outcome = Some(Outcome::Refused(error.clone()));
            }
        }
    }
}
