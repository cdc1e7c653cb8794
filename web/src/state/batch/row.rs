//! A file of the table, and what became of it.

use crate::error::Error;
use crate::verdict::Verdict;
use shared_model::zero_shot::Answer as Ranking;
use std::sync::Arc;

/// A feature of unit length.
pub(in crate::state) type Feature = Arc<[f32]>;

/// A file that was dropped or chosen with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchFile {
    /// Its path below what was dropped.
    pub name: String,
    /// Why the browser cannot read it.
    pub error: Option<Error>,
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
    pub(super) feature: Option<Feature>,
    /// Whether the worker keeps the feature on the device, or has tried to.
    pub(super) is_kept: bool,
    /// Whether the feature was kept on the device before, so that nothing was computed.
    pub(super) was_kept: bool,
    pub(super) n_failures: u8,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The most likely labels, the first first, and whether to believe them.
    Answered(Ranking),
    Refused(Error),
}

impl Row {
    pub(super) fn new(BatchFile { name, error }: BatchFile) -> Self {
        Self {
            name,
            outcome: error.map(Outcome::Refused),
            similarity: None,
            feature: None,
            is_kept: false,
            was_kept: false,
            n_failures: 0,
        }
    }

    /// The most likely label and its probability.
    pub fn first(&self) -> Option<(&str, f32)> {
        match &self.outcome {
            Some(Outcome::Answered(answer)) => {
                answer.predictions.first().map(|first| (first.label.as_str(), first.probability))
            }
            _ => None,
        }
    }

    /// Whether to believe the answer; `None` without one.
    pub fn verdict(&self) -> Option<Verdict> {
        match &self.outcome {
            Some(Outcome::Answered(answer)) => Some(Verdict::of(answer.certainty.as_ref())),
            _ => None,
        }
    }

    /// Why the photo has no answer.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Some(Outcome::Refused(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether its name, its first label or what the table says of it has this part, which is in lower case.
    pub(super) fn contains(&self, part: &str, remark: Option<String>) -> bool {
        let label = self.first().map(|(label, _)| label.to_lowercase());
        let texts = [Some(self.name.to_lowercase()), label, remark.map(|remark| remark.to_lowercase())];
        texts.iter().flatten().any(|text| text.contains(part))
    }

    /// Whether other photos can be compared with this one.
    pub fn can_be_searched(&self) -> bool {
        self.feature.as_ref().is_some_and(|feature| !feature.is_empty())
    }

    /// Whether its feature can be kept on the device, and is not.
    pub(super) fn can_be_kept(&self) -> bool {
        self.can_be_searched() && !self.is_kept
    }

    /// Whether the server answered it, which sends no feature.
    pub(super) fn lacks_feature(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Answered(_))) && self.feature.is_none()
    }
}
