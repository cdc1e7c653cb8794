//! What follows from the worker's messages.

use super::AppState;
use crate::error::Remedy;
use crate::state::batch::BatchAnswer;
use crate::state::{Action, Answer, DecodedPhoto, ModelView, Phase, Photo};
use crate::worker::protocol::{Engine, Envelope, Reply, Stage};
use shared_model::zero_shot::Answer as Ranking;

impl AppState {
    /// Receives a message of the worker: one that belongs to no request, or a reply to the last request.
    pub(super) fn receive(&mut self, Envelope { request_id, body }: Envelope<Reply>) -> Vec<Action> {
        match body {
            Reply::Starting => self.start.advance().map(Action::WatchStart).into_iter().collect(),
            Reply::Started { n_threads } => {
                self.n_threads = n_threads;
                self.phase = Phase::Loading(None); // also after a start that was given up too early
                let avoid = self.start.finish().then_some(Action::AvoidThreads);
                let load = Action::Load { request_id: self.next_request_id() };
                let keeping = self.tell_feature_keeping();
                let first = [load, Action::StorePage].into_iter().chain(avoid);
                first.chain(self.decode_photo_early()).chain(keeping).collect()
            }
            Reply::TextStored => {
                self.is_text_stored = true;
                Vec::new()
            }
            Reply::Keeping(keeping) => {
                self.kept_features.keeping = Some(keeping);
                Vec::new()
            }
            Reply::PhotoDecoded { photo_id, size, quality } => {
                self.set_decoded(photo_id, Ok(DecodedPhoto { size, quality }))
            }
            Reply::PhotoViewed { photo_id, crop, side, quality } => {
                self.set_view(photo_id, ModelView { crop, side, quality })
            }
            Reply::PhotoRefused { photo_id, error } => self.set_decoded(photo_id, Err(error)),
            reply if request_id == self.last_request_id => self.receive_reply(reply),
            _ => Vec::new(),
        }
    }

    fn receive_reply(&mut self, reply: Reply) -> Vec<Action> {
        let reply = match reply {
            Reply::Predictions { predictions, certainty, feature, computed, .. } if self.is_batch_running() => {
                let was_kept = computed.by == Engine::Kept;
                let ranking = Ranking { predictions, certainty };
                return self.record_in_batch(BatchAnswer { ranking, feature, was_kept });
            }
            Reply::FeatureKept => return self.note_kept_in_batch(),
            Reply::Failed { error } if self.is_batch_running() && error.remedy() == Remedy::OtherPhoto => {
                return self.refuse_in_batch(error);
            }
            reply => reply,
        };
        match (reply, &mut self.phase) {
            (Reply::ManifestRead { model }, _) => {
                self.keep_or_default_labels(&model);
                self.model = Some(model.into());
            }
            (
                Reply::Progress(now),
                Phase::Loading(progress)
                | Phase::Classifying(progress)
                | Phase::Annotating(progress)
                | Phase::Mapping(progress),
            ) => *progress = Some(now),
            // The words of a search are no labels, and are encoded at once.
            (Reply::Progress(now), Phase::Searching(progress)) => {
                *progress = Some(now).filter(|now| now.stage != Stage::Labels);
            }
            (Reply::Features { mut features }, Phase::Searching(_)) if features.len() == 1 => {
                return self.set_words_feature(features.remove(0));
            }
            (Reply::Ready { is_stored }, _) => {
                (self.is_loaded, self.is_model_stored) = (true, is_stored);
                return self.classify_if_possible();
            }
            (reply @ Reply::Predictions { .. }, _) => {
                self.phase = Phase::Ready;
                self.answer = Answer::from_reply(reply);
                return self.annotate();
            }
            (Reply::Failed { error }, Phase::Classifying(_)) if error.remedy() == Remedy::OtherPhoto => {
                self.phase = Phase::Ready;
                self.photo = self.photo.take().map(|photo| Photo { decoded: Some(Err(error)), ..photo });
            }
            (Reply::Concepts { concepts }, _) => self.set_concepts(concepts),
            (Reply::Mapped { map, .. }, _) => return self.set_map(map),
            (Reply::Failed { error }, Phase::Annotating(_) | Phase::Mapping(_)) => {
                return self.fail_beside_answer(error);
            }
            (Reply::Failed { error }, _) => return self.fail(error),
            (_, _) => {}
        }
        Vec::new()
    }
}
