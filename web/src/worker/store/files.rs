//! Files in a folder of the origin private file system. Weights are written while they are downloaded; the length of their
//! file is the progress.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemRemoveOptions, FileSystemSyncAccessHandle,
    WorkerGlobalScope,
};

/// Number of bytes after which a file is flushed. They may be lost if the machine stops, not if the page is closed.
const FLUSH_BYTES: u64 = 8 << 20;

pub struct FileStore(FileSystemDirectoryHandle);

/// Result of opening a file.
pub enum OpenResult {
    Opened(StoredFile),
    /// Another tab has locked the file, which has `n_bytes` bytes.
    InUse {
        n_bytes: u64,
    },
    /// The file cannot be stored.
    Unavailable,
}

impl FileStore {
    /// Opens the folder with this name, creating it if there is none; `None` if the browser has or allows none, as in some
    /// private windows.
    pub async fn open(name: &str) -> Option<Self> {
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder = root().await?.get_directory_handle_with_options(name, &options);
        JsFuture::from(folder).await.ok()?.dyn_into().ok().map(Self)
    }

    /// Opens the folder with this name, if there is one.
    pub async fn existing(name: &str) -> Option<Self> {
        let folder = root().await?.get_directory_handle(name);
        JsFuture::from(folder).await.ok()?.dyn_into().ok().map(Self)
    }

    /// Deletes the folder with this name and its files; returns whether it is gone. It is not while a tab has locked a file.
    pub async fn delete(name: &str) -> bool {
        let Some(root) = root().await else { return true };
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        match JsFuture::from(root.remove_entry_with_options(name, &options)).await {
            Ok(_) => true,
            Err(err) => exception_name(&err).as_deref() == Some("NotFoundError"),
        }
    }

    /// Opens a file, creating an empty one if there is none. It is locked against other tabs until it is dropped.
    pub async fn open_file(&self, name: &str) -> OpenResult {
        let Some(file) = self.handle(name, true).await else { return OpenResult::Unavailable };
        if !has(&file, "createSyncAccessHandle") {
            return OpenResult::Unavailable;
        }
        match JsFuture::from(file.create_sync_access_handle()).await {
            Ok(handle) => {
                StoredFile::new(handle.unchecked_into()).map_or(OpenResult::Unavailable, OpenResult::Opened)
            }
            Err(err) if is_in_use(&err) => OpenResult::InUse { n_bytes: length(&file).await },
            Err(_) => OpenResult::Unavailable,
        }
    }

    /// Length of a file, 0 if there is none.
    pub async fn n_bytes(&self, name: &str) -> u64 {
        self.file(name).await.map_or(0, |file| file.size() as u64)
    }

    /// When a file was written last, in milliseconds since 1970; `None` if there is none.
    pub async fn written_at(&self, name: &str) -> Option<f64> {
        Some(self.file(name).await?.last_modified())
    }

    /// Removes a file.
    pub async fn remove(&self, name: &str) {
        // If another tab has locked it, that tab uses it.
        let _ = JsFuture::from(self.0.remove_entry(name)).await;
    }

    /// Names of all files, whole or partial.
    pub async fn names(&self) -> Vec<String> {
        let mut found = Vec::new();
        let names = self.0.keys();
        while let Ok(next) = names.next() {
            let Ok(next) = JsFuture::from(next).await else { break };
            let Ok(Some(name)) = Reflect::get(&next, &"value".into()).map(|name| name.as_string()) else { break };
            found.push(name);
        }
        found
    }

    async fn file(&self, name: &str) -> Option<File> {
        content(&self.handle(name, false).await?).await
    }

    async fn handle(&self, name: &str, create: bool) -> Option<FileSystemFileHandle> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(create);
        JsFuture::from(self.0.get_file_handle_with_options(name, &options)).await.ok()?.dyn_into().ok()
    }
}

/// The root of the origin's files; `None` without any.
async fn root() -> Option<FileSystemDirectoryHandle> {
    let storage = js_sys::global().dyn_into::<WorkerGlobalScope>().ok()?.navigator().storage();
    let root = has(&storage, "getDirectory").then(|| storage.get_directory())?;
    JsFuture::from(root).await.ok()?.dyn_into().ok()
}

/// An open file, locked by this tab. Bytes are read and written through JavaScript buffers: the program's memory may be
/// shared with other threads, which the file system does not accept.
pub struct StoredFile {
    handle: FileSystemSyncAccessHandle,
    n_bytes: u64,
    n_unflushed: u64,
}

impl StoredFile {
    fn new(handle: FileSystemSyncAccessHandle) -> Option<Self> {
        let mut file = Self { handle, n_bytes: 0, n_unflushed: 0 };
        file.n_bytes = file.handle.get_size().ok()? as u64;
        Some(file)
    }

    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Reads from position `first` into a buffer; returns the number of bytes read.
    pub fn read(&self, first: u64, buffer: &Uint8Array) -> Option<u32> {
        let n_bytes = self.handle.read_with_js_u8_array_and_options(buffer, &at(first)).ok()?;
        Some(n_bytes as u32)
    }

    /// Appends a chunk; returns whether all of it was written.
    pub fn append(&mut self, chunk: &Uint8Array) -> bool {
        let written = self.handle.write_with_js_u8_array_and_options(chunk, &at(self.n_bytes));
        if !matches!(written, Ok(n_bytes) if n_bytes == f64::from(chunk.length())) {
            return false;
        }
        self.n_bytes += u64::from(chunk.length());
        self.n_unflushed += u64::from(chunk.length());
        self.n_unflushed < FLUSH_BYTES || self.flush()
    }

    /// Writes a chunk at a position, at most the end of the file; returns whether all of it was written.
    pub fn write(&mut self, first: u64, chunk: &Uint8Array) -> bool {
        let written = self.handle.write_with_js_u8_array_and_options(chunk, &at(first));
        let is_whole = matches!(written, Ok(n_bytes) if n_bytes == f64::from(chunk.length()));
        if is_whole {
            self.n_bytes = self.n_bytes.max(first + u64::from(chunk.length()));
        }
        is_whole
    }

    /// Deletes the content; returns whether it could.
    pub fn truncate(&mut self) -> bool {
        (self.n_bytes, self.n_unflushed) = (0, 0);
        self.handle.truncate_with_f64(0.0).is_ok()
    }

    /// Flushes the written bytes to disk; returns whether it could.
    pub fn flush(&mut self) -> bool {
        self.n_unflushed = 0;
        self.handle.flush().is_ok()
    }
}

impl Drop for StoredFile {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn at(first: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at(first as f64);
    options
}

/// Whether an object of the browser exists and has this method.
fn has(object: &JsValue, method: &str) -> bool {
    Reflect::get(object, &method.into()).is_ok_and(|method| method.is_function())
}

fn is_in_use(err: &JsValue) -> bool {
    exception_name(err).as_deref() == Some("NoModificationAllowedError")
}

fn exception_name(err: &JsValue) -> Option<String> {
    err.dyn_ref::<DomException>().map(DomException::name)
}

async fn length(file: &FileSystemFileHandle) -> u64 {
    content(file).await.map_or(0, |file| file.size() as u64)
}

async fn content(file: &FileSystemFileHandle) -> Option<File> {
    JsFuture::from(file.get_file()).await.ok()?.dyn_into().ok()
}
