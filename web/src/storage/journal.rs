//! The journal on this device: a folder of the origin private file system, with two files for each photo.
//!
//! Every entry has files of its own, so tabs do not overwrite one another's. The folder exists only once something is
//! kept.

use crate::error::Error;
use crate::journal::{Entry, entry_from_json};
use js_sys::{Array, Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, DomException, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemRemoveOptions,
};

const FOLDER: &str = "dermake-journal";
/// Extensions of the two files of an entry.
const ENTRY: &str = "json";
const PHOTO: &str = "photo";

fn file_name(id: &str, extension: &str) -> String {
    format!("{id}.{extension}")
}

#[wasm_bindgen]
extern "C" {
    /// A stream that replaces a file when it is closed; until then the file is as it was.
    type Writable;
    #[wasm_bindgen(method, catch)]
    async fn write(this: &Writable, content: &Blob) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn close(this: &Writable) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn abort(this: &Writable) -> Result<JsValue, JsValue>;
}

/// All entries. Files that are damaged are left out; none without a journal.
pub async fn load() -> Vec<Entry> {
    let mut entries = Vec::new();
    let Ok(folder) = folder(false).await else { return entries };
    for name in names(&folder).await {
        if name.ends_with(&file_name("", ENTRY))
            && let Some(entry) = entry_in(&folder, &name).await
        {
            entries.push(entry);
        }
    }
    entries
}

/// Stores an entry and its photo, as JPEG where the browser encodes it.
///
/// # Errors
/// [`Error::JournalFull`] if there is no room, [`Error::JournalUnavailable`] if this browser keeps no files for pages.
pub async fn keep(entry: &Entry, photo: &Blob) -> Result<(), Error> {
    let jpeg = crate::canvas::jpeg(photo).await;
    write_entry(entry, jpeg.as_ref().unwrap_or(photo)).await
}

/// Stores an entry of a file, unless it is kept already.
///
/// # Errors
/// As [`keep`].
pub async fn import(entry: &Entry, photo: &[u8]) -> Result<(), Error> {
    if is_kept(&folder(true).await?, &entry.id).await {
        return Ok(());
    }
    write_entry(entry, &blob_of(photo).ok_or(Error::JournalUnavailable)?).await
}

/// Whether an entry and its photo are whole: a write that was interrupted leaves an empty file.
async fn is_kept(folder: &FileSystemDirectoryHandle, id: &str) -> bool {
    entry_in(folder, &file_name(id, ENTRY)).await.is_some()
        && file(folder, &file_name(id, PHOTO)).await.is_some_and(|photo| photo.size() > 0.0)
}

/// The entry in a file; `None` if the file is missing or damaged.
async fn entry_in(folder: &FileSystemDirectoryHandle, name: &str) -> Option<Entry> {
    entry_from_json(&String::from_utf8_lossy(&read(folder, name).await?)).ok()
}

/// Writes a new entry; after an error, nothing of it is left.
async fn write_entry(entry: &Entry, photo: &Blob) -> Result<(), Error> {
    let folder = folder(true).await?;
    let json = serde_json::to_string(entry).map_err(|err| Error::Computation { detail: err.to_string() })?;
    let json = Blob::new_with_str_sequence(&Array::of1(&json.into())).map_err(unavailable)?;
    // The entry is last: without its photo it would be shown empty.
    for (extension, content) in [(PHOTO, photo), (ENTRY, &json)] {
        if let Err(error) = write(&folder, &file_name(&entry.id, extension), content).await {
            // What cannot be removed, either, only takes room.
            let _ = remove_files(&folder, &entry.id).await;
            return Err(error);
        }
    }
    Ok(())
}

/// The photo of an entry; `None` if it is missing, or empty because its writing was interrupted.
pub async fn photo_bytes(id: &str) -> Option<Vec<u8>> {
    read(&folder(false).await.ok()?, &file_name(id, PHOTO)).await.filter(|photo| !photo.is_empty())
}

/// The photo of an entry. Its bytes stay on disk until they are shown.
pub async fn photo(id: &str) -> Option<File> {
    file(&folder(false).await.ok()?, &file_name(id, PHOTO)).await
}

/// Deletes an entry, or the whole journal.
///
/// # Errors
/// [`Error::JournalUnavailable`] if the browser refuses.
pub async fn remove(id: Option<&str>) -> Result<(), Error> {
    match id {
        Some(id) => {
            let folder = folder(false).await?;
            remove_files(&folder, id).await
        }
        None => {
            let options = FileSystemRemoveOptions::new();
            options.set_recursive(true);
            let removed = JsFuture::from(root().await?.remove_entry_with_options(FOLDER, &options)).await;
            removed.map(drop).or_else(unless_missing)
        }
    }
}

