//! What the page says of its work: status, progress and times.

use super::Phase;
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

/// What is to be seen of the photo elsewhere on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BelowPhoto {
    /// How the work goes on.
    Work,
    Answers,
    /// Why there are no answers, or no findings or map beside them.
    Error,
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
