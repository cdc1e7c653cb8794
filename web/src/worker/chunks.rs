//! A response's body in pieces.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Response};

/// The pieces of a body as they come.
pub struct Chunks(ReadableStreamDefaultReader);

impl Chunks {
    pub fn of(response: &Response) -> Option<Self> {
        response.body()?.get_reader().dyn_into().ok().map(Self)
    }

    pub async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let read = JsFuture::from(self.0.read()).await?;
        if js_sys::Reflect::get(&read, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        js_sys::Reflect::get(&read, &"value".into())?.dyn_into().map(Some)
    }

    pub fn cancel(&self) {
        let _ = self.0.cancel();
    }
}
