//! The features of the table's photos are kept on the device, or deleted.

use super::AppState;
use crate::state::kept_features::KeptFeatures;
use crate::state::{Action, Phase};
use crate::worker::protocol::FeatureKeeping;

impl AppState {
    /// Whether features are kept.
    pub fn keeps_features(&self) -> bool {
        self.kept_features.is_on
    }

    /// What became of keeping features; `None` until the worker has said it.
    pub fn feature_keeping(&self) -> Option<FeatureKeeping> {
        self.kept_features.keeping
    }

    /// Follows what an earlier visit or another tab has stored.
    pub(super) fn restore_feature_keeping(&mut self, keeps: bool) -> Vec<Action> {
        self.kept_features.may_exist = true;
        if self.kept_features.is_on == keeps { Vec::new() } else { self.set_feature_keeping(keeps) }
    }

    /// Turns keeping on or off, as the visitor wants it.
    pub(super) fn want_feature_keeping(&mut self, keeps: bool) -> Vec<Action> {
        let mut actions = self.set_feature_keeping(keeps);
        actions.push(Action::StoreFeatureKeeping(keeps));
        actions
    }

    /// What the worker is told when it starts; nothing if features were never kept.
    pub(super) fn tell_feature_keeping(&self) -> Option<Action> {
        let KeptFeatures { is_on, may_exist, .. } = self.kept_features;
        may_exist.then_some(Action::KeepFeatures(is_on))
    }

    fn set_feature_keeping(&mut self, keeps: bool) -> Vec<Action> {
        self.kept_features = KeptFeatures { is_on: keeps, may_exist: true, keeping: None };
        if let Some(batch) = self.batch.as_mut().filter(|_| !keeps) {
            batch.note_deleted_features();
        }
        let mut actions: Vec<Action> = self.tell_feature_keeping().into_iter().collect();
        // A table that is done goes on with keeping what it has computed.
        if keeps && self.phase == Phase::Ready && self.open_batch().is_some() {
            actions.extend(self.accept_input());
        }
        actions
    }
}
