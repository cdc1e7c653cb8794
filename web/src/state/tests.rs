use super::*;
use crate::error::WayOn;
use crate::worker::protocol::{Progress, Stage};
use shared_model::api::Prediction;

fn model() -> ModelInfo {
    let set =
        |key: &str| LabelSet { key: key.into(), title: key.into(), class_names: vec!["a".into(), "b".into()] };
    ModelInfo { name: "m".into(), is_trained: true, notice: None, label_sets: vec![set("pad"), set("snu")] }
}

fn entries() -> Vec<ModelEntry> {
    ["a", "b"]
        .map(|name| ModelEntry {
            name: name.into(),
            manifest: format!("/models/{name}/manifest.json"),
            classify: (name == "a").then(|| "/v1/classify?model=a".into()),
        })
        .into()
}

fn predictions() -> Reply {
    let prediction = Prediction { label: "a".into(), probability: 0.75, logit: 20.0 };
    Reply::Predictions { predictions: vec![prediction], millis: 12.0 }
}

impl AppState {
    fn hears(&mut self, request_id: RequestId, body: Reply) -> Vec<Action> {
        self.apply(Event::FromWorker(Envelope { request_id, body }))
    }

    /// The worker's answer to the last request.
    fn hears_now(&mut self, body: Reply) -> Vec<Action> {
        self.hears(self.last_request_id, body)
    }

    fn loads(&mut self) -> Vec<Action> {
        let actions = self.hears(0, Reply::Started { n_threads: 2 });
        assert_eq!(actions, [Action::Load { request_id: self.last_request_id }, Action::KeepPage]);
        self.hears_now(Reply::Opened { model: model() });
        self.hears_now(Reply::Ready { is_kept: true })
    }
}

fn opened() -> Event {
    Event::PageOpened { builds: ["threads_relaxed", "relaxed"].map(String::from).into() }
}

fn listed() -> AppState {
    let mut state = AppState::default();
    assert_eq!(state.apply(opened()), [Action::ListModels]);
    assert_eq!(state.apply(Event::ModelsListed(Ok(entries()))), [Action::StartWorker]);
    state
}

fn ready() -> AppState {
    let mut state = listed();
    assert_eq!(state.loads(), []);
    assert_eq!(state.phase, Phase::Ready);
    state
}

/// The photo and label set that the one action asks about.
fn asked(actions: &[Action]) -> (PhotoId, String) {
    let [Action::Classify(Envelope { body: Request::Classify { photo_id, labels, .. }, .. })] = actions else {
        panic!("{actions:?}");
    };
    (*photo_id, labels.key.clone())
}

#[test]
fn a_photo_chosen_while_loading_is_answered_when_the_model_is_ready() {
    let mut state = listed();
    assert_eq!(state.apply(Event::PhotoChosen("x.jpg".into())), []);
    let progress = Progress { stage: Stage::Download, done: 1, total: 2 };
    state.hears(0, Reply::Started { n_threads: 2 });
    state.hears_now(Reply::Progress(progress));
    assert_eq!(state.progress(), Some(progress));
    state.hears_now(Reply::Opened { model: model() });
    let actions = state.hears_now(Reply::Ready { is_kept: false });
    assert_eq!(asked(&actions), (1, "pad".into()));
    assert_eq!(state.phase, Phase::Classifying(None));
    state.hears_now(predictions());
    assert_eq!((state.phase.clone(), state.status()), (Phase::Ready, "Done."));
    assert!(state.answer.is_some());
}

#[test]
fn an_answer_to_an_older_request_is_ignored() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    let first = state.last_request_id;
    let actions = state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())));
    assert_eq!(asked(&actions), (1, "snu".into()));
    state.hears(first, predictions());
    assert_eq!((state.phase.clone(), state.answer.clone()), (Phase::Classifying(None), None));
    state.hears_now(predictions());
    assert!(state.answer.is_some());

    // Own labels not yet typed: the old answer goes, and one that is still on its way never shows.
    state.apply(Event::PhotoChosen("y.jpg".into()));
    let second = state.last_request_id;
    assert_eq!(state.apply(Event::LabelsChosen(LabelChoice::Own)), []);
    state.hears(second, predictions());
    assert_eq!((state.answer.clone(), state.status()), (None, "Ready: type your labels."));
}

