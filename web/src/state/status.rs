//! What the page says of its work: status, error, progress and times.

use super::{AppState, LabelChoice, Phase};
use crate::error::Error;
use crate::worker::protocol::{Progress, Stage};

/// What the page is doing, for the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Starting,
    Stopped,
    Connecting,
    Preparing,
    LoadingStored,
    Downloading,
    Classifying,
    ClassifyingMany,
    ScoringFindings,
    Mapping,
    Searching,
    KeepingFeatures,
    EncodingLabels,
    LoadingStoredText,
    DownloadingText,
    FetchingSample,
    Done,
    ReadyForLabels,
    ReadyForPhoto,
}

impl AppState {
    /// The error to show, if any.
    pub fn error(&self) -> Option<&Error> {
        match &self.phase {
            Phase::Failed(error) => Some(error),
            _ => self.input_error.as_ref().or_else(|| self.photo.as_ref()?.decoded.as_ref()?.as_ref().err()),
        }
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

impl Phase {
    /// Progress of the work, if it is known.
    pub(super) fn progress(&self) -> Option<Progress> {
        match self {
            Self::Loading(progress)
            | Self::Classifying(progress)
            | Self::Annotating(progress)
            | Self::Mapping(progress)
            | Self::Searching(progress) => *progress,
            Self::Idle | Self::Ready | Self::Failed(_) => None,
        }
    }

    /// What is being done; `None` if the visitor waits for nothing.
    pub(super) fn work(&self) -> Option<Status> {
        Some(match self {
            Self::Idle | Self::Ready | Self::Failed(_) => return None,
            Self::Loading(None) => Status::Connecting,
            Self::Loading(Some(progress)) => match (progress.is_complete(), progress.stage) {
                (true, _) => Status::Preparing,
                (false, Stage::ReadStored) => Status::LoadingStored,
                (false, _) => Status::Downloading,
            },
            Self::Classifying(None) => Status::Classifying,
            Self::Annotating(None) => Status::ScoringFindings,
            Self::Mapping(None) => Status::Mapping,
            Self::Searching(None) => Status::Searching,
            Self::Classifying(Some(progress))
            | Self::Annotating(Some(progress))
            | Self::Mapping(Some(progress))
            | Self::Searching(Some(progress)) => match progress.stage {
                Stage::Photos => Status::ClassifyingMany,
                Stage::Features => Status::KeepingFeatures,
                Stage::Concepts => Status::ScoringFindings,
                Stage::Labels => Status::EncodingLabels,
                Stage::ReadStored => Status::LoadingStoredText,
                Stage::Download => Status::DownloadingText,
            },
        })
    }
}

impl Progress {
    fn is_complete(&self) -> bool {
        self.done >= self.total
    }
}

/// Formats a duration.
pub fn duration(millis: f64) -> String {
    if millis < 1.0 { "< 1 ms".into() } else { format!("{millis:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_time_is_not_shown_as_zero() {
        assert_eq!([0.2, 1234.5].map(duration), ["< 1 ms", "1234 ms"]);
    }
}
