//! The second worker, in which another model answers the current photo. It ends with its answer.

use super::App;
use crate::state::{Event, StartStep};
use crate::worker::handle::FromWorker;
use crate::worker::protocol::{Envelope, Reply, Request, RequestId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Blob;

impl App {
    pub(super) fn start_other_worker(self) {
        let step = self.state.with_untracked(|state| state.other_start_step());
        match self.new_worker(move |message| self.receive_from_other_worker(message)) {
            Ok(worker) => {
                self.resources.update_value(|resources| resources.other_worker = Some(worker));
                spawn_local(self.watch_other_start(step));
            }
            Err(detail) => self.send(Event::OtherWorkerFailed(detail)),
        }
    }

    /// Sends [`Event::OtherStartTimedOut`] if the worker's start makes no progress after `step`.
    pub(super) async fn watch_other_start(self, step: StartStep) {
        if self.has_start_timed_out(move |state| state.is_waiting_for_other_start(step)).await {
            self.send(Event::OtherStartTimedOut(step));
        }
    }

    pub(super) fn load_other_model(self, index: usize, request_id: RequestId) {
        match self.load_request(index) {
            Ok(body) => self.send_to_other_worker(&Envelope { request_id, body }, None),
            Err(error) => {
                self.send(Event::FromOtherWorker(Envelope { request_id, body: Reply::Failed { error } }));
            }
        }
    }

    pub(super) fn send_to_other_worker(self, request: &Envelope<Request>, photo: Option<&Blob>) {
        let sent = self.resources.with_value(|resources| match &resources.other_worker {
            Some(worker) => worker.send(request, photo),
            None => Err("it is not running".into()),
        });
        if let Err(detail) = sent {
            self.send(Event::OtherWorkerFailed(detail));
        }
    }

    pub(super) fn end_other_worker(self) {
        self.resources.update_value(|resources| resources.other_worker = None);
    }

    fn receive_from_other_worker(self, message: FromWorker) {
        self.send(match message {
            Ok((reply, _)) => Event::FromOtherWorker(reply),
            Err(detail) => Event::OtherWorkerFailed(detail),
        });
    }
}
