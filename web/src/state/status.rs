//! The state as text: status, error, progress, probabilities and times.

use super::{AppState, LabelChoice, Phase};
use crate::error::Error;
use crate::worker::protocol::{Progress, Stage};

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
        match &self.phase {
            Phase::Loading(progress) | Phase::Classifying(progress) | Phase::Annotating(progress) => *progress,
            _ => None,
        }
    }

    /// Whether the visitor has to wait.
    pub fn is_busy(&self) -> bool {
        let is_working = matches!(self.phase, Phase::Loading(_) | Phase::Classifying(_) | Phase::Annotating(_));
        is_working || self.sample_fetch.is_some()
    }

    /// Name of the phase, for tests and styles.
    pub fn phase_name(&self) -> &'static str {
        match self.phase {
            Phase::Idle => "idle",
            Phase::Loading(_) => "loading",
            Phase::Ready => "ready",
            Phase::Classifying(_) => "classifying",
            Phase::Annotating(_) => "annotating",
            Phase::Failed(_) => "failed",
        }
    }

    /// The status in one sentence. It changes rarely, because screen readers announce it.
    pub fn status(&self) -> &'static str {
        match &self.phase {
            Phase::Idle => "Starting.",
            Phase::Failed(_) => "Stopped.",
            Phase::Loading(None) => "Connecting to the server.",
            Phase::Loading(Some(progress)) => match (progress.is_complete(), progress.stage) {
                (true, _) => "Preparing the model.",
                (false, Stage::ReadStored) => "Loading the model from this device.",
                (false, _) => "Downloading the model.",
            },
            Phase::Classifying(None) => "Classifying the photo.",
            Phase::Annotating(None) => "Scoring findings.",
            Phase::Classifying(Some(progress)) | Phase::Annotating(Some(progress)) => match progress.stage {
                Stage::Photos => "Classifying the photos.",
                Stage::Concepts => "Scoring findings.",
                Stage::Labels => "Encoding your labels.",
                Stage::ReadStored => "Loading the text part of the model from this device.",
                Stage::Download => "Downloading the text part of the model.",
            },
            Phase::Ready if self.sample_fetch.is_some() => "Fetching the sample.",
            Phase::Ready if self.open_batch().is_some_and(|batch| batch.n_done() == batch.n_files()) => "Done.",
            Phase::Ready if self.answer.is_some() => "Done.",
            Phase::Ready if self.labels == Some(LabelChoice::Own) && self.own_labels.is_none() => {
                "Ready: type your labels."
            }
            Phase::Ready => "Ready: choose a photo.",
        }
    }
}

impl Progress {
    fn is_complete(&self) -> bool {
        self.done >= self.total
    }
}

/// Formats a probability.
pub fn percent(probability: f32) -> String {
    if probability < 0.0005 { "< 0.1 %".into() } else { format!("{:.1} %", 100.0 * probability) }
}

/// Formats a duration.
pub fn duration(millis: f64) -> String {
    if millis < 1.0 { "under 1 ms".into() } else { format!("{millis:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_probability_is_not_shown_as_zero() {
        let shown = [0.987_65, 0.0005, 0.0004, 0.0].map(percent);
        assert_eq!(shown, ["98.8 %", "0.1 %", "< 0.1 %", "< 0.1 %"]);
        assert_eq!([0.2, 1234.5].map(duration), ["under 1 ms", "1234 ms"]);
    }
}
