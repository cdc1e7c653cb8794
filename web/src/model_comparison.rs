//! Answers of several models to one photo, side by side: the labels to show, and whether the models agree. Pure.

use crate::state::ComparedModel;
use crate::verdict::Verdict;

/// Labels of each model to show, the most likely ones.
const N_SHOWN: usize = 5;

/// A label and its probability by each model.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedLabel {
    pub label: String,
    /// `None` where the label is not among those that the model was asked for.
    pub probabilities: Vec<Option<f32>>,
}

/// Whether the models have one first label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// All have this one.
    First(String),
    /// For all of them, none of the labels fits the photo.
    NoneOfThese,
    Different,
}

impl ComparedModel {
    pub fn verdict(&self) -> Verdict {
        self.answer.verdict()
    }

    /// The first label, unless no label fits the photo.
    pub fn choice(&self) -> Option<&str> {
        let first = self.answer.predictions.first().filter(|_| self.verdict() != Verdict::NoneOfThese);
        first.map(|first| first.label.as_str())
    }

    /// Place of a label, from 1, and its probability.
    pub fn place(&self, label: &str) -> Option<(usize, f32)> {
        let found = self.answer.predictions.iter().zip(1..).find(|(prediction, _)| prediction.label == label);
        found.map(|(prediction, place)| (place, prediction.probability))
    }
}

/// The most likely labels of each model: those of the first model in its order, then what the others add.
pub fn compared_labels(models: &[ComparedModel]) -> Vec<ComparedLabel> {
    let mut labels: Vec<&str> = Vec::new();
    for prediction in models.iter().flat_map(|model| model.answer.predictions.iter().take(N_SHOWN)) {
        if !labels.contains(&prediction.label.as_str()) {
            labels.push(&prediction.label);
        }
    }
    let probability = |model: &ComparedModel, label: &str| Some(model.place(label)?.1);
    let row = |label: &str| ComparedLabel {
        label: label.into(),
        probabilities: models.iter().map(|model| probability(model, label)).collect(),
    };
    labels.into_iter().map(row).collect()
}

/// Whether the models have one first label; `None` without models.
pub fn agreement(models: &[ComparedModel]) -> Option<Agreement> {
    let (first, others) = models.split_first()?;
    Some(match first.choice() {
        choice if others.iter().any(|other| other.choice() != choice) => Agreement::Different,
        Some(label) => Agreement::First(label.into()),
        None => Agreement::NoneOfThese,
    })
}
