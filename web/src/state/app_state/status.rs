//! Status, error and progress of the work that the visitor waits for.

use super::AppState;
use crate::error::Error;
use crate::state::{BelowPhoto, LabelChoice, Phase, Status};
use crate::worker::protocol::Progress;

impl AppState {
    /// The error to show, if any.
    pub fn error(&self) -> Option<&Error> {
        match &self.phase {
            Phase::Failed(error) => Some(error),
            _ => self.input_error.as_ref().or_else(|| self.photo.as_ref()?.decoded.as_ref()?.as_ref().err()),
        }
    }

    /// What is to be seen of the photo elsewhere on the page; `None` without a photo.
    pub fn below_photo(&self) -> Option<BelowPhoto> {
        if self.photo.is_none() && self.sample_fetch.is_none() {
            return None;
        }
        Some(match (self.error(), &self.answer) {
            (Some(_), _) => BelowPhoto::Error,
            (None, Some(_)) => BelowPhoto::Answers,
            (None, None) => BelowPhoto::Work,
        })
    }

    /// Whether the next visit works without a network.
    pub fn works_offline(&self) -> bool {
        self.is_model_stored && self.is_page_stored
    }

    /// Whether own labels work without a network at the next visit, too.
    pub fn own_labels_work_offline(&self) -> bool {
        self.works_offline() && self.is_text_stored
    }

    /// Progress of the current work, if it is known.
    pub fn progress(&self) -> Option<Progress> {
        self.phase.progress()
    }

    /// Whether the visitor has to wait.
    pub fn is_busy(&self) -> bool {
        self.phase.work().is_some() || self.sample_fetch.is_some()
    }

    /// Name of the phase, for tests and styles.
    pub fn phase_name(&self) -> &'static str {
        match self.phase {
            Phase::Idle => "idle",
            Phase::Loading(_) => "loading",
            // What is answered is not what is shown.
            Phase::Ready if self.is_framing() => "framing",
            Phase::Ready => "ready",
            Phase::Classifying(_) => "classifying",
            Phase::Annotating(_) => "annotating",
            Phase::Mapping(_) => "mapping",
            Phase::Searching(_) => "searching",
            Phase::Failed(_) => "failed",
        }
    }

    /// The status. It changes rarely, because screen readers announce it.
    pub fn status(&self) -> Status {
        if let Some(work) = self.phase.work() {
            return work;
        }
        match &self.phase {
            Phase::Idle => Status::Starting,
            Phase::Failed(_) => Status::Stopped,
            Phase::Ready if self.sample_fetch.is_some() => Status::FetchingSample,
            Phase::Ready if self.open_batch().is_some_and(|batch| batch.n_done() == batch.n_files()) => {
                Status::Done
            }
            Phase::Ready if self.answer.is_some() => Status::Done,
            Phase::Ready if self.labels == Some(LabelChoice::Own) && self.own_labels.is_none() => {
                Status::ReadyForLabels
            }
            _ => Status::ReadyForPhoto,
        }
    }
}