#[test]
fn own_labels_are_checked_before_they_are_sent() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    assert_eq!(state.apply(Event::OwnLabelsTyped("[acne]".into())), []);
    assert_eq!(state.error().map(Error::way_on), Some(WayOn::OtherLabels));
    let actions = state.apply(Event::OwnLabelsTyped("acne, eczema".into()));
    assert_eq!(asked(&actions), (1, LabelSet::CUSTOM.into()));
    assert_eq!(state.error(), None);
}

#[test]
fn a_photo_that_is_no_image_leaves_the_model_loaded() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.txt".into()));
    state.hears_now(Reply::Failed { error: Error::NotAnImage });
    assert_eq!(state.error(), Some(&Error::NotAnImage));
    let actions = state.apply(Event::PhotoChosen("y.jpg".into()));
    assert_eq!((asked(&actions).0, state.error()), (2, None));
}

#[test]
fn retry_repeats_what_failed() {
    let unreachable = || Error::Unreachable { what: "it".into() };
    let mut state = AppState::default();
    state.apply(Event::PageOpened { builds: vec!["relaxed".into()] });
    state.apply(Event::ModelsListed(Err(unreachable())));
    assert_eq!(state.apply(Event::RetryPressed), [Action::ListModels]);
    state.apply(Event::ModelsListed(Ok(Vec::new())));
    assert_eq!(state.error(), Some(&Error::NoModel));
    assert_eq!(state.apply(Event::RetryPressed), [Action::ListModels]);
    state.apply(Event::ModelsListed(Ok(entries())));

    assert_eq!(state.apply(Event::WorkerLost("404".into())), [Action::CheckVersion]);
    assert!(matches!(state.error(), Some(Error::WorkerNotStarted { .. })));
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    state.hears(0, Reply::Started { n_threads: 2 });
    state.hears_now(Reply::Failed { error: unreachable() });
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    state.loads();

    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.hears_now(Reply::Failed { error: unreachable() });
    assert_eq!(asked(&state.apply(Event::RetryPressed)).0, 1);

    let is_started_anew = |state: &mut AppState| {
        assert!(matches!(state.phase, Phase::Failed(_)), "{:?}", state.phase);
        assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
        assert_eq!(asked(&state.loads()).0, 1);
    };
    state.apply(Event::WorkerLost("trap".into()));
    assert!(matches!(state.error(), Some(Error::WorkerLost { .. })));
    is_started_anew(&mut state);
    state.hears_now(Reply::Failed { error: Error::OutOfMemory { what: "it".into() } });
    is_started_anew(&mut state);
}

#[test]
fn only_the_sample_chosen_last_is_shown() {
    let mut state = ready();
    let fetch = |actions: Vec<Action>| match actions[..] {
        [Action::FetchSample(fetch)] => fetch,
        _ => panic!("{actions:?}"),
    };
    let first = fetch(state.apply(Event::SampleChosen(0)));
    let second = fetch(state.apply(Event::SampleChosen(1)));
    assert_eq!(state.apply(Event::SampleFetched(first, Ok("sample-1.jpg".into()))), []);
    assert!(state.is_busy() && state.photo.is_none());
    assert_eq!(asked(&state.apply(Event::SampleFetched(second, Ok("sample-2.jpg".into())))).0, 3);

    let third = fetch(state.apply(Event::SampleChosen(2)));
    let error = Error::Refused { what: "the sample".into(), status: 404 };
    state.apply(Event::SampleFetched(third, Err(error.clone())));
    assert_eq!((state.error(), state.is_busy()), (Some(&error), false));
    assert_eq!(fetch(state.apply(Event::RetryPressed)).sample, 2);
}

#[test]
fn another_model_keeps_the_photo_and_the_label_set_it_shares() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())));
    let old = state.last_request_id;
    assert_eq!(state.apply(Event::ModelChosen(1)), [Action::StartWorker]);
    state.hears(old, predictions());
    assert_eq!(state.answer, None);
    assert_eq!(asked(&state.loads()), (1, "snu".into()));
}

