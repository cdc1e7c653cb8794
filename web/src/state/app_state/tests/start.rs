//! Starts of the worker that hang or fail.

use super::*;

#[test]
fn a_start_that_hangs_is_repeated_without_threads_and_remembered() {
    let mut state = listed();
    assert_eq!(state.build(), Some("threads_relaxed"));
    let first = state.start_step();
    assert!(state.is_waiting_for_start(first));
    // Any message of the worker restarts the timeout.
    let [Action::WatchStart(second)] = state.worker_sends(0, Reply::Starting)[..] else { panic!() };
    assert!(!state.is_waiting_for_start(first) && state.is_waiting_for_start(second));
    assert_eq!(state.apply(Event::StartTimedOut(first)), []);

    assert_eq!(state.apply(Event::StartTimedOut(second)), [Action::StartWorker]);
    assert_eq!(
        (state.build(), state.phase_name(), state.have_threads_failed()),
        (Some("relaxed"), "loading", false)
    );
    let load = Action::Load { request_id: state.last_request_id + 1 };
    assert_eq!(
        state.worker_sends(0, Reply::Started { n_threads: 1 }),
        [load, Action::StorePage, Action::AvoidThreads]
    );
    assert!(state.have_threads_failed());
    // A worker for another model does not try threads again.
    state.apply(Event::ModelChosen(1));
    assert_eq!(state.build(), Some("relaxed"));
}

#[test]
fn a_start_that_hangs_without_threads_too_is_an_error() {
    let mut state = listed();
    state.apply(Event::StartTimedOut(state.start_step()));
    assert_eq!(state.apply(Event::StartTimedOut(state.start_step())), [Action::CheckVersion]);
    let error = state.error().cloned().unwrap();
    assert_eq!(error.remedy(), Remedy::Retry);
    assert_eq!(error, Error::WorkerSilent { secs: START_TIMEOUT_SECS });
    assert_eq!(state.apply(Event::RetryPressed), [Action::StartWorker]);
    assert_eq!(state.build(), Some("threads_relaxed"));
    assert_eq!(state.loads(), []);
    assert!(!state.have_threads_failed());
    assert_eq!(state.apply(Event::StartTimedOut(state.start_step())), [], "the worker has started");
}

#[test]
fn the_last_build_may_start_after_it_was_given_up() {
    let mut state = listed();
    state.apply(Event::StartTimedOut(state.start_step()));
    state.apply(Event::StartTimedOut(state.start_step()));
    assert_eq!((state.build(), state.phase_name()), (Some("relaxed"), "failed"));
    let actions = state.worker_sends(0, Reply::Started { n_threads: 1 });
    assert!(actions.contains(&Action::AvoidThreads), "{actions:?}");
    assert_eq!((state.phase_name(), state.have_threads_failed()), ("loading", true));
    state.apply(Event::ModelChosen(1));
    assert_eq!(state.build(), Some("relaxed"), "it is the build that starts");
}

#[test]
fn after_a_build_that_cannot_be_fetched_the_next_is_tried() {
    let mut state = AppState::default();
    state.apply(Event::PageOpened { builds: ["plain", "relaxed"].map(String::from).into() });
    state.apply(Event::ModelsListed(Ok(entries())));
    assert_eq!(state.apply(Event::WorkerFailed("its script could not be fetched".into())), [Action::StartWorker]);
    assert_eq!(state.build(), Some("relaxed"));
    assert_eq!(state.loads(), []);
    assert!(!state.have_threads_failed(), "no build had threads");
}

#[test]
fn a_page_that_the_server_has_replaced_can_only_be_reloaded() {
    let mut state = listed();
    state.apply(Event::WorkerFailed("404".into()));
    assert_eq!(state.apply(Event::WorkerFailed("404".into())), [Action::CheckVersion]);
    state.apply(Event::PageReplaced);
    assert_eq!(state.error().map(Error::remedy), Some(Remedy::Reload));
}
