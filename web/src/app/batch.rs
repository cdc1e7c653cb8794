//! The files of many photos: chosen, or read from the folders that were dropped.

use super::App;
use crate::error::Error;
use crate::state::{BatchFile, Event, NewPhoto};
use crate::storage;
use crate::worker::protocol::{Envelope, Request};
use js_sys::Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::collections::VecDeque;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, FileList, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

/// A file, or `None` where the browser could not read its entry.
type Found = (String, Option<File>);

impl App {
    /// Shows the chosen files in a table.
    pub fn choose_many(self, files: &FileList) {
        let files = (0..files.length()).filter_map(|index| files.get(index));
        self.set_files(files.map(|file| (path_of(&file), Some(file))).collect());
    }

    /// Shows the dropped files and those in dropped folders in a table.
    pub fn choose_dropped(self, data: &DataTransfer) {
        // The browser empties the list of items after the event; the entries stay.
        let items = data.items();
        let items = (0..items.length()).filter_map(|index| items.get(index)).filter(|item| item.kind() == "file");
        let entries: VecDeque<FileSystemEntry> =
            items.filter_map(|item| item.webkit_get_as_entry().ok().flatten()).collect();
        match data.files().filter(|_| entries.is_empty()) {
            Some(files) => self.choose_many(&files), // pasted, or without entries in this browser
            None => spawn_local(async move { self.set_files(files_below(entries).await) }),
        }
    }

    /// Makes a file of the table the current photo.
    pub fn open_file(self, index: usize) {
        let file = self.resources.with_value(|resources| resources.files.get(index).cloned().flatten());
        let name = self.read(|state| state.batch.as_ref().and_then(|batch| batch.name(index).map(str::to_string)));
        if let Some((file, name)) = file.zip(name) {
            self.choose(&file, NewPhoto { name });
        }
    }

    pub(super) fn send_file(self, index: usize, request: &Envelope<Request>) {
        let file = self.resources.with_value(|resources| resources.files.get(index).cloned().flatten());
        self.send_to_worker(request, file.as_deref());
    }

    /// Reads whether features are kept, as an earlier visit or another tab has stored.
    pub fn restore_feature_keeping(self) {
        if let Some(keeps) = storage::features::load() {
            self.send(Event::FeatureKeepingRestored(keeps));
        }
    }

    /// Tells the worker whether to keep features. One that does not run is told when it has started.
    pub(super) fn keep_features(self, keeps: bool) {
        let request = Envelope { request_id: 0, body: Request::KeepFeatures { keeps } };
        self.resources.with_value(|resources| {
            if let Some(worker) = &resources.worker {
                // A worker that cannot be reached has failed, which is an event of its own.
                let _ = worker.send(&request, None);
            }
        });
    }

    pub(super) fn forget_files(self) {
        self.resources.update_value(|resources| resources.files.clear());
    }

    fn set_files(self, found: Vec<Found>) {
        let (names, files): (Vec<String>, Vec<Option<File>>) = found.into_iter().unzip();
        let error = |file: &Option<File>| file.is_none().then_some(Error::PhotoUnreadable);
        let rows =
            names.into_iter().zip(&files).map(|(name, file)| BatchFile { name, error: error(file) }).collect();
        // Only handles: the worker reads one file at a time. Without a file, the table that is shown stays.
        if !files.is_empty() {
            self.resources.update_value(|resources| resources.files = files);
        }
        self.send(Event::BatchChosen(rows));
    }
}

/// The path below the chosen folder, or the name.
fn path_of(file: &File) -> String {
    let path = js_sys::Reflect::get(file, &"webkitRelativePath".into()).ok().and_then(|path| path.as_string());
    path.filter(|path| !path.is_empty()).unwrap_or_else(|| file.name())
}

/// All files of these entries and of the folders among them, sorted by path.
async fn files_below(mut entries: VecDeque<FileSystemEntry>) -> Vec<Found> {
    let mut found = Vec::new();
    while let Some(entry) = entries.pop_front() {
        let path = entry.full_path().trim_start_matches('/').to_string();
        // Some browsers do not have these classes by their standard names.
        match entry.is_directory() {
            true => match entries_of(entry.unchecked_ref()).await {
                Some(below) => entries.extend(below),
                None => found.push((path, None)),
            },
            false => found.push((path, file_of(entry.unchecked_ref()).await)),
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The entries of a folder; `None` if it cannot be read.
async fn entries_of(folder: &FileSystemDirectoryEntry) -> Option<Vec<FileSystemEntry>> {
    let reader = folder.create_reader();
    let mut all = Vec::new();
    loop {
        // A browser gives some hundred entries at a time, and none at the end.
        let some =
            callback(|resolve, reject| reader.read_entries_with_callback_and_callback(resolve, reject)).await?;
        let some = Array::from(&some);
        if some.length() == 0 {
            return Some(all);
        }
        all.extend(some.iter().map(JsCast::unchecked_into::<FileSystemEntry>));
    }
}

async fn file_of(entry: &FileSystemFileEntry) -> Option<File> {
    let file = callback(|resolve, reject| {
        entry.file_with_callback_and_callback(resolve, reject);
        Ok(())
    });
    file.await?.dyn_into().ok()
}

/// What a function of the browser passes to its callback; `None` if it reports an error.
async fn callback(call: impl Fn(&js_sys::Function, &js_sys::Function) -> Result<(), JsValue>) -> Option<JsValue> {
    let promise = js_sys::Promise::new(&mut |resolve, reject| {
        if let Err(err) = call(&resolve, &reject) {
            // Only the promise reports the error.
            let _ = reject.call1(&JsValue::UNDEFINED, &err);
        }
    });
    JsFuture::from(promise).await.ok()
}
