//! The journal as the page shows it.

use super::{Action, AppState};
use crate::error::Error;
use crate::journal::{BODY_SITES, Entry};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What was done with the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalMessage {
    Kept,
    Imported {
        n_photos: usize,
    },
    /// As a file. What is left out has no photo on this device any more.
    Saved {
        n_photos: usize,
        n_left_out: usize,
    },
    Deleted,
}

/// Whether the photo that is shown can be kept, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    Possible,
    /// The answers of the photo, or of the crop that is shown, are not there yet: a photo is kept with its answers.
    Unanswered,
    /// The worker could not make the preview, which is what is kept.
    NoPicture,
}

/// The kept photos. The browser has their pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalState {
    /// The newest last.
    pub entries: Vec<Entry>,
    /// Ids of the entries to compare, at most two.
    pub marked: Vec<String>,
    pub error: Option<Error>,
    /// Whether the browser may delete the journal by itself.
    pub may_be_deleted: bool,
    /// What was done last.
    pub message: Option<JournalMessage>,
}

impl JournalState {
    /// The entries of each spot, in the order of the spots' first photos.
    pub fn spots(&self) -> Vec<(String, Vec<Entry>)> {
        let mut spots: Vec<(String, Vec<Entry>)> = Vec::new();
        for entry in &self.entries {
            match spots.iter_mut().find(|(spot, _)| *spot == entry.text.spot) {
                Some((_, entries)) => entries.push(entry.clone()),
                None => spots.push((entry.text.spot.clone(), vec![entry.clone()])),
            }
        }
        spots
    }

    /// The sites of the kept spots, with the number of spots at each: those of the page in their order, then others. A
    /// spot is where its newest photo with a site is.
    pub fn spots_by_site(&self) -> Vec<(String, usize)> {
        let with_site = self.entries.iter().map(|entry| &entry.text).filter(|text| !text.body_site.is_empty());
        let site_of: HashMap<&str, &str> = with_site.map(|text| (&*text.spot, &*text.body_site)).collect();
        let rank = |site: &str| BODY_SITES.iter().position(|known| *known == site).unwrap_or(BODY_SITES.len());
        let mut n_spots: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for site in site_of.into_values() {
            *n_spots.entry((rank(site), site)).or_default() += 1;
        }
        n_spots.into_iter().map(|((_, site), n_spots)| (site.to_string(), n_spots)).collect()
    }

    /// Id of the entry that is shown after this one, or before it if it is the last.
    pub fn id_beside(&self, id: &str) -> Option<String> {
        let shown: Vec<Entry> = self.spots().into_iter().flat_map(|(_, entries)| entries).collect();
        let at = shown.iter().position(|entry| entry.id == id)?;
        let beside = shown.get(at + 1).or_else(|| shown.get(at.checked_sub(1)?))?;
        Some(beside.id.clone())
    }

    /// The two marked entries, the older first.
    pub fn compared(&self) -> Option<(&Entry, &Entry)> {
        let mut marked = self.entries.iter().filter(|entry| self.marked.contains(&entry.id));
        Some((marked.next()?, marked.next()?))
    }
}

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
