//! Reads the body of a response in chunks.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamByobReader, ReadableStreamDefaultReader, Response};

/// Maximum size of a chunk.
const CHUNK_BYTES: u32 = 512 << 10;

/// Reader of a body. A chunk is valid until the next one is read.
pub enum Chunks {
    /// Reads into one buffer again and again: a new buffer for each chunk would stay in memory until it is collected.
    Reused { reader: ReadableStreamByobReader, buffer: Uint8Array },
    /// For browsers whose bodies cannot be read into a buffer.
    Fresh(ReadableStreamDefaultReader),
}

impl Chunks {
    /// Locks the body for reading; `None` if there is no body or it is already locked.
    pub fn of(response: &Response) -> Option<Self> {
        let body = response.body()?;
        match ReadableStreamByobReader::new(&body) {
            Ok(reader) => Some(Self::Reused { reader, buffer: Uint8Array::new_with_length(CHUNK_BYTES) }),
            Err(_) => body.get_reader().dyn_into().ok().map(Self::Fresh),
        }
    }

    /// Returns the next chunk, `None` at the end.
    ///
    /// # Errors
    /// The browser's error when the connection breaks.
    pub async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let promise = match self {
            Self::Reused { reader, buffer } => reader.read_with_array_buffer_view(buffer),
            Self::Fresh(reader) => reader.read(),
        };
        let read = JsFuture::from(promise).await?;
        if js_sys::Reflect::get(&read, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        let chunk: Uint8Array = js_sys::Reflect::get(&read, &"value".into())?.dyn_into()?;
        if let Self::Reused { buffer, .. } = self {
            *buffer = Uint8Array::new(&chunk.buffer());
        }
        Ok(Some(chunk))
    }

    /// Cancels the rest of the body.
    pub fn cancel(&self) {
        let _ = match self {
            Self::Reused { reader, .. } => reader.cancel(),
            Self::Fresh(reader) => reader.cancel(),
        };
    }
}
