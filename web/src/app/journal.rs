//! The journal: what the visitor keeps is written at once, and shown once it is written.

use super::App;
use crate::document::save_parts;
use crate::error::Error;
use crate::journal::{Entry, EntryText, FILE_END, file_entry, file_start, from_file};
use crate::state::Event;
use crate::storage;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// Larger files do not fit into the page's memory: some thousand photos.
const MAX_FILE_BYTES: f64 = 256e6;

impl App {
    /// Shows the journal of earlier visits.
    pub(super) async fn load_journal(self) {
        let entries = storage::journal::load().await;
        if !entries.is_empty() {
            self.send(Event::JournalShown(entries, String::new()));
        }
    }

    /// Keeps the photo and the answers that the page shows. Returns whether they were kept.
    pub async fn keep_in_journal(self, text: EntryText) -> bool {
        let report = self.read(super::report::report_of);
        let (Some(report), Some(photo)) = (report, self.pictures.preview.file()) else { return false };
        let entry = Entry::new(&report, text, js_sys::Math::random().to_bits() as u32);
        let kept = storage::journal::keep(&entry, &photo).await;
        let is_kept = kept.is_ok();
        self.show_in_journal(kept.map(|()| vec![entry]), "Kept on this device.");
        is_kept
    }

    /// Adds the entries of a file.
    pub async fn import_journal(self, file: File) {
        let imported = async {
            let entries = from_file(&text_of(&file).await?)?;
            storage::journal::import(&entries).await?;
            Ok(entries.into_iter().map(|(entry, _)| entry).collect::<Vec<_>>())
        };
        let imported: Result<Vec<Entry>, Error> = imported.await;
        let message = imported.as_ref().map(|entries| match entries.len() {
            1 => "1 photo was imported.".into(),
            n_photos => format!("{n_photos} photos were imported."),
        });
        self.show_in_journal(imported.clone(), &message.unwrap_or_default());
    }

    /// Saves the whole journal as one file.
    pub async fn export_journal(self) {
        let parts = js_sys::Array::of1(&file_start().into());
        for entry in self.read(|state| state.journal.entries.clone()) {
            // An entry whose photo is missing has nothing to show elsewhere.
            if let Some(photo) = storage::journal::photo_bytes(&entry.id).await {
                parts.push(&file_entry(&entry, &photo, parts.length() == 1).into());
            }
        }
        parts.push(&FILE_END.into());
        save_parts("dermake-journal.json", "application/json", &parts);
    }

    /// Deletes an entry, or the whole journal.
    pub async fn remove_from_journal(self, id: Option<String>) {
        match storage::journal::remove(id.as_deref()).await {
            Ok(()) => self.send(Event::JournalRemoved(id)),
            Err(error) => self.send(Event::JournalFailed(error)),
        }
    }

    fn show_in_journal(self, entries: Result<Vec<Entry>, Error>, message: &str) {
        match entries {
            Ok(entries) => self.send(Event::JournalShown(entries, message.into())),
            Err(error) => self.send(Event::JournalFailed(error)),
        }
    }
}

async fn text_of(file: &File) -> Result<String, Error> {
    if file.size() > MAX_FILE_BYTES {
        return Err(Error::JournalDamaged {
            detail: format!("it has {:.0} MB, and the limit is {:.0} MB", file.size() / 1e6, MAX_FILE_BYTES / 1e6),
        });
    }
    let text = JsFuture::from(file.text()).await.map_err(|_: JsValue| Error::PhotoUnreadable)?;
    Ok(text.as_string().unwrap_or_default())
}
