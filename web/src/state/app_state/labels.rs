//! The labels are chosen, typed and stored.

use super::AppState;
use crate::error::{Error, Remedy};
use crate::state::{Action, LabelChoice, StoredLabels};
use crate::worker::protocol::ModelInfo;
use shared_model::labels::LabelSet;

impl AppState {
    /// The labels to rank, once they are known.
    pub fn label_set(&self) -> Option<&LabelSet> {
        match self.labels.as_ref()? {
            LabelChoice::Own => self.own_labels.as_ref(),
            LabelChoice::Shipped(key) => self.model.as_ref()?.label_sets.iter().find(|set| set.key == *key),
        }
    }

    /// Whether there is one label, which gets 100 % for any photo.
    pub fn has_one_label(&self) -> bool {
        self.label_set().is_some_and(|set| set.class_names.len() == 1)
    }

    pub(super) fn restore_labels(&mut self, stored: StoredLabels) -> Vec<Action> {
        self.own_labels = LabelSet::from_text(&stored.own_text).ok();
        (self.labels, self.own_text) = (Some(stored.choice), stored.own_text);
        Vec::new()
    }

    /// Selects labels. Own labels are parsed again, so that the text in the box is what is ranked.
    pub(super) fn choose_labels(&mut self, choice: LabelChoice) -> Vec<Action> {
        let is_own = choice == LabelChoice::Own;
        self.labels = Some(choice);
        if is_own && !self.own_text.trim().is_empty() {
            return self.apply_own_labels();
        }
        let actions = self.accept_input();
        self.with_stored_labels(actions)
    }

    pub(super) fn edit_own_labels(&mut self, text: String) -> Vec<Action> {
        self.own_text = text;
        self.input_error.take_if(|error| error.remedy() == Remedy::OtherLabels);
        self.with_stored_labels(Vec::new())
    }

    pub(super) fn apply_own_labels(&mut self) -> Vec<Action> {
        self.labels = Some(LabelChoice::Own);
        let labels = LabelSet::from_text(&self.own_text);
        self.own_labels = labels.as_ref().ok().cloned();
        let actions = match labels {
            Ok(_) => self.accept_input(),
            Err(err) => self.refuse_input(Error::from(err)),
        };
        self.with_stored_labels(actions)
    }

    /// Keeps the selected label set if a newly loaded model has it, else selects the model's first.
    pub(super) fn keep_or_default_labels(&mut self, model: &ModelInfo) {
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

    /// Appends the action that stores the labels.
    fn with_stored_labels(&self, mut actions: Vec<Action>) -> Vec<Action> {
        let stored = self.labels.clone().map(|choice| StoredLabels { choice, own_text: self.own_text.clone() });
        actions.extend(stored.map(Action::StoreLabels));
        actions
    }
}
