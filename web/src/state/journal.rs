//! The journal as the page shows it.

use crate::error::Error;
use crate::journal::{BODY_SITES, Entry};
use std::collections::{BTreeMap, HashMap};

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
