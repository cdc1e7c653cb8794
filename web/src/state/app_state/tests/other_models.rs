//! Answers of several models to one photo.

use super::*;
use crate::language::Catalog;
use crate::report::{DISCLAIMER, Report, ReportContext};
use crate::sentences;
use shared_model::api::HostedLabels;
use shared_model::manifest::{FileRole, ManifestFile};

/// The list has three models, of which the first is chosen, and a photo is answered.
fn answered_of_three() -> AppState {
    let mut state = answered();
    let third = ModelEntry { name: "c".into(), ..state.models[1].clone() };
    state.models.push(third);
    state
}

impl AppState {
    fn other_sends(&mut self, body: Reply) -> Vec<Action> {
        let request_id = self.others.last_request_id;
        self.apply(Event::FromOtherWorker(Envelope { request_id, body }))
    }

    /// The other model's worker starts and loads.
    fn other_loads(&mut self, name: &str) -> Vec<Action> {
        let actions = self.other_sends(Reply::Started { n_threads: 2 });
        assert!(matches!(actions[..], [Action::LoadOther { .. }]), "{actions:?}");
        let model = ModelInfo { name: name.into(), label_sets: Vec::new(), ..model() };
        self.other_sends(Reply::ManifestRead { model: Box::new(model) });
        self.other_sends(Reply::Ready { is_stored: true })
    }

    fn other_answers(&mut self, index: usize, name: &str, reply: Reply) {
        assert_eq!(self.apply(Event::OtherModelWanted(index)), [Action::StartOtherWorker]);
        self.other_loads(name);
        assert_eq!(self.other_sends(reply), [Action::EndOtherWorker]);
    }

    fn names(&self) -> Vec<String> {
        self.compared_models().into_iter().map(|model| model.name).collect()
    }

    fn candidate_names(&self) -> Vec<String> {
        self.candidates().into_iter().map(|candidate| candidate.name).collect()
    }
}

#[test]
fn other_models_answer_the_same_photo_crop_and_labels_one_after_the_other() {
    let mut state = answered_of_three();
    let crop = Crop::first(SIZE);
    state.apply(Event::CropChanged(Some(crop)));
    state.apply(Event::CropSettled);
    state.worker_replies(predictions());
    state.enters_labels("acne, eczema");
    state.worker_replies(answer_of("acne", 0.75, None));
    assert_eq!((state.candidate_names(), state.names()), (vec!["b".into(), "c".into()], Vec::new()));

    assert_eq!(state.apply(Event::OtherModelWanted(1)), [Action::StartOtherWorker]);
    assert_eq!(state.apply(Event::OtherModelWanted(2)), [], "one at a time");
    assert_eq!(state.other_work(), Some(("b", Status::Connecting)));
    let actions = state.other_loads("b");
    let [Action::ClassifyByOther(Envelope { body, .. })] = &actions[..] else { panic!("{actions:?}") };
    let Request::Classify { photo_id, crop: given, labels, is_shown: false, .. } = body else { panic!("{body:?}") };
    assert_eq!((*photo_id, *given, labels), (1, Some(crop), state.label_set().unwrap()));
    state.other_sends(Reply::Progress(Progress { stage: Stage::Download, done: 1, total: 4 }));
    assert_eq!(state.other_work(), Some(("b", Status::DownloadingText)));
    assert_eq!((state.phase_name(), state.answer.is_some()), ("ready", true), "the first answer stays");
    state.other_sends(answer_of("eczema", 0.5, Some(UNSURE)));
    assert_eq!((state.names(), state.candidate_names()), (vec!["m".into(), "b".into()], vec!["c".into()]));
    assert_eq!(state.other_work(), None);

    assert_eq!(state.apply(Event::OtherModelWanted(1)), [], "it has answered");
    state.other_answers(2, "c", answer_of("acne", 0.5, None));
    assert_eq!((state.names(), state.candidates()), (vec!["m".into(), "b".into(), "c".into()], Vec::new()));
    let agree = sentences::models_agree(&Catalog::english(), &state.compared_models()).unwrap();
    assert_eq!(agree, "The models disagree. m: acne, 75.0 %. b: eczema, 50.0 %. c: acne, 50.0 %.");
}

