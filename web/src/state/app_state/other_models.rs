//! Other models of the list answer the photo that the chosen model has answered, one after the other.
//!
//! Each has a worker of its own, which ends with its answer: the chosen model stays loaded as it is. A new photo, crop or
//! label set, or another chosen model, ends the comparison before its own answer is computed.

use super::AppState;
use crate::error::Error;
use crate::state::other_models::{OtherAnswer, Running};
use crate::state::{Action, Answer, Candidate, ComparedModel, Cost, Phase, START_TIMEOUT_SECS, StartStep, Status};
use crate::worker::protocol::{Envelope, Progress, Reply};
use shared_model::api::ModelEntry;

impl AppState {
    /// Whether the page can show answers of several models: the list has several, and the photo is answered.
    pub fn offers_other_models(&self) -> bool {
        self.models.len() > 1 && self.answer.is_some()
    }

    /// The models of the list that have not answered the photo.
    pub fn candidates(&self) -> Vec<Candidate> {
        let Some(labels) = self.label_set().filter(|_| self.offers_other_models()) else { return Vec::new() };
        let has_answered = |index| self.others.answers.iter().any(|other| other.index == index);
        let candidate = |(index, entry): (usize, &ModelEntry)| {
            (index != self.chosen_model && !has_answered(index)).then(|| Candidate {
                index,
                name: entry.name.clone(),
                cost: Cost::of(entry, labels, self.is_on_server),
            })
        };
        self.models.iter().enumerate().filter_map(candidate).collect()
    }

    /// The chosen model and the others that have answered, in this order; nothing until another one has.
    pub fn compared_models(&self) -> Vec<ComparedModel> {
        let (Some(model), Some(answer)) = (&self.model, &self.answer) else { return Vec::new() };
        let others = self.others.answers.iter().map(|other| ComparedModel::new(&other.model, &other.answer));
        match self.others.answers.is_empty() {
            true => Vec::new(),
            false => std::iter::once(ComparedModel::new(model, answer)).chain(others).collect(),
        }
    }

    /// Name of the other model that works, and what it does.
    pub fn other_work(&self) -> Option<(&str, Status)> {
        let running = self.others.running.as_ref()?;
        Some((&self.models.get(running.index)?.name, running.phase.work()?))
    }

    /// Progress of the other model's work, if it is known.
    pub fn other_progress(&self) -> Option<Progress> {
        self.others.running.as_ref()?.phase.progress()
    }

    /// Name of the other model that did not answer, and why.
    pub fn other_failure(&self) -> Option<(&str, &Error)> {
        let (index, error) = self.others.failed.as_ref()?;
        Some((&self.models.get(*index)?.name, error))
    }

    /// The current step of the start of the other model's worker.
    pub fn other_start_step(&self) -> StartStep {
        self.others.start.step()
    }

    /// Whether the start of the other model's worker has made no progress since this step.
    pub fn is_waiting_for_other_start(&self, step: StartStep) -> bool {
        self.others.running.is_some() && self.others.start.is_at(step)
    }

    /// Has another model answer the photo, unless one does so already.
    pub(super) fn start_other_model(&mut self, index: usize) -> Vec<Action> {
        let can_answer = |found: &Candidate| found.index == index && found.cost != Cost::LacksLabels;
        if self.others.running.is_some() || !self.candidates().iter().any(can_answer) {
            return Vec::new();
        }
        self.others.failed = None;
        self.others.start.begin();
        self.others.running = Some(Running { index, model: None, phase: Phase::Loading(None) });
        vec![Action::StartOtherWorker]
    }

    pub(super) fn cancel_other_model(&mut self) -> Vec<Action> {
        self.others.running.take().map(|_| Action::EndOtherWorker).into_iter().collect()
    }

    /// Ends the comparison with an answer that is gone.
    pub(super) fn end_comparison_without_answer(&mut self) -> Vec<Action> {
        if self.answer.is_some() {
            return Vec::new();
        }
        let ended = self.cancel_other_model();
        (self.others.answers, self.others.failed) = (Vec::new(), None);
        ended
    }

    /// Receives a message of the other model's worker.
    pub(super) fn receive_from_other(&mut self, Envelope { request_id, body }: Envelope<Reply>) -> Vec<Action> {
        let others = &mut self.others;
        let Some(running) = &mut others.running else { return Vec::new() };
        match body {
            Reply::Starting => others.start.advance().map(Action::WatchOtherStart).into_iter().collect(),
            Reply::Started { .. } => {
                others.start.finish();
                others.last_request_id += 1;
                vec![Action::LoadOther { index: running.index, request_id: others.last_request_id }]
            }
            reply if request_id == others.last_request_id => self.receive_reply_of_other(reply),
            _ => Vec::new(),
        }
    }

    fn receive_reply_of_other(&mut self, reply: Reply) -> Vec<Action> {
        let Some(running) = &mut self.others.running else { return Vec::new() };
        match (reply, &mut running.phase) {
            (Reply::ManifestRead { model }, _) => running.model = Some(model.into()),
            (Reply::Progress(now), Phase::Loading(progress) | Phase::Classifying(progress)) => {
                *progress = Some(now)
            }
            (Reply::Ready { .. }, _) => {
                running.phase = Phase::Classifying(None);
                return self.classify_by_other();
            }
            (reply @ Reply::Predictions { .. }, _) => return self.record_other(reply),
            (Reply::Failed { error }, _) => return self.fail_other(error),
            (_, _) => {}
        }
        Vec::new()
    }

    fn classify_by_other(&mut self) -> Vec<Action> {
        let Some(body) = self.classify_request(false) else { return self.cancel_other_model() };
        self.others.last_request_id += 1;
        vec![Action::ClassifyByOther(Envelope { request_id: self.others.last_request_id, body })]
    }

    fn record_other(&mut self, reply: Reply) -> Vec<Action> {
        if let Some(Running { index, model: Some(model), .. }) = self.others.running.take()
            && let Some(answer) = Answer::from_reply(reply)
        {
            self.others.answers.push(OtherAnswer { index, model, answer });
        }
        vec![Action::EndOtherWorker]
    }

    fn fail_other(&mut self, error: Error) -> Vec<Action> {
        self.others.failed = self.others.running.take().map(|running| (running.index, error));
        vec![Action::EndOtherWorker]
    }

    pub(super) fn handle_other_worker_failure(&mut self, detail: String) -> Vec<Action> {
        match (&self.others.running, self.others.start.is_over()) {
            (None, _) => Vec::new(),
            (Some(_), true) => self.fail_other(Error::WorkerCrashed { detail }),
            (Some(_), false) => self.fail_other(Error::WorkerNotStarted { detail }),
        }
    }

    pub(super) fn time_out_other_start(&mut self, step: StartStep) -> Vec<Action> {
        match self.is_waiting_for_other_start(step) {
            true => self.fail_other(Error::WorkerSilent { secs: START_TIMEOUT_SECS }),
            false => Vec::new(),
        }
    }
}
