//! The worker: starting it, sending requests to it, and receiving its messages.

use super::App;
use crate::document::{base_url, page_folder, worker_url};
use crate::error::{Error, Result};
use crate::http;
use crate::state::{AppState, Event, START_TIMEOUT_SECS, StartStep, relative_to_page};
use crate::time::sleep;
use crate::worker::handle::{FromWorker, WorkerHandle};
use crate::worker::protocol::{Envelope, PhotoId, Reply, Request, RequestId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Blob;

impl App {
    /// Terminates the current worker, if any, and starts the build that the state selected.
    pub(super) fn start_worker(self) {
        self.resources.update_value(|resources| resources.worker = None);
        let step = self.state.with_untracked(|state| state.start_step());
        match self.new_worker(move |message| self.receive_from_worker(message)) {
            Ok(worker) => {
                self.resources.update_value(|resources| resources.worker = Some(worker));
                spawn_local(self.watch_start(step));
            }
            Err(detail) => self.send(Event::WorkerFailed(detail)),
        }
    }

    /// Starts a worker of the build that the state selected.
    pub(super) fn new_worker(
        self,
        listener: impl Fn(FromWorker) + Clone + 'static,
    ) -> Result<WorkerHandle, String> {
        let build = self.state.with_untracked(|state| state.build().map(str::to_string));
        worker_url(build).and_then(|url| WorkerHandle::start(&url, listener))
    }

    /// Sends [`Event::StartTimedOut`] if the worker's start makes no progress after `step`.
    pub(super) async fn watch_start(self, step: StartStep) {
        if self.has_start_timed_out(move |state| state.is_waiting_for_start(step)).await {
            self.send(Event::StartTimedOut(step));
        }
    }

    /// Waits as long as a start may make no progress, or until it makes some; returns whether it made none.
    pub(super) async fn has_start_timed_out(self, is_waiting: impl Fn(&AppState) -> bool) -> bool {
        // Counts one second at a time, so that time in which the machine slept is not counted.
        for _ in 0..START_TIMEOUT_SECS {
            sleep(1_000).await;
            if !self.state.with_untracked(&is_waiting) {
                return false;
            }
        }
        true
    }

    pub(super) fn load_model(self, request_id: RequestId) {
        match self.load_request(self.read(|state| state.chosen_model)) {
            Ok(body) => self.send_to_worker(&Envelope { request_id, body }, None),
            Err(error) => {
                self.send(Event::FromWorker(Envelope { request_id, body: Reply::Failed { error } }));
            }
        }
    }

    pub(super) fn decode_photo(self, photo_id: PhotoId) {
        let request = Envelope { request_id: 0, body: Request::DecodePhoto { photo_id } };
        self.send_to_worker(&request, self.photo().as_ref());
    }

    pub(super) fn send_to_worker(self, request: &Envelope<Request>, photo: Option<&Blob>) {
        let sent = self.resources.with_value(|resources| match &resources.worker {
            Some(worker) => worker.send(request, photo),
            None => Err("it is not running".into()),
        });
        if let Err(detail) = sent {
            self.send(Event::WorkerFailed(detail));
        }
    }

    fn receive_from_worker(self, message: FromWorker) {
        match message {
            Ok((reply, picture)) => {
                self.show_picture(&reply.body, picture.as_ref());
                self.send(Event::FromWorker(reply));
            }
            Err(detail) => self.send(Event::WorkerFailed(detail)),
        }
    }

    /// Shows a picture of the current photo.
    fn show_picture(self, reply: &Reply, picture: Option<&Blob>) {
        match reply {
            Reply::PhotoDecoded { photo_id, .. } if self.photo_id() == Some(*photo_id) => {
                self.pictures.preview.show(picture);
            }
            Reply::PhotoViewed { photo_id, crop, .. } if self.is_used(*photo_id, *crop) => {
                self.pictures.view.show(picture);
            }
            _ => {}
        }
    }

    /// The request that loads the model with this index, here or on the server, as the visitor chose.
    pub(super) fn load_request(self, index: usize) -> Result<Request> {
        self.state.with_untracked(|state| {
            let folder = page_folder()?;
            let absolute = |url: &String| http::resolve(relative_to_page(url, &folder), &base_url());
            let entry = state.models.get(index).ok_or(Error::NoModel)?;
            let classify_url = entry.classify.as_ref().filter(|_| state.is_on_server).map(absolute).transpose()?;
            let mut urls =
                state.models.iter().map(|entry| absolute(&entry.manifest)).collect::<Result<Vec<_>>>()?;
            let manifest_url = urls.remove(index);
            Ok(Request::Load { manifest_url, other_manifest_urls: urls, classify_url, is_page: true })
        })
    }
}
