//! The worker's loop: processes the latest request, sends the reply, waits for the next.

use super::connection::{Connection, Incoming, RequestContext, Unanswered};
use super::download;
use super::engine::Engine;
use super::kept;
use super::photo::{Photo, Query};
use super::protocol::{Envelope, Reply, Request, Unreadable, arguments};
use super::remote::Remote;
use crate::error::Error;
use shared_model::concepts::Concept;
use shared_model::manifest::Manifest;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageEvent};

/// Starts the worker's program.
pub fn start() {
    console_error_panic_hook::set_once();
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else {
        wasm_bindgen::throw_str("this program runs in a Web Worker only");
    };
    #[cfg(target_feature = "atomics")]
    if super::pool::is_pool_thread() {
        return;
    }
    let connection = Rc::new(Connection::new(scope));
    let receiver = connection.clone();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| receive(&receiver, &event));
    connection.scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget(); // it is needed as long as the worker lives
    spawn_local(async move {
        #[cfg(target_feature = "atomics")]
        let n_threads = super::pool::start(&connection).await;
        #[cfg(not(target_feature = "atomics"))]
        let n_threads = 1;
        connection.send(0, Reply::Started { n_threads });
        serve(connection).await;
    });
}

/// Puts a request into the inbox. A photo to decode is decoded at once, beside the current request.
fn receive(connection: &Rc<Connection>, event: &MessageEvent) {
    let parts = js_sys::Array::from(&event.data());
    let json = parts.get(0).as_string().unwrap_or_default();
    let photo: Option<Blob> = parts.get(1).dyn_into().ok();
    match (Unreadable::or_request(&json), photo) {
        (Ok(Envelope { body: Request::DecodePhoto { photo_id }, .. }), Some(file)) => {
            let (photo, connection) =
                (Photo { id: photo_id, file, crop: None, is_shown: true }, connection.clone());
            spawn_local(async move { photo.decode_early(&connection).await });
        }
        (Ok(Envelope { body: Request::KeepFeatures { keeps }, .. }), _) => {
            connection.keeps_features.set(keeps);
            let connection = connection.clone();
            spawn_local(async move {
                match keeps {
                    true => kept::report(&connection).await,
                    false => kept::delete_all(&connection).await,
                }
            });
        }
        (Ok(request), photo) => connection.inbox.put(request.request_id, Incoming { request, photo }),
        (Err(unreadable), _) => {
            connection.send(unreadable.request_id, unreadable.reply(connection.is_of_page.get()));
        }
    }
}

/// Runs the model here or on the server.
enum Backend {
    Local(Box<Engine>),
    Server(Remote),
}

async fn serve(connection: Rc<Connection>) {
    let mut backend = None;
    loop {
        let Incoming { request, photo } = connection.inbox.take().await;
        let context = RequestContext { connection: connection.clone(), request_id: request.request_id };
        match reply_to(&mut backend, request.body, photo, &context).await {
            Ok(reply) => context.send(reply),
            Err(Unanswered::Failed(error)) => context.fail(error),
            Err(Unanswered::Superseded) => {}
        }
    }
}

async fn reply_to(
    backend: &mut Option<Backend>,
    request: Request,
    photo: Option<Blob>,
    context: &RequestContext,
) -> Result<Reply, Unanswered> {
    if let Request::Load { is_page, .. } = &request {
        context.connection.is_of_page.set(*is_page);
    }
    if !context.connection.is_of_page.get() {
        arguments::check_names(&request)?;
    }
    match (request, backend, photo) {
        (Request::Load { manifest_url, classify_url: Some(classify_url), .. }, backend, _) => {
            *backend = Some(Backend::Server(Remote::open(&manifest_url, classify_url, context).await?));
            Ok(Reply::Ready { is_stored: false })
        }
        (Request::Load { manifest_url, other_manifest_urls, classify_url: None, is_page }, backend, _) => {
            let (engine, is_stored) = Engine::load(manifest_url, context).await?;
            let (manifest, connection) = (engine.manifest().clone(), context.connection.clone());
            spawn_local(async move {
                if download::are_stored(&manifest, &Manifest::TEXT_ROLES).await {
                    connection.send(0, Reply::TextStored);
                }
                if is_page {
                    download::remove_unused(&manifest, &other_manifest_urls).await;
                }
            });
            *backend = Some(Backend::Local(Box::new(engine)));
            Ok(Reply::Ready { is_stored })
        }
        (
            Request::Classify { photo_id, crop, labels, top_k, is_shown, wants_feature },
            Some(backend),
            Some(file),
        ) => {
            let query = Query { photo: Photo { id: photo_id, file, crop, is_shown }, labels, top_k, wants_feature };
            match backend {
                Backend::Local(engine) => engine.classify(&query, context).await,
                Backend::Server(remote) => remote.classify(&query, context).await,
            }
        }
        (Request::Annotate { photo_id, crop, concepts }, Some(Backend::Local(engine)), Some(file)) => {
            let photo = Photo { id: photo_id, file, crop, is_shown: context.connection.is_of_page.get() };
            engine.annotate(&photo, &named_or_known(concepts), context).await
        }
        (Request::Map { photo_id, crop, text, labels }, Some(Backend::Local(engine)), Some(file)) => {
            let photo = Photo { id: photo_id, file, crop, is_shown: context.connection.is_of_page.get() };
            engine.map(&photo, &text, &labels, context).await
        }
        (Request::Embed { photo_id, crop }, Some(Backend::Local(engine)), Some(file)) => {
            engine.embed(&Photo { id: photo_id, file, crop, is_shown: false }, context).await
        }
        (Request::EmbedTexts { texts }, Some(Backend::Local(engine)), _) => {
            engine.embed_texts(&texts, context).await
        }
        (Request::KeepFeature { feature }, Some(Backend::Local(engine)), Some(file)) => {
            engine.keep_feature(file, &feature, context).await
        }
        (
            Request::Annotate { .. } | Request::Embed { .. } | Request::EmbedTexts { .. },
            Some(Backend::Server(_)),
            _,
        ) => Err(Error::Computation { detail: "the server scores no findings for the page".into() }.into()),
        (Request::Map { .. }, Some(Backend::Server(_)), _) => {
            Err(Error::Computation { detail: "the server maps no photos for the page".into() }.into())
        }
        (_, _, _) => {
            Err(Error::Computation { detail: "the request came without a model or a photo".into() }.into())
        }
    }
}

/// These concepts, or all known ones.
fn named_or_known(concepts: Vec<String>) -> Vec<String> {
    match concepts.is_empty() {
        true => Concept::known().into_iter().map(|concept| concept.name).collect(),
        false => concepts,
    }
}
