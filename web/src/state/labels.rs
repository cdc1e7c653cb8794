//! The labels: a set of the model or the visitor's own, and what is kept of the choice for the next visit.

use super::{Action, AppState, LabelChoice};
use crate::error::{Error, WayOn};
use crate::worker::protocol::ModelInfo;
use serde::{Deserialize, Serialize};
use shared_model::labels::{LabelSet, LabelWarning, ReadLabels};

/// Labels that are listed to show how the text was read.
const N_LISTED: usize = 6;

/// What the browser keeps of the labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLabels {
    pub choice: LabelChoice,
    /// What stands in the box of the visitor's own labels.
    pub own_text: String,
}

impl AppState {
    /// The labels that answers are ranked among, once they are known.
    pub fn label_set(&self) -> Option<&LabelSet> {
        match self.labels.as_ref()? {
            LabelChoice::Own => self.own_labels.as_ref(),
            LabelChoice::Shipped(key) => self.model.as_ref()?.label_sets.iter().find(|set| set.key == *key),
        }
    }

    /// Whether the answer is certain whatever the photo shows.
    pub fn has_one_label(&self) -> bool {
        self.label_set().is_some_and(|set| set.class_names.len() == 1)
    }

    /// How the text in the box is read: how many labels it makes, and the first of them; `None` while it makes none.
    pub fn own_labels_in_words(&self) -> Option<String> {
        let names = ReadLabels::from_text(&self.own_text).ok()?.set.class_names;
        let noun = if names.len() == 1 { "label" } else { "labels" };
        let n_more = names.len().saturating_sub(N_LISTED);
        let more = if n_more > 0 { format!(" and {n_more} more") } else { String::new() };
        let listed = names[..names.len() - n_more].join(" · ");
        Some(format!("{} {noun}: {listed}{more}", names.len()))
    }

    /// What may not be meant in the text in the box; that there is one label is shown once it is used.
    pub fn own_labels_warning(&self) -> Option<String> {
        let warnings = ReadLabels::from_text(&self.own_text).ok()?.warnings;
        let is_shown = |warning: &&LabelWarning| !matches!(warning, LabelWarning::Single { .. });
        let warnings: Vec<String> = warnings.iter().filter(is_shown).map(ToString::to_string).collect();
        (!warnings.is_empty()).then(|| warnings.join("; "))
    }

    pub(super) fn restore_labels(&mut self, kept: KeptLabels) -> Vec<Action> {
        self.own_labels = LabelSet::from_text(&kept.own_text).ok();
        (self.labels, self.own_text) = (Some(kept.choice), kept.own_text);
        Vec::new()
    }

    /// Takes the labels of the box again where the visitor comes back to them: what stands there is what is ranked.
    pub(super) fn choose_labels(&mut self, choice: LabelChoice) -> Vec<Action> {
        let is_own = choice == LabelChoice::Own;
        self.labels = Some(choice);
        if is_own && !self.own_text.trim().is_empty() {
            return self.apply_own_labels();
        }
        let actions = self.go_on();
        self.and_keep_labels(actions)
    }

    pub(super) fn edit_own_labels(&mut self, text: String) -> Vec<Action> {
        self.own_text = text;
        self.input_error.take_if(|error| error.way_on() == WayOn::OtherLabels);
        self.and_keep_labels(Vec::new())
    }

    pub(super) fn apply_own_labels(&mut self) -> Vec<Action> {
        self.labels = Some(LabelChoice::Own);
        let labels = LabelSet::from_text(&self.own_text);
        self.own_labels = labels.as_ref().ok().cloned();
        let actions = match labels {
            Ok(_) => self.go_on(),
            Err(err) => self.refuse(Error::from(err)),
        };
        self.and_keep_labels(actions)
    }

    /// Keeps the label set that was chosen, where a model that opens has it too.
    pub(super) fn choose_labels_of(&mut self, model: &ModelInfo) {
        let has_choice = match &self.labels {
            None => false,
            Some(LabelChoice::Own) => true,
            Some(LabelChoice::Shipped(key)) => model.label_sets.iter().any(|set| set.key == *key),
        };
        if !has_choice {
            let first = model.label_sets.first();
            self.labels = Some(first.map_or(LabelChoice::Own, |set| LabelChoice::Shipped(set.key.clone())));
        }
    }

    fn and_keep_labels(&self, mut actions: Vec<Action>) -> Vec<Action> {
        let kept = self.labels.clone().map(|choice| KeptLabels { choice, own_text: self.own_text.clone() });
        actions.extend(kept.map(Action::KeepLabels));
        actions
    }
}