#[test]
fn the_server_computes_only_while_it_offers_to_and_the_visitor_wants_it() {
    let mut state = listed();
    assert!(state.offers_server() && !state.is_on_server);
    state.apply(Event::PhotoChosen("x.jpg".into()));
    assert_eq!(asked(&state.loads()).0, 1);
    state.hears_now(predictions());

    // Whoever looked at photos until now is ended, and the answer is asked for anew.
    assert_eq!(state.apply(Event::ServerChosen(true)), [Action::StartWorker]);
    assert!(state.is_on_server && state.answer.is_none());
    assert_eq!(asked(&state.loads()).0, 1);
    assert_eq!(state.apply(Event::ServerChosen(false)), [Action::StartWorker]);
    assert!(!state.is_on_server);

    state.apply(Event::ServerChosen(true));
    state.apply(Event::ModelChosen(1));
    assert!(!state.offers_server() && !state.is_on_server);
    state.apply(Event::ModelChosen(0));
    assert!(!state.is_on_server, "it is off until it is chosen again");
}

#[test]
fn a_start_that_hangs_is_done_again_without_threads_and_remembered() {
    let mut state = listed();
    assert_eq!(state.build(), Some("threads_relaxed"));
    let first = state.start_step();
    assert!(state.awaits_start(first));
    // What is heard of it counts: only silence is a hang.
    let [Action::WatchStart(second)] = state.hears(0, Reply::Starting)[..] else { panic!() };
    assert!(!state.awaits_start(first) && state.awaits_start(second));
    assert_eq!(state.apply(Event::StartOverdue(first)), []);

    assert_eq!(state.apply(Event::StartOverdue(second)), [Action::StartWorker]);
    assert_eq!((state.build(), state.phase_name(), state.has_lost_threads()), (Some("relaxed"), "loading", false));
    let load = Action::Load { request_id: state.last_request_id + 1 };
    assert_eq!(state.hears(0, Reply::Started { n_threads: 1 }), [load, Action::KeepPage, Action::AvoidThreads]);
    assert!(state.has_lost_threads());
    // A worker for another model does not try threads again.
    state.apply(Event::ModelChosen(1));
    assert_eq!(state.build(), Some("relaxed"));
}

#[test]
fn a_start_that_hangs_without_threads_too_ends_in_a_sentence() {
    let mut state = listed();
    state.apply(Event::StartOverdue(state.start_step()));
    assert_eq!(state.apply(Event::StartOverdue(state.start_step())), [Action::CheckVersion]);
    let error = state.error().cloned().unwrap();
    assert_eq!(error.way_on(), WayOn::Retry);
    assert_eq!(
        error.to_string(),
        "The model's program could not start (nothing was heard of it for 15 seconds). Check the network, then try again."
    );
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    assert_eq!(state.build(), Some("threads_relaxed"));
    assert_eq!(state.loads(), []);
    assert!(!state.has_lost_threads());
    assert_eq!(state.apply(Event::StartOverdue(state.start_step())), [], "it has started");
}

#[test]
fn a_build_that_does_not_arrive_gives_way_to_the_next() {
    let mut state = AppState::default();
    state.apply(Event::PageOpened { builds: ["plain", "relaxed"].map(String::from).into() });
    state.apply(Event::ModelsListed(Ok(entries())));
    assert_eq!(state.apply(Event::WorkerLost("its program did not arrive".into())), [Action::StartWorker]);
    assert_eq!(state.build(), Some("relaxed"));
    assert_eq!(state.loads(), []);
    assert!(!state.has_lost_threads(), "there were none to lose");
}

#[test]
fn a_page_that_the_server_has_replaced_can_only_be_loaded_again() {
    let mut state = listed();
    state.apply(Event::WorkerLost("404".into()));
    assert_eq!(state.apply(Event::WorkerLost("404".into())), [Action::CheckVersion]);
    state.apply(Event::PageReplaced);
    assert_eq!(state.error().map(Error::way_on), Some(WayOn::Reload));
}

#[test]
fn own_labels_work_offline_only_once_the_text_part_is_kept() {
    let mut state = ready();
    assert!(!state.works_offline() && !state.own_labels_work_offline());
    state.apply(Event::PageKept);
    assert!(state.works_offline() && !state.own_labels_work_offline());
    state.hears(0, Reply::TextKept);
    assert!(state.works_offline() && state.own_labels_work_offline());
    state.apply(Event::ModelChosen(1));
    assert!(!state.works_offline() && !state.own_labels_work_offline(), "it was of the other model");
}

#[test]
fn a_model_whose_files_are_gone_is_opened_anew() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.hears_now(Reply::Failed { error: Error::Refused { what: "text.safetensors".into(), status: 404 } });
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    assert_eq!(asked(&state.loads()).0, 1);
}
