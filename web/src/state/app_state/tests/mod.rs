//! What each event changes in the state, and the actions that follow.

mod batch;
mod camera;
mod concepts;
mod crop;
mod journal;
mod kept_features;
mod labels;
mod map;
mod model;
mod other_models;
mod photo;
mod report;
mod search;
mod start;

use super::*;
use crate::crop::{Crop, PhotoSize};
use crate::error::Remedy;
use crate::state::*;
use crate::worker::protocol::{Computed, Engine, Progress, Reply, Stage};
use shared_model::calibration::Certainty;
use shared_model::preprocess::PhotoQuality;
use shared_model::zero_shot::Prediction;

fn model() -> ModelInfo {
    let set =
        |key: &str| LabelSet { key: key.into(), title: key.into(), class_names: vec!["a".into(), "b".into()] };
    ModelInfo {
        name: "m".into(),
        is_trained: true,
        notice: None,
        label_sets: vec![set("pad"), set("snu")],
        weight_format: "int8".into(),
        image_size: Some(224),
        makes_maps: true,
        sees_middle: true,
        files: Vec::new(),
        calibrations: Vec::new(),
        card: None,
    }
}

fn entries() -> Vec<ModelEntry> {
    ["a", "b"]
        .map(|name| ModelEntry {
            name: name.into(),
            manifest: format!("/models/{name}/manifest.json"),
            classify: (name == "a").then(|| "/v1/classify?model=a".into()),
            files: Vec::new(),
            label_sets: Vec::new(),
        })
        .into()
}

fn predictions() -> Reply {
    answer_of("a", 0.75, None)
}

fn answer_of(label: &str, probability: f32, certainty: Option<Certainty>) -> Reply {
    let predictions = vec![Prediction { label: label.into(), probability, logit: 20.0 }];
    let computed = Computed { by: Engine::Wasm, note: None };
    Reply::Predictions { predictions, certainty, millis: 12.0, finished_at: 0.0, computed, feature: None }
}

const NONE_OF_THESE: Certainty =
    Certainty { unsure: true, none_of_these: true, match_score: -3.5, match_threshold: -2.0 };
const UNSURE: Certainty = Certainty { none_of_these: false, match_score: -1.0, ..NONE_OF_THESE };

const SIZE: PhotoSize = PhotoSize { width: 400, height: 300 };
const SHARP: PhotoQuality = PhotoQuality { blur_percent: 20, bright_level: 200 };

fn decoded(photo_id: PhotoId) -> Reply {
    Reply::PhotoDecoded { photo_id, size: SIZE, quality: SHARP }
}

impl AppState {
    fn worker_sends(&mut self, request_id: RequestId, body: Reply) -> Vec<Action> {
        self.apply(Event::FromWorker(Envelope { request_id, body }))
    }

    /// The worker replies to the last request.
    fn worker_replies(&mut self, body: Reply) -> Vec<Action> {
        self.worker_sends(self.last_request_id, body)
    }

    fn enters_labels(&mut self, text: &str) -> Vec<Action> {
        self.apply(Event::OwnLabelsEdited(text.into()));
        self.apply(Event::OwnLabelsApplied)
    }

    fn loads(&mut self) -> Vec<Action> {
        let actions = self.worker_sends(0, Reply::Started { n_threads: 2 });
        assert_eq!(actions[..2], [Action::Load { request_id: self.last_request_id }, Action::StorePage]);
        self.worker_replies(Reply::ManifestRead { model: Box::new(model()) });
        self.worker_replies(Reply::Ready { is_stored: true })
    }
}

fn page_opened() -> Event {
    Event::PageOpened { builds: ["threads_relaxed", "relaxed"].map(String::from).into() }
}

fn listed() -> AppState {
    let mut state = AppState::default();
    assert_eq!(state.apply(page_opened()), [Action::ListModels]);
    assert_eq!(state.apply(Event::ModelsListed(Ok(entries()))), [Action::StartWorker]);
    state
}

fn ready() -> AppState {
    let mut state = listed();
    assert_eq!(state.loads(), []);
    assert_eq!(state.phase, Phase::Ready);
    state
}

/// A photo is shown, and answered.
fn answered() -> AppState {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_sends(0, decoded(1));
    state.worker_replies(predictions());
    state
}

/// The photo and label set that the first action classifies.
fn classified(actions: &[Action]) -> (PhotoId, String) {
    let Some(Action::Classify(Envelope { body: Request::Classify { photo_id, labels, .. }, .. })) = actions.first()
    else {
        panic!("{actions:?}");
    };
    (*photo_id, labels.key.clone())
}

fn is_classifying(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Classify(_)))
}
