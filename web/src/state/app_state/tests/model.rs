//! Loading a model, choosing another one, and retries.

use super::*;

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

    assert_eq!(state.apply(Event::WorkerFailed("404".into())), [Action::CheckVersion]);
    assert!(matches!(state.error(), Some(Error::WorkerNotStarted { .. })));
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    state.worker_sends(0, Reply::Started { n_threads: 2 });
    state.worker_replies(Reply::Failed { error: unreachable() });
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    state.loads();

    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(Reply::Failed { error: unreachable() });
    assert_eq!(classified(&state.apply(Event::RetryPressed)).0, 1);

    let restarts = |state: &mut AppState| {
        assert!(matches!(state.phase, Phase::Failed(_)), "{:?}", state.phase);
        assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
        assert_eq!(classified(&state.loads()).0, 1);
    };
    state.apply(Event::WorkerFailed("trap".into()));
    assert!(matches!(state.error(), Some(Error::WorkerCrashed { .. })));
    restarts(&mut state);
    state.worker_replies(Reply::Failed { error: Error::OutOfMemory { what: "it".into() } });
    restarts(&mut state);
}

#[test]
fn a_network_that_returns_repeats_what_it_was_needed_for() {
    let mut state = AppState::default();
    state.apply(Event::PageOpened { builds: vec!["relaxed".into()] });
    assert_eq!(state.apply(Event::NetworkReturned), [], "the list is still awaited");
    state.apply(Event::ModelsListed(Err(Error::Unreachable { what: "it".into() })));
    assert_eq!(state.apply(Event::NetworkReturned), [Action::ListModels]);
    state.apply(Event::ModelsListed(Ok(entries())));
    state.worker_sends(0, Reply::Started { n_threads: 2 });
    state.worker_replies(Reply::Failed { error: Error::Timeout { what: "it".into() } });
    assert_eq!(state.apply(Event::NetworkReturned), [Action::StartWorker]);
    state.loads();
    assert_eq!(state.apply(Event::NetworkReturned), []);
    state.apply(Event::WorkerFailed("trap".into()));
    assert_eq!(state.apply(Event::NetworkReturned), [], "a crash has nothing to do with it");
}

#[test]
fn another_model_keeps_the_photo_and_the_label_set_it_shares() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())));
    let old = state.last_request_id;
    assert_eq!(state.apply(Event::ModelChosen(1)), [Action::StartWorker]);
    state.worker_sends(old, predictions());
    assert_eq!(state.answer, None);
    assert_eq!(classified(&state.loads()), (1, "snu".into()));
}

#[test]
fn the_server_is_used_only_if_it_runs_the_model_and_the_visitor_chose_it() {
    let mut state = listed();
    assert!(state.offers_server() && !state.is_on_server);
    state.apply(Event::PhotoChosen("x.jpg".into()));
    assert_eq!(classified(&state.loads()).0, 1);
    state.worker_replies(predictions());

    // The old worker is terminated, and the photo is classified again.
    assert_eq!(state.apply(Event::ServerChosen(true)), [Action::StartWorker]);
    assert!(state.is_on_server && state.answer.is_none());
    assert_eq!(classified(&state.loads()).0, 1);
    assert_eq!(state.apply(Event::ServerChosen(false)), [Action::StartWorker]);
    assert!(!state.is_on_server);

    state.apply(Event::ServerChosen(true));
    state.apply(Event::ModelChosen(1));
    assert!(!state.offers_server() && !state.is_on_server);
    state.apply(Event::ModelChosen(0));
    assert!(!state.is_on_server, "it stays off until it is chosen again");
}

#[test]
fn own_labels_work_offline_only_after_the_text_part_is_stored() {
    let mut state = ready();
    assert!(!state.works_offline() && !state.own_labels_work_offline());
    state.apply(Event::PageStored);
    assert!(state.works_offline() && !state.own_labels_work_offline());
    state.worker_sends(0, Reply::TextStored);
    assert!(state.works_offline() && state.own_labels_work_offline());
    state.apply(Event::ModelChosen(1));
    assert!(
        !state.works_offline() && !state.own_labels_work_offline(),
        "the text part of the other model was stored"
    );
}

#[test]
fn a_model_whose_files_are_missing_is_loaded_again() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(Reply::Failed { error: Error::Refused { what: "text.safetensors".into(), status: 404 } });
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    assert_eq!(classified(&state.loads()).0, 1);
}
