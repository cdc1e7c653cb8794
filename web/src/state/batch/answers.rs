//! What the worker does next for the table, and what became of what it did.

use super::Batch;
use super::row::{Feature, Outcome};
use super::work::{BatchAnswer, Work};
use crate::error::Error;
use crate::worker::protocol::{Progress, Stage};

/// A photo during which the model failed this often is given up.
const MAX_FAILURES: u8 = 2;

impl Batch {
    /// Chooses what the worker does next, and notes that it does it.
    pub(in crate::state) fn begin_next_work(&mut self, is_on_server: bool, keeps: bool) -> Option<Work> {
        self.current = self.next_work(is_on_server, keeps);
        self.current
    }

    /// The feature of the photo that the worker has; empty if it is not computed.
    pub(in crate::state) fn current_feature(&self) -> Vec<f32> {
        let feature = self.current.and_then(|work| self.rows.get(work.index())?.feature.as_deref());
        feature.unwrap_or_default().to_vec()
    }

    /// Whether the worker has a photo of the table.
    pub(in crate::state) fn is_running(&self) -> bool {
        self.current.is_some()
    }

    /// Forgets what the worker does.
    pub(in crate::state) fn pause(&mut self) {
        self.current = None;
    }

    /// Records the worker's answer to the photo that it had. The server sends no feature.
    pub(in crate::state) fn record(&mut self, answer: BatchAnswer, is_on_server: bool) {
        if let Some(Work::Answer { index, keeps }) = self.current.take()
            && let Some(row) = self.rows.get_mut(index)
        {
            row.outcome = Some(Outcome::Answered(answer.ranking));
            if !is_on_server {
                row.feature = Some(answer.feature.unwrap_or_default().into());
                (row.is_kept, row.was_kept) = (keeps, answer.was_kept);
                self.compare_photos();
            }
        }
    }

    /// Records why the worker could not read the photo that it had. A photo that is answered stays so if only its feature
    /// was to be kept.
    pub(in crate::state) fn refuse(&mut self, error: Error) {
        match self.current.take() {
            Some(Work::Answer { index, .. }) => {
                if let Some(row) = self.rows.get_mut(index) {
                    row.outcome = Some(Outcome::Refused(error));
                    row.feature = Some(Feature::default());
                }
            }
            Some(Work::Keep { index }) => self.note_kept(index),
            None => {}
        }
    }

    /// Notes that the worker has kept the feature that it had, or could not.
    pub(in crate::state) fn note_current_kept(&mut self) {
        if let Some(work) = self.current.take() {
            self.note_kept(work.index());
        }
    }

    /// Notes that the model failed during the photo that the worker had, and gives the photo up if that happened before.
    pub(in crate::state) fn note_failure(&mut self, error: &Error) {
        if let Some(work) = self.current.take()
            && let Some(row) = self.rows.get_mut(work.index())
        {
            // A feature that could not be kept is not tried again.
            if matches!(work, Work::Keep { .. }) {
                row.is_kept = true;
                return;
            }
            row.n_failures += 1;
            if row.n_failures >= MAX_FAILURES {
                row.outcome = Some(Outcome::Refused(error.clone()));
            }
        }
    }

    /// What the worker does next: it answers a photo or, while the table is searched, one whose feature is missing; then it
    /// keeps features, if the visitor wants that.
    fn next_work(&self, is_on_server: bool, keeps: bool) -> Option<Work> {
        let needs_features = self.is_searched() && !is_on_server;
        let unanswered = self.rows.iter().position(|row| row.outcome.is_none());
        let next = unanswered.or_else(|| self.rows.iter().position(|row| needs_features && row.lacks_feature()));
        let answer = next.map(|index| Work::Answer { index, keeps });
        let keeps = keeps && !is_on_server;
        let unkept = || self.rows.iter().position(|row| keeps && row.can_be_kept());
        answer.or_else(|| unkept().map(|index| Work::Keep { index }))
    }

    /// Progress of the current work.
    pub(in crate::state) fn progress(&self) -> Progress {
        let (stage, done) = match self.current {
            Some(Work::Keep { .. }) => (Stage::Features, self.rows.iter().filter(|row| row.is_kept).count()),
            _ => (Stage::Photos, self.n_done()),
        };
        Progress { stage, done: done as u64, total: self.n_files() as u64 }
    }

    /// Notes that no feature is kept any more.
    pub(in crate::state) fn note_deleted_features(&mut self) {
        self.rows.iter_mut().for_each(|row| row.is_kept = false);
    }

    /// Notes that a feature is kept, or cannot be.
    fn note_kept(&mut self, index: usize) {
        if let Some(row) = self.rows.get_mut(index) {
            row.is_kept = true;
        }
    }
}
