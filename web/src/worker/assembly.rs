//! One file as it comes together: the buffer that the kernels will read, its hash, and its copy in the browser's store.

use super::keep::{Keep, KeptFile};
use super::meter::Meter;
use super::protocol::Stage;
use super::resume::Part;
use crate::error::{Error, Result};
use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use shared_model::manifest::ManifestFile;

/// What is read of a kept file at a time.
const READ_BYTES: u32 = 1 << 20;

/// A file in part. What arrives goes into the buffer, the hash and the store, a piece at a time: nothing has it twice.
pub struct Assembly<'a, 'm> {
    pub file: &'a ManifestFile,
    pub meter: &'a mut Meter<'m>,
    content: Vec<u8>,
    hasher: Sha256,
    /// Has the same bytes as the buffer; `None` where there is no place for them.
    kept: Option<KeptFile>,
    /// Whether it came from several places.
    is_joined: bool,
    may_start_over: bool,
}

impl<'a, 'm> Assembly<'a, 'm> {
    /// An empty one, with room for the whole file.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]
    pub fn new(file: &'a ManifestFile, meter: &'a mut Meter<'m>) -> Result<Self> {
        let out_of_memory =
            || Error::OutOfMemory { what: format!("{} ({:.0} MB)", file.file, file.bytes as f64 / 1e6) };
        let n_bytes = usize::try_from(file.bytes).map_err(|_| out_of_memory())?;
        let mut content = Vec::new();
        content.try_reserve_exact(n_bytes).map_err(|_| out_of_memory())?;
        meter.begin_file();
        let hasher = Sha256::new();
        Ok(Self { file, meter, content, hasher, kept: None, is_joined: false, may_start_over: true })
    }

    pub fn part(&self) -> Part {
        Part { n_bytes: self.content.len() as u64, total: self.file.bytes }
    }

    /// Begins with what a kept file has, and keeps there what comes after it.
    pub fn reopen(&mut self, mut kept: KeptFile) {
        let part = Part { n_bytes: kept.n_bytes(), total: self.file.bytes };
        self.meter.set_in_file(0);
        let is_read = part.fits() && self.read(&kept, part.n_bytes);
        if !is_read {
            self.clear();
        }
        self.join();
        if is_read || kept.empty() {
            self.kept = Some(kept);
        }
    }

    fn read(&mut self, kept: &KeptFile, n_bytes: u64) -> bool {
        if n_bytes > 0 {
            self.meter.enter(Stage::Reopen);
        }
        let buffer = Uint8Array::new_with_length(READ_BYTES);
        while self.part().n_bytes < n_bytes {
            match kept.read(self.part().n_bytes, &buffer) {
                Some(n_read) if n_read > 0 => self.take(&buffer.subarray(0, n_read)),
                _ => return false,
            }
        }
        true
    }

    /// Takes the next piece, and keeps it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the file would become longer than it is.
    pub fn push(&mut self, chunk: &Uint8Array) -> Result<()> {
        if self.part().n_bytes + u64::from(chunk.length()) > self.file.bytes {
            return Err(self.damaged(format!("{} bytes", self.file.bytes), "more".into()));
        }
        let is_kept = self.kept.as_mut().is_some_and(|kept| kept.append(chunk));
        if !is_kept {
            self.give_up_keeping();
        }
        self.take(chunk);
        Ok(())
    }

    fn take(&mut self, chunk: &Uint8Array) {
        let start = self.content.len();
        self.content.resize(start + chunk.length() as usize, 0);
        chunk.copy_to(&mut self.content[start..]);
        self.hasher.update(&self.content[start..]);
        self.meter.add(chunk.length().into());
    }

    /// What comes next is from elsewhere than what is there.
    pub fn join(&mut self) {
        self.is_joined |= !self.content.is_empty();
    }

    /// Throws away what is there and begins anew, once; answers whether it did.
    pub fn start_over(&mut self) -> bool {
        if std::mem::take(&mut self.may_start_over) {
            self.discard();
            return true;
        }
        false
    }

    /// Throws away what is there, in the store too.
    pub fn discard(&mut self) {
        self.clear();
        if !self.kept.as_mut().is_none_or(KeptFile::empty) {
            self.kept = None;
        }
    }

    fn clear(&mut self) {
        self.content.clear();
        self.hasher = Sha256::new();
        self.is_joined = false;
        self.meter.set_in_file(0);
    }

    /// A store that takes no more is full: what it has of this file would only take room.
    fn give_up_keeping(&mut self) {
        if let Some(mut kept) = self.kept.take() {
            kept.empty();
        }
    }

    /// Whether a bad hash may be the fault of how this was put together, and not of the server's file.
    pub fn is_joined(&self) -> bool {
        self.is_joined
    }

    /// Whether the browser has kept all of it so far.
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Compares length and hash with what the manifest says.
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
            let short = |sha256: &str| format!("{}…", &sha256[..8]); // as much as a person compares
            return Err(self.damaged(format!("SHA-256 {}", short(&self.file.sha256)), short(&sha256)));
        }
        Ok(())
    }

    /// The whole file, and whether the browser keeps it.
    pub async fn finish(self, keep: &Keep) -> (Vec<u8>, bool) {
        let is_kept = match self.kept {
            Some(mut kept) => kept.flush(),
            None => keep.put(&self.file.sha256, &self.content).await,
        };
        (self.content, is_kept)
    }

    fn damaged(&self, expected: String, found: String) -> Error {
        Error::Damaged { what: self.file.file.clone(), expected, found }
    }
}