#[test]
fn a_new_photo_ends_the_comparison_before_it_is_classified() {
    let mut state = answered_of_three();
    state.other_answers(1, "b", predictions());
    state.apply(Event::OtherModelWanted(2));
    let actions = state.apply(Event::PhotoChosen("y.jpg".into()));
    assert_eq!(actions[0], Action::EndOtherWorker, "it takes no time of the next answer");
    assert!(is_classifying(&actions) && state.candidates().is_empty());
    assert_eq!(state.other_sends(Reply::Started { n_threads: 2 }), [], "a message that was on its way");
    state.worker_replies(predictions());
    assert_eq!((state.names(), state.other_work()), (Vec::new(), None), "the answers were of another photo");
    assert_eq!(state.candidate_names(), ["b", "c"]);

    // So do other labels, another crop and another model.
    for event in [
        Event::LabelsChosen(LabelChoice::Shipped("snu".into())),
        Event::OwnLabelsApplied,
        Event::ModelChosen(0),
        Event::PhotoRemoved,
        Event::BatchChosen(vec![BatchFile { name: "z.jpg".into(), error: None }]),
    ] {
        let mut state = answered_of_three();
        state.own_text = "acne, eczema".into();
        state.apply(Event::OtherModelWanted(1));
        assert_eq!(state.apply(event.clone())[0], Action::EndOtherWorker, "{event:?}");
        assert!(state.compared_models().is_empty());
    }
}

#[test]
fn findings_and_maps_keep_the_comparison() {
    let mut state = answered_of_three();
    state.other_answers(1, "b", predictions());
    state.apply(Event::ConceptsWanted(true));
    state.worker_replies(Reply::Failed { error: Error::Unreachable { what: "text.safetensors".into() } });
    assert_eq!(state.names(), ["m", "b"]);
}

#[test]
fn a_comparison_is_canceled_or_fails_and_is_repeated() {
    let mut state = answered_of_three();
    assert_eq!(state.apply(Event::OtherModelCanceled), []);
    state.apply(Event::OtherModelWanted(1));
    assert_eq!(state.apply(Event::OtherModelCanceled), [Action::EndOtherWorker]);
    assert_eq!((state.other_work(), state.other_failure()), (None, None));

    state.apply(Event::OtherModelWanted(1));
    state.other_sends(Reply::Started { n_threads: 2 });
    let unreachable = Error::Unreachable { what: "vision.safetensors".into() };
    assert_eq!(state.other_sends(Reply::Failed { error: unreachable.clone() }), [Action::EndOtherWorker]);
    assert_eq!(state.other_failure(), Some(("b", &unreachable)));
    assert_eq!((state.error(), state.answer.is_some()), (None, true), "the first answer does not depend on it");
    state.other_answers(1, "b", predictions());
    assert_eq!(state.other_failure(), None);
}

#[test]
fn the_start_of_another_worker_is_given_up_and_a_crash_is_said() {
    let mut state = answered_of_three();
    state.apply(Event::OtherModelWanted(1));
    let first = state.other_start_step();
    let actions = state.apply(Event::FromOtherWorker(Envelope { request_id: 0, body: Reply::Starting }));
    assert_eq!(actions, [Action::WatchOtherStart(state.other_start_step())]);
    assert_eq!(state.apply(Event::OtherStartTimedOut(first)), [], "it has made progress since");
    let step = state.other_start_step();
    assert_eq!(state.apply(Event::OtherStartTimedOut(step)), [Action::EndOtherWorker]);
    assert!(matches!(state.other_failure(), Some((_, Error::WorkerSilent { .. }))));
    assert_eq!(state.phase_name(), "ready");

    state.apply(Event::OtherModelWanted(2));
    assert_eq!(state.apply(Event::OtherStartTimedOut(step)), [], "that was another start");
    state.other_loads("c");
    assert_eq!(state.apply(Event::OtherWorkerFailed("trap".into())), [Action::EndOtherWorker]);
    assert!(matches!(state.other_failure(), Some(("c", Error::WorkerCrashed { .. }))));
    assert_eq!(state.apply(Event::OtherWorkerFailed("trap".into())), [], "it has ended");
}

