//! The worker's side of the line: takes the latest request, answers it, waits for the next.

use super::download;
use super::engine::Engine;
use super::inbox::Inbox;
use super::photo::{Photo, Question};
use super::protocol::{Envelope, Reply, Request, RequestId};
use super::remote::Remote;
use crate::error::{Error, Result};
use crate::time::pause;
use shared_model::manifest::Manifest;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageEvent};

/// What the worker program does.
pub fn start() {
    console_error_panic_hook::set_once();
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else {
        wasm_bindgen::throw_str("this program runs in a Web Worker only");
    };
    #[cfg(target_feature = "atomics")]
    if super::pool::is_pool_thread() {
        return;
    }
    let line = Rc::new(Line { scope, inbox: Inbox::default() });
    let receiver = line.clone();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| receiver.receive(&event));
    line.scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget(); // it is needed as long as the worker lives
    spawn_local(async move {
        #[cfg(target_feature = "atomics")]
        let n_threads = super::pool::start(&line).await;
        #[cfg(not(target_feature = "atomics"))]
        let n_threads = 1;
        line.say(0, Reply::Started { n_threads });
        serve(line).await;
    });
}

/// Why a request was not answered.
pub enum Stop {
    /// A later one came.
    Superseded,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The connection to the page.
pub struct Line {
    pub scope: DedicatedWorkerGlobalScope,
    inbox: Inbox<Incoming>,
}

/// A request, and the photo that came with it.
struct Incoming {
    request: Envelope<Request>,
    photo: Option<Blob>,
}

impl Line {
    /// Sends a message under the id of the request that it belongs to.
    pub fn say(&self, request_id: RequestId, body: Reply) {
        self.post(&Envelope { request_id, body }, None);
    }

    /// [`Self::say`], with a picture beside the message.
    pub fn say_with(&self, request_id: RequestId, body: Reply, picture: &Blob) {
        self.post(&Envelope { request_id, body }, Some(picture));
    }

    fn post(&self, message: &Envelope<Reply>, picture: Option<&Blob>) {
        match serde_json::to_string(message) {
            Ok(json) => {
                let parts = js_sys::Array::of1(&json.into());
                if let Some(picture) = picture {
                    parts.push(picture);
                }
                // It throws only for what cannot be copied, and strings and blobs can.
                let _ = self.scope.post_message(&parts);
            }
            Err(err) => wasm_bindgen::throw_str(&err.to_string()),
        }
    }

    /// The id of the last request that came.
    pub fn latest_id(&self) -> RequestId {
        self.inbox.latest_id()
    }

    fn receive(self: &Rc<Self>, event: &MessageEvent) {
        let parts = js_sys::Array::from(&event.data());
        let json = parts.get(0).as_string().unwrap_or_default();
        let photo: Option<Blob> = parts.get(1).dyn_into().ok();
        match (serde_json::from_str::<Envelope<Request>>(&json), photo) {
            // Whatever is being answered goes on.
            (Ok(Envelope { body: Request::OpenPhoto { photo_id }, .. }), Some(file)) => {
                let (photo, line) = (Photo { id: photo_id, file }, self.clone());
                spawn_local(async move { photo.open_early(&line).await });
            }
            (Ok(request), photo) => self.inbox.put(request.request_id, Incoming { request, photo }),
            // The page and its worker are built together: this is a bug, and ends the worker as one.
            (Err(err), _) => wasm_bindgen::throw_str(&err.to_string()),
        }
    }
}

/// A request being answered.
pub struct Turn {
    pub line: Rc<Line>,
    request_id: RequestId,
}

impl Turn {
    pub fn say(&self, reply: Reply) {
        self.line.say(self.request_id, reply);
    }

    /// Resolves when a later request came.
    pub async fn superseded(&self) {
        self.line.inbox.superseded(self.request_id).await;
    }

    /// Lets messages in between two pieces of work.
    ///
    /// # Errors
    /// [`Stop::Superseded`] if one of them makes the rest of the work needless.
    pub async fn give_way(&self) -> Result<(), Stop> {
        pause(0).await;
        if self.line.latest_id() == self.request_id { Ok(()) } else { Err(Stop::Superseded) }
    }

    /// The worker's clock.
    pub fn now_millis(&self) -> f64 {
        self.line.scope.performance().map_or(0.0, |performance| performance.now())
    }
}

/// Who looks at the photos.
enum Model {
    Here(Box<Engine>),
    OnServer(Remote),
}

async fn serve(line: Rc<Line>) {
    let mut model = None;
    loop {
        let Incoming { request, photo } = line.inbox.take().await;
        let turn = Turn { line: line.clone(), request_id: request.request_id };
        match answer(&mut model, request.body, photo, &turn).await {
            Ok(reply) => turn.say(reply),
            Err(Stop::Failed(error)) => turn.say(Reply::Failed { error }),
            Err(Stop::Superseded) => {}
        }
    }
}

async fn answer(
    model: &mut Option<Model>,
    request: Request,
    photo: Option<Blob>,
    turn: &Turn,
) -> Result<Reply, Stop> {
    match (request, model, photo) {
        (Request::Load { manifest_url, classify_url: Some(classify_url), .. }, model, _) => {
            *model = Some(Model::OnServer(Remote::open(&manifest_url, classify_url, turn).await?));
            Ok(Reply::Ready { is_kept: false })
        }
        (Request::Load { manifest_url, other_manifest_urls, classify_url: None }, model, _) => {
            let (engine, is_kept) = Engine::load(manifest_url, turn).await?;
            let (manifest, line) = (engine.manifest().clone(), turn.line.clone());
            spawn_local(async move {
                if download::are_kept(&manifest, &Manifest::TEXT_ROLES).await {
                    line.say(0, Reply::TextKept);
                }
                download::forget_unnamed(&manifest, &other_manifest_urls).await;
            });
            *model = Some(Model::Here(Box::new(engine)));
            Ok(Reply::Ready { is_kept })
        }
        (Request::Classify { photo_id, labels, top_k }, Some(model), Some(file)) => {
            let question = Question { photo: Photo { id: photo_id, file }, labels, top_k };
            match model {
                Model::Here(engine) => engine.classify(&question, turn).await,
                Model::OnServer(remote) => remote.classify(&question, turn).await,
            }
        }
        (Request::Classify { .. } | Request::OpenPhoto { .. }, ..) => {
            Err(Error::Computation { detail: "asked without a model or a photo".into() }.into())
        }
    }
}
