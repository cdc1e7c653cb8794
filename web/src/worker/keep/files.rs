//! Weights in the origin private file system: a file is written as its bytes arrive, and its length says how far it is.

use super::NAME;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle, WorkerGlobalScope,
};

/// So much may be lost when the machine stops, though not when the page does.
const FLUSH_BYTES: u64 = 8 << 20;

pub struct FileStore(FileSystemDirectoryHandle);

/// What became of a file that was asked for.
pub enum Opened {
    Here(KeptFile),
    /// Another tab has it in hand, with so many bytes in it.
    InUse {
        n_bytes: u64,
    },
    /// There is no place for it.
    Nowhere,
}

impl FileStore {
    /// `None` where the browser has or allows none, as in some private windows.
    pub async fn open() -> Option<Self> {
        let storage = js_sys::global().dyn_into::<WorkerGlobalScope>().ok()?.navigator().storage();
        let root = has(&storage, "getDirectory").then(|| storage.get_directory())?;
        let root: FileSystemDirectoryHandle = JsFuture::from(root).await.ok()?.dyn_into().ok()?;
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder = root.get_directory_handle_with_options(NAME, &options);
        JsFuture::from(folder).await.ok()?.dyn_into().ok().map(Self)
    }

    /// Takes a file in hand, an empty one if there was none: no other tab can until it is dropped.
    pub async fn take(&self, sha256: &str) -> Opened {
        let Some(file) = self.handle(sha256, true).await else { return Opened::Nowhere };
        if !has(&file, "createSyncAccessHandle") {
            return Opened::Nowhere;
        }
        match JsFuture::from(file.create_sync_access_handle()).await {
            Ok(handle) => KeptFile::new(handle.unchecked_into()).map_or(Opened::Nowhere, Opened::Here),
            Err(err) if is_in_use(&err) => Opened::InUse { n_bytes: length(&file).await },
            Err(_) => Opened::Nowhere,
        }
    }

    /// How much of a file is there.
    pub async fn n_bytes(&self, sha256: &str) -> u64 {
        match self.handle(sha256, false).await {
            Some(file) => length(&file).await,
            None => 0,
        }
    }

    pub async fn remove(&self, sha256: &str) {
        // If another tab has it in hand, that one's model still names it.
        let _ = JsFuture::from(self.0.remove_entry(sha256)).await;
    }

    /// Of all that is there, in whole or in part.
    pub async fn hashes(&self) -> Vec<String> {
        let mut hashes = Vec::new();
        let names = self.0.keys();
        while let Ok(next) = names.next() {
            let Ok(next) = JsFuture::from(next).await else { break };
            let Ok(Some(name)) = Reflect::get(&next, &"value".into()).map(|name| name.as_string()) else { break };
            hashes.push(name);
        }
        hashes
    }

    async fn handle(&self, sha256: &str, create: bool) -> Option<FileSystemFileHandle> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(create);
        JsFuture::from(self.0.get_file_handle_with_options(sha256, &options)).await.ok()?.dyn_into().ok()
    }
}

/// A file in this tab's hand. Its bytes come and go through buffers of the browser's: the program's own memory may be
/// shared with other threads, which files do not take.
pub struct KeptFile {
    handle: FileSystemSyncAccessHandle,
    n_bytes: u64,
    n_unflushed: u64,
}

impl KeptFile {
    fn new(handle: FileSystemSyncAccessHandle) -> Option<Self> {
        let mut file = Self { handle, n_bytes: 0, n_unflushed: 0 };
        file.n_bytes = file.handle.get_size().ok()? as u64;
        Some(file)
    }

    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Fills as much of a buffer as there is from `first` on; answers how much that is.
    pub fn read(&self, first: u64, buffer: &Uint8Array) -> Option<u32> {
        let n_bytes = self.handle.read_with_js_u8_array_and_options(buffer, &at(first)).ok()?;
        Some(n_bytes as u32)
    }

    /// Writes behind what is there; answers whether all of it could be.
    pub fn append(&mut self, chunk: &Uint8Array) -> bool {
        let written = self.handle.write_with_js_u8_array_and_options(chunk, &at(self.n_bytes));
        if !matches!(written, Ok(n_bytes) if n_bytes == f64::from(chunk.length())) {
            return false;
        }
        self.n_bytes += u64::from(chunk.length());
        self.n_unflushed += u64::from(chunk.length());
        self.n_unflushed < FLUSH_BYTES || self.flush()
    }

    /// Throws away what is there; answers whether it could.
    pub fn empty(&mut self) -> bool {
        (self.n_bytes, self.n_unflushed) = (0, 0);
        self.handle.truncate_with_f64(0.0).is_ok()
    }

    /// Has the browser write down what it may still hold in memory.
    pub fn flush(&mut self) -> bool {
        self.n_unflushed = 0;
        self.handle.flush().is_ok()
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn at(first: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at(first as f64);
    options
}

/// Whether a browser's object has this method, and is there at all.
fn has(object: &JsValue, method: &str) -> bool {
    Reflect::get(object, &method.into()).is_ok_and(|method| method.is_function())
}

fn is_in_use(err: &JsValue) -> bool {
    err.dyn_ref::<DomException>().is_some_and(|err| err.name() == "NoModificationAllowedError")
}

async fn length(file: &FileSystemFileHandle) -> u64 {
    let file = JsFuture::from(file.get_file()).await.ok().and_then(|file| file.dyn_into::<File>().ok());
    file.map_or(0, |file| file.size() as u64)
}
