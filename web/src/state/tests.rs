use super::*;
use crate::error::WayOn;
use crate::worker::protocol::{Progress, Stage};
use shared_model::zero_shot::Prediction;

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

    fn applies_labels(&mut self, text: &str) -> Vec<Action> {
        self.apply(Event::OwnLabelsEdited(text.into()));
        self.apply(Event::OwnLabelsApplied)
    }

    fn loads(&mut self) -> Vec<Action> {
        let actions = self.hears(0, Reply::Started { n_threads: 2 });
        assert_eq!(actions[..2], [Action::Load { request_id: self.last_request_id }, Action::KeepPage]);
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

/// The photo and label set that the first action asks about.
fn asked(actions: &[Action]) -> (PhotoId, String) {
    let Some(Action::Classify(Envelope { body: Request::Classify { photo_id, labels, .. }, .. })) = actions.first()
    else {
        panic!("{actions:?}");
    };
    (*photo_id, labels.key.clone())
}

fn is_asking(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Classify(_)))
}

#[test]
fn a_photo_chosen_while_loading_is_answered_when_the_model_is_ready() {
    let mut state = listed();
    assert_eq!(state.apply(Event::PhotoChosen("x.jpg".into())), [Action::KeepPhoto]);
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
    assert!(!is_asking(&state.apply(Event::LabelsChosen(LabelChoice::Own))));
    state.hears(second, predictions());
    assert_eq!((state.answer.clone(), state.status()), (None, "Ready: type your labels."));
}

#[test]
fn own_labels_are_checked_before_they_are_sent() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    assert!(!is_asking(&state.applies_labels("[acne]")));
    assert_eq!(state.error().map(Error::way_on), Some(WayOn::OtherLabels));
    state.apply(Event::OwnLabelsEdited("acne".into()));
    assert_eq!(state.error(), None, "it is being mended");
    let actions = state.applies_labels("acne, eczema");
    assert_eq!(asked(&actions), (1, LabelSet::CUSTOM.into()));
    assert_eq!(state.error(), None);
}

#[test]
fn what_was_typed_survives_other_labels_another_model_and_a_failure() {
    let own = || (1, LabelSet::CUSTOM.to_string());
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.applies_labels("acne, eczema");
    assert_eq!(asked(&state.apply(Event::LabelsChosen(LabelChoice::Shipped("pad".into())))), (1, "pad".into()));
    assert_eq!(state.own_text, "acne, eczema");
    assert_eq!(asked(&state.apply(Event::LabelsChosen(LabelChoice::Own))), own());

    // What stands in the box is what is ranked, though it was not applied before.
    state.apply(Event::OwnLabelsEdited("acne, eczema, mole".into()));
    state.apply(Event::LabelsChosen(LabelChoice::Shipped("pad".into())));
    state.apply(Event::LabelsChosen(LabelChoice::Own));
    assert_eq!(state.label_set().unwrap().class_names, ["acne", "eczema", "mole"]);

    state.apply(Event::ModelChosen(1));
    assert_eq!(asked(&state.loads()), own());
    state.hears_now(Reply::Failed { error: Error::Unreachable { what: "it".into() } });
    assert_eq!(asked(&state.apply(Event::RetryPressed)), own());
    state.apply(Event::WorkerLost("trap".into()));
    state.apply(Event::RetryPressed);
    assert_eq!(asked(&state.loads()), own());
    assert_eq!(state.own_text, "acne, eczema, mole");
}

#[test]
fn the_next_visit_begins_with_the_labels_of_this_one() {
    let kept = |actions: Vec<Action>| match actions.into_iter().next_back() {
        Some(Action::KeepLabels(kept)) => kept,
        other => panic!("{other:?}"),
    };
    let mut state = ready();
    kept(state.apply(Event::OwnLabelsEdited("acne, ec".into())));
    let typed = kept(state.applies_labels("acne, eczema"));
    let shipped = kept(state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into()))));

    let next = |kept: &KeptLabels| {
        let json = serde_json::to_string(kept).unwrap();
        let mut state = AppState::default();
        assert_eq!(state.apply(Event::LabelsRestored(serde_json::from_str(&json).unwrap())), []);
        state.apply(opened());
        state.apply(Event::ModelsListed(Ok(entries())));
        state.loads();
        let asked = asked(&state.apply(Event::PhotoChosen("x.jpg".into())));
        (asked.1, state.own_text)
    };
    assert_eq!(next(&typed), (LabelSet::CUSTOM.into(), "acne, eczema".into()));
    assert_eq!(next(&shipped), ("snu".into(), "acne, eczema".into()));
    // A set that this model lacks: its first, as on a first visit.
    let gone = KeptLabels { choice: LabelChoice::Shipped("gone".into()), own_text: String::new() };
    assert_eq!(next(&gone).0, "pad");
}

