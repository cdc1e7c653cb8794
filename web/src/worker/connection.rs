//! The worker's connection to the page, and the context of the request that is being processed.

use super::decoded_photos::DecodedPhotos;
use super::inbox::Inbox;
use super::protocol::{Envelope, Reply, Request, RequestId};
use crate::error::Error;
use crate::time::sleep;
use std::cell::Cell;
use std::rc::Rc;
use web_sys::{Blob, DedicatedWorkerGlobalScope};

/// A request and the photo that came with it.
pub struct Incoming {
    pub request: Envelope<Request>,
    pub photo: Option<Blob>,
}

/// The worker's connection to the page.
pub struct Connection {
    pub scope: DedicatedWorkerGlobalScope,
    pub inbox: Inbox<Incoming>,
    pub decoded: DecodedPhotos,
    /// Whether the page is at the other end, and not the JavaScript package.
    pub is_of_page: Cell<bool>,
    /// Whether the features of photos are kept on the device.
    pub keeps_features: Cell<bool>,
}

impl Connection {
    pub fn new(scope: DedicatedWorkerGlobalScope) -> Self {
        let (inbox, decoded) = (Inbox::default(), DecodedPhotos::default());
        Self { scope, inbox, decoded, is_of_page: Cell::new(true), keeps_features: Cell::new(false) }
    }

    /// Sends a message that belongs to the request with this id.
    pub fn send(&self, request_id: RequestId, body: Reply) {
        self.post(&Envelope { request_id, body }, None);
    }

    /// As [`Self::send`], with a picture.
    pub fn send_with_picture(&self, request_id: RequestId, body: Reply, picture: &Blob) {
        self.post(&Envelope { request_id, body }, Some(picture));
    }

    fn post(&self, message: &Envelope<Reply>, picture: Option<&Blob>) {
        match serde_json::to_string(message) {
            Ok(json) => {
                let parts = js_sys::Array::of1(&json.into());
                if let Some(picture) = picture {
                    parts.push(picture);
                }
                // It throws only for objects that cannot be cloned; strings and blobs can be.
                let _ = self.scope.post_message(&parts);
            }
            Err(err) => wasm_bindgen::throw_str(&err.to_string()),
        }
    }

    /// Id of the latest request.
    pub fn latest_id(&self) -> RequestId {
        self.inbox.latest_id()
    }

    /// The worker's clock.
    pub fn now_millis(&self) -> f64 {
        self.scope.performance().map_or(0.0, |performance| performance.now())
    }
}

/// Why a request has no reply.
pub enum Unanswered {
    /// A later request arrived.
    Superseded,
    Failed(Error),
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The context of a request that is being processed.
pub struct RequestContext {
    pub connection: Rc<Connection>,
    pub request_id: RequestId,
}

impl RequestContext {
    /// Sends a message that belongs to this request.
    pub fn send(&self, reply: Reply) {
        self.connection.send(self.request_id, reply);
    }

    /// Sends the error of this request.
    pub fn fail(&self, error: Error) {
        self.send(match self.connection.is_of_page.get() {
            true => Reply::Failed { error },
            false => Reply::Rejected { message: error.to_string(), error },
        });
    }

    /// Resolves when a later request arrives.
    pub async fn superseded(&self) {
        self.connection.inbox.superseded(self.request_id).await;
    }

    /// Lets messages be received between two steps of the work.
    ///
    /// # Errors
    /// [`Unanswered::Superseded`] if one of them is a later request.
    pub async fn receive_messages(&self) -> Result<(), Unanswered> {
        sleep(0).await;
        if self.connection.latest_id() == self.request_id { Ok(()) } else { Err(Unanswered::Superseded) }
    }

    /// The worker's clock.
    pub fn now_millis(&self) -> f64 {
        self.connection.now_millis()
    }
}
