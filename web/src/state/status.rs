//! The state in words, and what the visitor waits for.

use super::{AppState, LabelChoice, Phase, Photo};
use crate::error::Error;
use crate::worker::protocol::{Progress, Stage};

impl AppState {
    /// What the notice says, if anything is wrong.
    pub fn error(&self) -> Option<&Error> {
        match &self.phase {
            Phase::Failed(error) => Some(error),
            _ => self.input_error.as_ref().or_else(|| self.photo.as_ref()?.opened.as_ref()?.as_ref().err()),
        }
    }

    /// What became of files that came together, where there was more than one.
    pub fn photo_note(&self) -> Option<String> {
        let Photo { name, n_others, .. } = self.photo.as_ref().filter(|photo| photo.n_others > 0)?;
        Some(format!("{} files came at once, and one photo is looked at: {name}.", n_others + 1))
    }

    /// Whether the next visit needs no network.
    pub fn works_offline(&self) -> bool {
        self.is_model_kept && self.is_page_kept
    }

    /// Whether the visitor's own labels need no network at the next visit, either.
    pub fn own_labels_work_offline(&self) -> bool {
        self.works_offline() && self.is_text_kept
    }

    /// How far the work is that the visitor waits for, if it can be told.
    pub fn progress(&self) -> Option<Progress> {
        match &self.phase {
            Phase::Loading(progress) | Phase::Classifying(progress) => *progress,
            _ => None,
        }
    }

    /// Whether anything goes on that the visitor waits for.
    pub fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Loading(_) | Phase::Classifying(_)) || self.sample_fetch.is_some()
    }

    /// The phase's name, for tests and styles.
    pub fn phase_name(&self) -> &'static str {
        match self.phase {
            Phase::Idle => "idle",
            Phase::Loading(_) => "loading",
            Phase::Ready => "ready",
            Phase::Classifying(_) => "classifying",
            Phase::Failed(_) => "failed",
        }
    }

    /// One sentence on what goes on; it changes seldom, so that it can be read out.
    pub fn status(&self) -> &'static str {
        match &self.phase {
            Phase::Idle => "Starting.",
            Phase::Failed(_) => "Stopped.",
            Phase::Loading(None) => "Looking for a model.",
            Phase::Loading(Some(progress)) => match (progress.is_complete(), progress.stage) {
                (true, _) => "Preparing the model.",
                (false, Stage::Reopen) => "Opening the model, kept on this device.",
                (false, _) => "Downloading the model.",
            },
            Phase::Classifying(None) => "Looking at the photo.",
            Phase::Classifying(Some(progress)) => match progress.stage {
                Stage::Labels => "Reading your labels.",
                Stage::Reopen => "Opening the text part of the model, kept on this device.",
                Stage::Download => "Downloading the text part of the model.",
            },
            Phase::Ready if self.sample_fetch.is_some() => "Fetching the sample.",
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

/// A probability for people.
pub fn percent(probability: f32) -> String {
    if probability < 0.0005 { "< 0.1 %".into() } else { format!("{:.1} %", 100.0 * probability) }
}

/// A time for people.
pub fn duration(millis: f64) -> String {
    if millis < 1.0 { "under 1 ms".into() } else { format!("{millis:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_probability_is_not_shown_as_none() {
        let shown = [0.987_65, 0.0005, 0.0004, 0.0].map(percent);
        assert_eq!(shown, ["98.8 %", "0.1 %", "< 0.1 %", "< 0.1 %"]);
        assert_eq!([0.2, 1234.5].map(duration), ["under 1 ms", "1234 ms"]);
    }
}
