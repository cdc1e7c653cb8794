//! The page's handle to its worker.

use super::protocol::{Envelope, Reply, Request};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, ErrorEvent, MessageEvent, Worker};

/// A message of the worker with its picture, or how the worker failed.
pub type FromWorker = Result<(Envelope<Reply>, Option<Blob>), String>;

/// A running worker, terminated when this is dropped.
pub struct WorkerHandle {
    worker: Worker,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

impl WorkerHandle {
    /// Starts a worker from its script. It sends [`Reply::Started`] when it accepts requests.
    ///
    /// # Errors
    /// The browser's message if it refuses to start a worker.
    pub fn start(script_url: &str, listener: impl Fn(FromWorker) + Clone + 'static) -> Result<Self, String> {
        let worker = Worker::new(script_url).map_err(|err| format!("{err:?}"))?;
        let on_reply = listener.clone();
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let parts = js_sys::Array::from(&event.data());
            let json = parts.get(0).as_string().unwrap_or_default();
            let reply = serde_json::from_str(&json).map_err(|err| err.to_string());
            on_reply(reply.map(|reply| (reply, parts.get(1).dyn_into().ok())));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let on_error = Closure::<dyn Fn(ErrorEvent)>::new(move |event: ErrorEvent| {
            event.prevent_default(); // the page shows it, so the console need not
            // A script that cannot be fetched causes a plain event without a message.
            let message = js_sys::Reflect::get(&event, &"message".into()).ok().and_then(|text| text.as_string());
            listener(Err(message.unwrap_or_else(|| "its script could not be fetched".into())));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, _on_message: on_message, _on_error: on_error })
    }

    /// Sends a request, with the photo it is about. Only a handle to the file is sent: the worker reads the bytes.
    ///
    /// # Errors
    /// The browser's message if it cannot send.
    pub fn send(&self, request: &Envelope<Request>, photo: Option<&Blob>) -> Result<(), String> {
        let json = serde_json::to_string(request).map_err(|err| err.to_string())?;
        let parts = js_sys::Array::of1(&json.into());
        if let Some(photo) = photo {
            parts.push(photo);
        }
        self.worker.post_message(&parts).map_err(|err| format!("{err:?}"))
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}
