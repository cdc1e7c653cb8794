//! A response's body in pieces.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamByobReader, ReadableStreamDefaultReader, Response};

/// What a piece has at most.
const CHUNK_BYTES: u32 = 512 << 10;

/// The pieces of a body as they come. Each is good until the next is asked for.
pub enum Chunks {
    /// Fills one buffer again and again: a new one for each piece would wait in memory for the collector.
    Reused { reader: ReadableStreamByobReader, buffer: Uint8Array },
    /// Where the browser's bodies cannot do that.
    Fresh(ReadableStreamDefaultReader),
}

impl Chunks {
    /// Takes the body, if there is one that nobody has taken.
    pub fn of(response: &Response) -> Option<Self> {
        let body = response.body()?;
        match ReadableStreamByobReader::new(&body) {
            Ok(reader) => Some(Self::Reused { reader, buffer: Uint8Array::new_with_length(CHUNK_BYTES) }),
            Err(_) => body.get_reader().dyn_into().ok().map(Self::Fresh),
        }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// What the browser says when the connection breaks.
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

    /// Wants no more of it.
    pub fn cancel(&self) {
        let _ = match self {
            Self::Reused { reader, .. } => reader.cancel(),
            Self::Fresh(reader) => reader.cancel(),
        };
    }
}
