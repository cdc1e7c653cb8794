//! What the page is doing, and the answer it shows.

use crate::error::Error;
use crate::verdict::Verdict;
use crate::worker::protocol::{Computed, Progress, Reply};
use shared_model::calibration::Certainty;
use shared_model::concepts::Presence;
use shared_model::zero_shot::Prediction;

/// What the page and its worker are doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Phase {
    #[default]
    Idle,
    /// The model is being loaded.
    Loading(Option<Progress>),
    /// The model is loaded, and waits for a photo or for labels.
    Ready,
    Classifying(Option<Progress>),
    /// The photo is answered, and its findings are being scored.
    Annotating(Option<Progress>),
    /// The photo is answered, and mapped.
    Mapping(Option<Progress>),
    /// The words of a search are being encoded.
    Searching(Option<Progress>),
    Failed(Error),
}

/// The ranked labels of the current photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub predictions: Vec<Prediction>,
    /// Whether to believe them; `None` if the model is not calibrated for these labels.
    pub certainty: Option<Certainty>,
    pub millis: f64,
    pub computed: Computed,
    /// When it was finished, in milliseconds since 1970.
    pub finished_at: f64,
    /// Scores of the findings, the highest first, once they are known.
    pub concepts: Option<Vec<Presence>>,
}

impl Answer {
    /// The answer in a reply; `None` if it has none.
    pub(super) fn from_reply(reply: Reply) -> Option<Self> {
        let Reply::Predictions { predictions, certainty, millis, finished_at, computed, .. } = reply else {
            return None;
        };
        Some(Self { predictions, certainty, millis, finished_at, computed, concepts: None })
    }

    /// Whether to believe it.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.certainty.as_ref())
    }
}