async fn remove_files(folder: &FileSystemDirectoryHandle, id: &str) -> Result<(), Error> {
    for extension in [ENTRY, PHOTO] {
        let removed = JsFuture::from(folder.remove_entry(&file_name(id, extension))).await;
        removed.map(drop).or_else(unless_missing)?;
    }
    Ok(())
}

/// Asks the browser to keep what the page stores until the visitor deletes it; some ask the visitor. Returns whether it
/// does.
pub async fn make_persistent() -> bool {
    is_granted(window().navigator().storage().persist()).await
}

/// Returns whether the browser keeps what the page stores until the visitor deletes it.
pub async fn is_persistent() -> bool {
    is_granted(window().navigator().storage().persisted()).await
}

async fn is_granted(asked: Result<js_sys::Promise, JsValue>) -> bool {
    let Ok(asked) = asked else { return false };
    JsFuture::from(asked).await.is_ok_and(|granted| granted.is_truthy())
}

/// Whether this browser can keep a journal.
pub fn is_available() -> bool {
    let has = |object: &JsValue, name: &str| Reflect::has(object, &name.into()).unwrap_or_default();
    let prototype = Reflect::get(&window(), &"FileSystemFileHandle".into())
        .and_then(|class| Reflect::get(&class, &"prototype".into()));
    has(&window().navigator(), "storage") && prototype.is_ok_and(|prototype| has(&prototype, "createWritable"))
}

async fn root() -> Result<FileSystemDirectoryHandle, Error> {
    if !is_available() {
        return Err(Error::JournalUnavailable);
    }
    let root = JsFuture::from(window().navigator().storage().get_directory()).await;
    root.and_then(|root| root.dyn_into()).map_err(unavailable)
}

async fn folder(create: bool) -> Result<FileSystemDirectoryHandle, Error> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(create);
    let folder = JsFuture::from(root().await?.get_directory_handle_with_options(FOLDER, &options)).await;
    folder.and_then(|folder| folder.dyn_into()).map_err(unavailable)
}

async fn names(folder: &FileSystemDirectoryHandle) -> Vec<String> {
    let mut found = Vec::new();
    let names = folder.keys();
    while let Ok(next) = names.next() {
        let Ok(next) = JsFuture::from(next).await else { break };
        let Ok(Some(name)) = Reflect::get(&next, &"value".into()).map(|name| name.as_string()) else { break };
        found.push(name);
    }
    found
}

async fn file(folder: &FileSystemDirectoryHandle, name: &str) -> Option<File> {
    let handle: FileSystemFileHandle = JsFuture::from(folder.get_file_handle(name)).await.ok()?.dyn_into().ok()?;
    JsFuture::from(handle.get_file()).await.ok()?.dyn_into().ok()
}

async fn read(folder: &FileSystemDirectoryHandle, name: &str) -> Option<Vec<u8>> {
    let content = JsFuture::from(file(folder, name).await?.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&content).to_vec())
}

async fn write(folder: &FileSystemDirectoryHandle, name: &str, content: &Blob) -> Result<(), Error> {
    let options = FileSystemGetFileOptions::new();
    options.set_create(true);
    let handle = JsFuture::from(folder.get_file_handle_with_options(name, &options)).await.map_err(not_written)?;
    let create: js_sys::Function = Reflect::get(&handle, &"createWritable".into())
        .and_then(|create| create.dyn_into())
        .map_err(unavailable)?;
    let stream: js_sys::Promise =
        create.call0(&handle).and_then(|stream| stream.dyn_into()).map_err(unavailable)?;
    let stream: Writable = JsFuture::from(stream).await.map_err(not_written)?.unchecked_into();
    let written = match stream.write(content).await {
        Ok(_) => stream.close().await,
        Err(err) => Err(err),
    };
    if written.is_err() {
        // Browsers do not remove a file that has an open stream. The error that counts is the first one.
        let _ = stream.abort().await;
    }
    written.map(drop).map_err(not_written)
}

fn blob_of(bytes: &[u8]) -> Option<Blob> {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).ok()
}

fn unavailable(_: JsValue) -> Error {
    Error::JournalUnavailable
}

fn not_written(err: JsValue) -> Error {
    match name_of(&err).as_deref() {
        Some("QuotaExceededError") => Error::JournalFull,
        _ => Error::JournalUnavailable,
    }
}

fn unless_missing(err: JsValue) -> Result<(), Error> {
    if name_of(&err).as_deref() == Some("NotFoundError") { Ok(()) } else { Err(Error::JournalUnavailable) }
}

fn name_of(err: &JsValue) -> Option<String> {
    err.dyn_ref::<DomException>().map(DomException::name)
}
