//! The journal: what the visitor keeps is written at once, and shown once it is written.

use super::App;
use crate::document::{save_parts, text_blob};
use crate::error::{Error, what};
use crate::journal::{
    Entry, EntryAndPhoto, EntrySplitter, EntryText, FILE_END, file_entry, file_start, read_entry,
};
use crate::state::{Event, JournalMessage};
use crate::storage;
use js_sys::Uint8Array;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File};

/// A journal's file is read in pieces of this size: it may be larger than the page's memory.
const PIECE_BYTES: f64 = 8e6;

impl App {
    /// Shows the journal of earlier visits.
    pub(super) async fn load_journal(self) {
        let entries = storage::journal::load().await;
        if !entries.is_empty() {
            self.send(Event::JournalShown(entries, None));
            self.send(Event::JournalPersistence(storage::journal::is_persistent().await));
        }
    }

    /// Asks the browser not to delete the journal, and tells the visitor if it may.
    async fn make_journal_persistent(self) {
        self.send(Event::JournalPersistence(storage::journal::make_persistent().await));
    }

    /// Keeps the photo and the answers that the page shows. Returns whether they were kept.
    pub async fn keep_in_journal(self, text: EntryText) -> bool {
        let report = self.read(super::report::report_of);
        let (Some(report), Some(photo)) = (report, self.pictures.preview.file()) else { return false };
        self.send(Event::JournalStarted);
        let entry = Entry::new(&report, text, js_sys::Math::random().to_bits() as u32);
        let kept = storage::journal::keep(&entry, &photo).await;
        let is_kept = kept.is_ok();
        match kept {
            Ok(()) => {
                self.send(Event::JournalShown(vec![entry], Some(JournalMessage::Kept)));
                spawn_local(self.make_journal_persistent());
            }
            Err(error) => self.send(Event::JournalFailed(error)),
        }
        is_kept
    }

    /// Adds the entries of a file: all of them, those for which there is room, or none if the file is damaged.
    pub async fn import_journal(self, file: File) {
        self.send(Event::JournalStarted);
        let imported = async {
            let mut n_photos = 0;
            for_each_entry(&file, async |_| {
                n_photos += 1;
                Ok(())
            })
            .await?;
            self.import_entries(&file, n_photos).await
        };
        if let Err(error) = imported.await {
            self.send(Event::JournalFailed(error));
        }
    }

    /// Adds the entries of a file without damage, and shows those that were kept.
    async fn import_entries(self, file: &File, n_photos: usize) -> Result<(), Error> {
        let mut kept = Vec::new();
        let imported = for_each_entry(file, async |(entry, photo)| {
            storage::journal::import(&entry, &photo).await?;
            kept.push(entry);
            Ok(())
        })
        .await;
        let n_kept = kept.len();
        self.send(Event::JournalShown(kept, Some(JournalMessage::Imported { n_photos: n_kept })));
        spawn_local(self.make_journal_persistent());
        imported.map_err(|error| match error {
            Error::JournalFull => Error::JournalFullAfter { n_kept, n_photos },
            error => error,
        })
    }

    /// Saves the whole journal as one file, and says how many entries are not in it.
    pub async fn export_journal(self) {
        self.send(Event::JournalStarted);
        let entries = self.read(|state| state.journal.entries.clone());
        let mut parts = vec![text_blob(&file_start())];
        for entry in &entries {
            // An entry whose photo is missing has nothing to show elsewhere.
            if let Some(photo) = storage::journal::photo_bytes(&entry.id).await {
                // A blob, which the browser may keep on disk, so that only one photo is in memory.
                parts.push(text_blob(&file_entry(entry, &photo, parts.len() == 1)));
            }
        }
        let n_saved = parts.len() - 1;
        parts.push(text_blob(FILE_END));
        match parts.into_iter().collect::<Option<Vec<Blob>>>() {
            Some(parts) => {
                save_parts("dermake-journal.json", "application/json", &parts.iter().collect());
                let message = JournalMessage::Saved { n_photos: n_saved, n_left_out: entries.len() - n_saved };
                self.send(Event::JournalShown(Vec::new(), Some(message)));
            }
            None => self.send(Event::JournalFailed(Error::OutOfMemory { what: what::JOURNAL_FILE.into() })),
        }
    }

    /// Deletes an entry, or the whole journal. Returns whether it was deleted.
    pub async fn remove_from_journal(self, id: Option<String>) -> bool {
        self.send(Event::JournalStarted);
        let removed = storage::journal::remove(id.as_deref()).await;
        let is_removed = removed.is_ok();
        match removed {
            Ok(()) => self.send(Event::JournalRemoved(id)),
            Err(error) => self.send(Event::JournalFailed(error)),
        }
        is_removed
    }
}

/// Reads the entries of a file one after the other.
async fn for_each_entry(
    file: &File,
    mut take: impl AsyncFnMut(EntryAndPhoto) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut splitter = EntrySplitter::default();
    let mut start = 0.0;
    while start < file.size() {
        let end = (start + PIECE_BYTES).min(file.size());
        let piece = file.slice_with_f64_and_f64(start, end).map_err(unreadable)?;
        let piece = JsFuture::from(piece.array_buffer()).await.map_err(unreadable)?;
        for json in splitter.push(&Uint8Array::new(&piece).to_vec())? {
            take(read_entry(&json)?).await?;
        }
        start = end;
    }
    splitter.finish()
}

fn unreadable(_: JsValue) -> Error {
    Error::PhotoUnreadable
}