#[test]
fn what_an_answer_downloads_depends_on_the_labels_and_the_list() {
    let mut state = answered();
    let cost = |state: &AppState| state.candidates()[0].cost;
    assert_eq!(cost(&state), Cost::Unknown);

    let file = |role, bytes| ManifestFile { role, file: String::new(), bytes, sha256: String::new() };
    let (text, tokenizer) = (file(FileRole::Text, 1_000), file(FileRole::Tokenizer, 50));
    let files = vec![file(FileRole::Vision, 300), file(FileRole::Classifiers, 7), text, tokenizer];
    let pad = state.label_set().unwrap().clone();
    state.models[1] = ModelEntry { files, label_sets: vec![HostedLabels::from(&pad)], ..state.models[1].clone() };
    assert_eq!(cost(&state), Cost::Files { n_bytes: 307, has_text: false });
    for names in [vec!["a"], vec!["b", "a"], vec!["a", "c"], vec!["a", "b", "c"]] {
        let class_names = names.iter().map(|name| name.to_string()).collect();
        state.models[1].label_sets[0] = HostedLabels::from(&LabelSet { class_names, ..pad.clone() });
        let with_text = Cost::Files { n_bytes: 1_357, has_text: true };
        assert_eq!(cost(&state), with_text, "the labels {names:?} are others");
    }
    state.models[1].label_sets = Vec::new();
    assert_eq!(cost(&state), Cost::Files { n_bytes: 1_357, has_text: true });
    state.models[1].files.retain(|file| file.role != FileRole::Text);
    assert_eq!(cost(&state), Cost::LacksLabels);
    assert_eq!(state.apply(Event::OtherModelWanted(1)), [], "it cannot answer");

    state.models[1].classify = Some("/v1/classify?model=b".into());
    assert_eq!(cost(&state), Cost::LacksLabels, "the visitor did not choose the server");
    state.is_on_server = true;
    assert_eq!(cost(&state), Cost::Server);
}

#[test]
fn a_result_has_the_other_models() {
    let mut state = answered_of_three();
    let report = |state: &AppState| Report::of(state, ReportContext::default()).unwrap();
    assert!(!report(&state).to_json().contains("other_models"));
    state.other_answers(1, "b", answer_of("b", 0.5, Some(NONE_OF_THESE)));
    let json: serde_json::Value = serde_json::from_str(&report(&state).to_json()).unwrap();
    let other = &json["other_models"][0];
    assert_eq!(other["answers"], serde_json::json!([{ "label": "b", "probability": 0.5 }]));
    assert_eq!((&other["model"]["name"], &other["certainty"]["none_of_these"]), (&"b".into(), &true.into()));
    let rows = sentences::printed_rows(&Catalog::english(), &report(&state));
    let models: Vec<_> = rows.iter().filter(|(name, _)| name == "Model").map(|(_, value)| value.as_str()).collect();
    assert_eq!(models, ["m (int8)", "b (int8)"]);
}

#[test]
fn a_shared_text_has_the_answers_of_each_model_below_its_name() {
    let mut state = answered_of_three();
    let shared = |state: &AppState| {
        sentences::shared_text(&Catalog::english(), &Report::of(state, ReportContext::default()).unwrap())
    };
    assert!(shared(&state).starts_with("pad\n\na: 75.0 %\n\nThis model is not"), "{}", shared(&state));
    state.other_answers(1, "b", answer_of("b", 0.5, Some(NONE_OF_THESE)));
    state.other_answers(2, "c", predictions());
    let text = shared(&state);
    let blocks: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(blocks[0], "pad");
    assert!(blocks[1].starts_with("Model: m\na: 75.0 %\nThis model is not calibrated"), "{text}");
    assert!(blocks[2].starts_with("Model: b\nb: 50.0 %\nNone of these: no label"), "{text}");
    assert!(blocks[3].starts_with("Model: c\na: 75.0 %\nThis model is not calibrated"), "{text}");
    assert!(blocks[4].starts_with("Models that agree may be wrong together"), "{text}");
    assert!(text.ends_with(DISCLAIMER), "{text}");
}

#[test]
fn one_model_is_compared_with_none() {
    let mut state = answered();
    state.models.truncate(1);
    assert!(!state.offers_other_models() && state.candidates().is_empty());
    assert_eq!(state.apply(Event::OtherModelWanted(0)), [], "it is the chosen one");
}
