//! A file while it is fetched: its bytes in the buffer that the kernels will read, its hash, and its copy in the store.

use super::progress::ProgressCounter;
use super::protocol::Stage;
use super::resume::Part;
use super::store::{StoredFile, WeightStore};
use crate::error::{Error, Result};
use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use shared_model::manifest::ManifestFile;

/// Size of the pieces in which a stored file is read.
const READ_BYTES: u32 = 1 << 20;

/// A file that has been received in part. Each chunk is appended to the buffer, the hash and the stored copy.
pub struct PartialFile<'a, 'c> {
    pub file: &'a ManifestFile,
    pub counter: &'a mut ProgressCounter<'c>,
    content: Vec<u8>,
    hasher: Sha256,
    /// Has the same bytes as the buffer; `None` if they cannot be stored.
    stored: Option<StoredFile>,
    /// Whether the bytes came from several responses or from the store and a response.
    is_joined: bool,
    may_start_over: bool,
}

impl<'a, 'c> PartialFile<'a, 'c> {
    /// Creates an empty one with capacity for the whole file.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]
    pub fn new(file: &'a ManifestFile, counter: &'a mut ProgressCounter<'c>) -> Result<Self> {
        let out_of_memory =
            || Error::OutOfMemory { what: format!("{} ({:.0} MB)", file.file, file.bytes as f64 / 1e6) };
        let n_bytes = usize::try_from(file.bytes).map_err(|_| out_of_memory())?;
        let mut content = Vec::new();
        content.try_reserve_exact(n_bytes).map_err(|_| out_of_memory())?;
        counter.begin_file();
        let hasher = Sha256::new();
        Ok(Self { file, counter, content, hasher, stored: None, is_joined: false, may_start_over: true })
    }

    /// How much of the file has been received.
    pub fn part(&self) -> Part {
        Part { n_bytes: self.content.len() as u64, total: self.file.bytes }
    }

    /// Begins with the bytes of a stored file, to which later chunks are appended.
    pub fn begin_with(&mut self, mut stored: StoredFile) {
        let part = Part { n_bytes: stored.n_bytes(), total: self.file.bytes };
        self.counter.set_in_file(0);
        let is_read = part.fits() && self.read(&stored, part.n_bytes);
        if !is_read {
            self.clear();
        }
        self.mark_joined();
        if is_read || stored.truncate() {
            self.stored = Some(stored);
        }
    }

    fn read(&mut self, stored: &StoredFile, n_bytes: u64) -> bool {
        if n_bytes > 0 {
            self.counter.set_stage(Stage::ReadStored);
        }
        let buffer = Uint8Array::new_with_length(READ_BYTES);
        while self.part().n_bytes < n_bytes {
            match stored.read(self.part().n_bytes, &buffer) {
                Some(n_read) if n_read > 0 => self.append(&buffer.subarray(0, n_read)),
                _ => return false,
            }
        }
        true
    }

    /// Appends a chunk, and stores it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if there are more bytes than the file has.
    pub fn push(&mut self, chunk: &Uint8Array) -> Result<()> {
        if self.part().n_bytes + u64::from(chunk.length()) > self.file.bytes {
            return Err(self.damaged(format!("{} bytes", self.file.bytes), "more".into()));
        }
        let is_stored = self.stored.as_mut().is_some_and(|stored| stored.append(chunk));
        if !is_stored {
            self.stop_storing();
        }
        self.append(chunk);
        Ok(())
    }

    fn append(&mut self, chunk: &Uint8Array) {
        let start = self.content.len();
        self.content.resize(start + chunk.length() as usize, 0);
        chunk.copy_to(&mut self.content[start..]);
        self.hasher.update(&self.content[start..]);
        self.counter.add(chunk.length().into());
    }

    /// Notes that the next bytes have another source than those so far.
    pub fn mark_joined(&mut self) {
        self.is_joined |= !self.content.is_empty();
    }

    /// Discards all bytes so that the file can be fetched from its start, once; returns whether it did.
    pub fn start_over(&mut self) -> bool {
        if std::mem::take(&mut self.may_start_over) {
            self.discard();
            return true;
        }
        false
    }

    /// Discards all bytes, those in the store too.
    pub fn discard(&mut self) {
        self.clear();
        if !self.stored.as_mut().is_none_or(StoredFile::truncate) {
            self.stored = None;
        }
    }

    fn clear(&mut self) {
        self.content.clear();
        self.hasher = Sha256::new();
        self.is_joined = false;
        self.counter.set_in_file(0);
    }

    /// Deletes the stored bytes: the store is full, and an incomplete file would only take space.
    fn stop_storing(&mut self) {
        if let Some(mut stored) = self.stored.take() {
            stored.truncate();
        }
    }

    /// Whether a wrong hash may come from joining bytes of different sources, rather than from the server's file.
    pub fn is_joined(&self) -> bool {
        self.is_joined
    }

    /// Whether the browser has stored all bytes so far.
    pub fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// Compares length and hash with the manifest's.
    ///
    /// # Errors
    /// [`Error::Damaged`]
    pub fn check(&self) -> Result<()> {
        let Part { n_bytes, total } = self.part();
        if n_bytes != total {
            return Err(self.damaged(format!("{total} bytes"), n_bytes.to_string()));
        }
        let sha256 = format!("{:x}", self.hasher.clone().finalize());
        if sha256 != self.file.sha256 {
            let short = |sha256: &str| format!("{}…", &sha256[..8]); // enough to compare by eye
            return Err(self.damaged(format!("SHA-256 {}", short(&self.file.sha256)), short(&sha256)));
        }
        Ok(())
    }

    /// Returns the whole file, and whether the browser has stored it.
    pub async fn finish(self, store: &WeightStore) -> (Vec<u8>, bool) {
        let is_stored = match self.stored {
            Some(mut stored) => stored.flush(),
            None => store.put(&self.file.sha256, &self.content).await,
        };
        (self.content, is_stored)
    }

    fn damaged(&self, expected: String, found: String) -> Error {
        Error::Damaged { what: self.file.file.clone(), expected, found }
    }
}
