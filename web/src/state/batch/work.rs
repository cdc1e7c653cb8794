//! What the worker does for the table: it answers the photos, one after the other, and keeps their features.

use super::search::Feature;
use super::{Batch, N_ANSWERS, Outcome};
use crate::error::Error;
use crate::state::{Action, AppState, Phase};
use crate::worker::protocol::{Envelope, Progress, Request, Stage};
use shared_model::labels::LabelSet;
use shared_model::zero_shot::Answer as Ranking;

/// A photo during which the model failed this often is given up.
const MAX_FAILURES: u8 = 2;

/// What the worker does with the photo with this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// It answers it. `keeps` is whether it keeps the feature, too.
    Answer { index: usize, keeps: bool },
    /// It keeps the feature that was computed before.
    Keep { index: usize },
}

impl Work {
    pub(super) fn index(self) -> usize {
        match self {
            Self::Answer { index, .. } | Self::Keep { index } => index,
        }
    }
}

/// The worker's answer to a photo of the table.
pub(in crate::state) struct BatchAnswer {
    pub(in crate::state) ranking: Ranking,
    pub(in crate::state) feature: Option<Vec<f32>>,
    /// Whether the feature was kept on the device before.
    pub(in crate::state) was_kept: bool,
}

impl Batch {
    /// What the worker does next: it answers a photo or, while the table is searched, one whose feature is missing; then it
    /// keeps features, if the visitor wants that.
    fn next(&self, is_on_server: bool, keeps: bool) -> Option<Work> {
        let needs_features = self.is_searched() && !is_on_server;
        let unanswered = self.rows.iter().position(|row| row.outcome.is_none());
        let next = unanswered.or_else(|| self.rows.iter().position(|row| needs_features && row.lacks_feature()));
        let answer = next.map(|index| Work::Answer { index, keeps });
        let keeps = keeps && !is_on_server;
        let unkept = || self.rows.iter().position(|row| keeps && row.can_be_kept());
        answer.or_else(|| unkept().map(|index| Work::Keep { index }))
    }

    /// Progress of the current work.
    fn progress(&self) -> Progress {
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

impl AppState {
    /// Sends the words of a search or the next photo of the table to the worker; `None` if the table is not shown.
    pub(in crate::state) fn continue_batch(&mut self) -> Option<Vec<Action>> {
        let (labels, is_on_server, keeps) = (self.label_set().cloned(), self.is_on_server, self.keeps_features());
        let model = self.model.as_ref().map(|model| model.name.clone()).unwrap_or_default();
        let batch = self.batch.as_mut().filter(|batch| batch.is_open)?;
        if is_on_server {
            batch.end_search();
        }
        let next = labels.and_then(|labels| {
            batch.begin_with(&model, &labels);
            Some((batch.next(is_on_server, keeps)?, labels))
        });
        batch.current = next.as_ref().map(|(work, _)| *work);
        let progress = batch.progress();
        let feature = batch.current.and_then(|work| batch.rows.get(work.index())?.feature.as_deref());
        let feature = feature.unwrap_or_default().to_vec();
        let request_id = self.next_request_id();
        if let Some(search) = self.encode_words(request_id) {
            return Some(vec![search]);
        }
        let Some((work, labels)) = next else {
            self.phase = Phase::Ready;
            return Some(Vec::new());
        };
        let body = match work {
            Work::Answer { .. } => self.answer_request(labels),
            Work::Keep { .. } => Request::KeepFeature { feature },
        };
        self.phase = Phase::Classifying(Some(progress));
        Some(vec![Action::SendFile { index: work.index(), request: Envelope { request_id, body } }])
    }

    fn answer_request(&mut self, labels: LabelSet) -> Request {
        self.last_photo_id += 1;
        Request::Classify {
            photo_id: self.last_photo_id,
            crop: None,
            top_k: N_ANSWERS.min(labels.class_names.len()),
            labels,
            is_shown: false,
            wants_feature: true,
        }
    }

    /// Whether the worker has a photo of the table.
    pub(in crate::state) fn is_batch_running(&self) -> bool {
        self.open_batch().is_some_and(|batch| batch.current.is_some())
    }

    /// Records the worker's answer to the photo that it had, and sends the next.
    pub(in crate::state) fn record_in_batch(&mut self, answer: BatchAnswer) -> Vec<Action> {
        let is_on_server = self.is_on_server;
        if let Some(batch) = &mut self.batch
            && let Some(Work::Answer { index, keeps }) = batch.current.take()
            && let Some(row) = batch.rows.get_mut(index)
        {
            row.outcome = Some(Outcome::Answered(answer.ranking));
            if !is_on_server {
                row.feature = Some(answer.feature.unwrap_or_default().into());
                (row.is_kept, row.was_kept) = (keeps, answer.was_kept);
                batch.compare_photos();
            }
        }
        self.continue_batch().unwrap_or_default()
    }

    /// Records why the worker could not read the photo that it had, and sends the next. A photo that is answered stays so
    /// if only its feature was to be kept.
    pub(in crate::state) fn refuse_in_batch(&mut self, error: Error) -> Vec<Action> {
        if let Some(batch) = &mut self.batch {
            match batch.current.take() {
                Some(Work::Answer { index, .. }) => {
                    if let Some(row) = batch.rows.get_mut(index) {
                        row.outcome = Some(Outcome::Refused(error));
                        row.feature = Some(Feature::default());
                    }
                }
                Some(Work::Keep { index }) => batch.note_kept(index),
                None => {}
            }
        }
        self.continue_batch().unwrap_or_default()
    }

    /// Notes that the worker has kept a feature, or could not, and sends the next.
    pub(in crate::state) fn note_kept_in_batch(&mut self) -> Vec<Action> {
        if let Some(batch) = &mut self.batch
            && let Some(work) = batch.current.take()
        {
            batch.note_kept(work.index());
        }
        self.continue_batch().unwrap_or_default()
    }

    /// Notes that the model failed during a photo of the table, and gives the photo up if that happened before.
    pub(in crate::state) fn note_failure_in_batch(&mut self, error: &Error) {
        if let Some(batch) = &mut self.batch
            && let Some(work) = batch.current.take()
            && let Some(row) = batch.rows.get_mut(work.index())
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
}