#[test]
fn the_page_says_how_it_read_the_labels() {
    let mut state = ready();
    let mut in_words = |text: &str| {
        state.apply(Event::OwnLabelsEdited(text.into()));
        (state.own_labels_in_words(), state.own_labels_warning())
    };
    for text in ["a; b; c", "1. a\n2. b\n3. c", "a\tb\tc", "a,b,c"] {
        assert_eq!(in_words(text), (Some("3 labels: a · b · c".into()), None), "{text:?}");
    }
    let joined = Some("listed more than once, counted once: \"acne\", \"ACNE\"".to_string());
    assert_eq!(in_words("Acne, acne, ACNE, nevus"), (Some("2 labels: Acne · nevus".into()), joined));
    assert!(in_words("acne\u{200b}, acne, nevus").1.is_some());
    assert_eq!(in_words("a,b,c,d,e,f,g,h").0.unwrap(), "8 labels: a · b · c · d · e · f and 2 more");
    assert_eq!(in_words(" , "), (None, None));
}

#[test]
fn one_label_alone_is_pointed_out() {
    let mut state = ready();
    assert!(!state.has_one_label());
    state.applies_labels("acne");
    assert!(state.has_one_label());
    state.applies_labels("acne, eczema");
    assert!(!state.has_one_label());
}

#[test]
fn a_photo_that_is_no_image_leaves_the_model_loaded() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.txt".into()));
    state.hears_now(Reply::Failed { error: Error::NotAnImage });
    assert_eq!(state.error(), Some(&Error::NotAnImage));
    assert!(!is_asking(&state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())))), "it is known");
    assert_eq!(state.error(), Some(&Error::NotAnImage));
    let actions = state.apply(Event::PhotoChosen("y.jpg".into()));
    assert_eq!((asked(&actions).0, state.error()), (2, None));
}

#[test]
fn a_photo_is_opened_while_the_labels_are_still_to_come() {
    let mut state = ready();
    state.apply(Event::LabelsChosen(LabelChoice::Own));
    let actions = state.apply(Event::PhotoChosen("x.jpg".into()));
    assert!(actions.contains(&Action::OpenPhoto(1)), "{actions:?}");
}

#[test]
fn a_photo_is_opened_before_the_model_is_there_and_refused_at_once() {
    let mut state = listed();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    let load = Action::Load { request_id: state.last_request_id + 1 };
    assert_eq!(state.hears(0, Reply::Started { n_threads: 2 }), [load, Action::KeepPage, Action::OpenPhoto(1)]);
    state.hears(0, Reply::PhotoOpened { photo_id: 1 });
    assert!(state.photo.as_ref().unwrap().has_preview());

    let actions = state.apply(Event::PhotoChosen("y.avif".into()));
    assert_eq!(actions, [Action::OpenPhoto(2), Action::KeepPhoto]);
    // One that is not on the screen any more says nothing about this one.
    state.hears(0, Reply::PhotoRefused { photo_id: 1, error: Error::PhotoUnreadable });
    assert_eq!((state.error(), state.photo.as_ref().unwrap().opened.as_ref()), (None, None));
    // Memory may be there later.
    state.hears(0, Reply::PhotoRefused { photo_id: 2, error: Error::OutOfMemory { what: "it".into() } });
    assert_eq!(state.error(), None);
    state.hears(0, Reply::PhotoRefused { photo_id: 2, error: Error::NotAnImage });
    assert_eq!(state.error(), Some(&Error::NotAnImage));
    assert!(matches!(state.phase, Phase::Loading(_)), "the model goes on loading");
    state.hears_now(Reply::Opened { model: model() });
    assert_eq!(state.hears_now(Reply::Ready { is_kept: true }), []);
    assert_eq!((state.error(), state.phase.clone()), (Some(&Error::NotAnImage), Phase::Ready));
}

#[test]
fn a_photo_comes_back_after_a_reload_unless_another_was_chosen() {
    let mut state = ready();
    let actions = state.apply(Event::PhotoRestored("x.jpg".into()));
    assert_eq!((asked(&actions).0, actions.len()), (1, 1), "it is kept already");

    let mut state = listed();
    state.apply(Event::PhotoChosen("y.jpg".into()));
    assert!(!state.may_restore_photo());
    assert_eq!(state.apply(Event::PhotoRestored("x.jpg".into())), []);
    assert_eq!(state.photo.unwrap().name, "y.jpg");
}

#[test]
fn a_removed_photo_takes_its_answer_along() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    let old = state.last_request_id;
    assert_eq!(state.apply(Event::PhotoRemoved), [Action::ForgetPhoto]);
    state.hears(old, predictions());
    assert_eq!((state.photo.clone(), state.answer.clone(), state.phase.clone()), (None, None, Phase::Ready));
    assert_eq!(state.status(), "Ready: choose a photo.");
    assert_eq!(asked(&state.apply(Event::PhotoChosen("x.jpg".into()))).0, 3);
}

#[test]
fn what_is_no_photo_leaves_the_photo_and_its_answer() {
    let mut state = ready();
    state.apply(Event::PhotoChosen(NewPhoto { name: "x.jpg".into(), n_others: 29 }));
    state.hears_now(predictions());
    assert_eq!(state.apply(Event::OfferRefused(Error::Folder)), []);
    assert_eq!(state.error(), Some(&Error::Folder));
    assert!(state.answer.is_some());
    assert_eq!(state.photo_note().unwrap(), "30 files came at once, and one photo is looked at: x.jpg.");
    state.apply(Event::PhotoChosen("y.jpg".into()));
    assert_eq!((state.error(), state.photo_note()), (None, None));
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
