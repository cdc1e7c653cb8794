//! The journal is shown, marked, and changed.

use super::AppState;
use crate::error::Error;
use crate::journal::Entry;
use crate::state::{Action, JournalMessage, Keeping};
use std::collections::HashSet;

impl AppState {
    /// Whether the photo that is shown can be kept; `None` if none is shown that the model can be given.
    pub fn keeping(&self) -> Option<Keeping> {
        let is_table = self.open_batch().is_some();
        let photo = self.photo.as_ref().filter(|photo| !is_table && !photo.is_refused())?;
        let is_answered = self.answer.is_some() && !self.is_framing();
        Some(match photo.shown() {
            _ if !is_answered => Keeping::Unanswered,
            None => Keeping::NoPicture,
            Some(_) => Keeping::Possible,
        })
    }

    /// Adds entries that the browser keeps; those that are shown already stay as they are.
    pub(super) fn show_journal(&mut self, entries: Vec<Entry>, message: Option<JournalMessage>) -> Vec<Action> {
        let journal = &mut self.journal;
        let mut known: HashSet<String> = journal.entries.iter().map(|entry| entry.id.clone()).collect();
        journal.entries.extend(entries.into_iter().filter(|entry| known.insert(entry.id.clone())));
        journal.entries.sort_by(|a, b| (&a.answered_at, &a.id).cmp(&(&b.answered_at, &b.id)));
        (journal.error, journal.message) = (None, message);
        Vec::new()
    }

    /// Forgets what was done last, and what failed.
    pub(super) fn start_in_journal(&mut self) -> Vec<Action> {
        (self.journal.error, self.journal.message) = (None, None);
        Vec::new()
    }

    pub(super) fn fail_journal(&mut self, error: Error) -> Vec<Action> {
        (self.journal.error, self.journal.message) = (Some(error), None);
        Vec::new()
    }

    pub(super) fn remove_from_journal(&mut self, id: Option<&str>) -> Vec<Action> {
        let is_removed = |found: &str| id.is_none_or(|id| id == found);
        self.journal.entries.retain(|entry| !is_removed(&entry.id));
        self.journal.marked.retain(|marked| !is_removed(marked));
        (self.journal.error, self.journal.message) = (None, Some(JournalMessage::Deleted));
        // Whoever deletes everything wants no traces of other photos, either.
        match id {
            None if self.keeps_features() => self.want_feature_keeping(false),
            _ => Vec::new(),
        }
    }

    /// Marks an entry to compare it, or takes its mark away. A third mark replaces the first.
    pub(super) fn mark_in_journal(&mut self, id: String) -> Vec<Action> {
        let marked = &mut self.journal.marked;
        match marked.iter().position(|marked| *marked == id) {
            Some(index) => drop(marked.remove(index)),
            None => marked.push(id),
        }
        if marked.len() > 2 {
            marked.remove(0);
        }
        Vec::new()
    }
}
