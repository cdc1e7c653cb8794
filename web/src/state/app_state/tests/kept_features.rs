//! Features that stay on the device: which are kept, and when they are deleted.

use super::search::{chosen, filled};
use super::*;
use crate::language::Catalog;
use crate::sentences;
use crate::worker::protocol::FeatureKeeping;

/// The feature that the worker keeps.
fn kept(actions: &[Action]) -> (usize, &[f32]) {
    let [.., Action::SendFile { index, request: Envelope { body: Request::KeepFeature { feature }, .. } }] =
        actions
    else {
        panic!("{actions:?}");
    };
    (*index, feature)
}

/// An answer with a feature that was computed by this engine.
fn answer_by(by: Engine) -> Reply {
    let Reply::Predictions { predictions, certainty, millis, finished_at, .. } = predictions() else {
        unreachable!("these are predictions")
    };
    let (computed, feature) = (Computed { by, note: None }, Some(vec![0.6, 0.8]));
    Reply::Predictions { predictions, certainty, millis, finished_at, computed, feature }
}

#[test]
fn nothing_is_kept_unless_the_visitor_wants_it() {
    let mut state = listed();
    let actions = state.worker_sends(0, Reply::Started { n_threads: 2 });
    assert!(!actions.iter().any(|action| matches!(action, Action::KeepFeatures(_))), "{actions:?}");
    assert!(!filled().keeps_features());
}

#[test]
fn what_was_computed_before_is_kept_too_one_photo_after_the_other() {
    let mut state = filled();
    let actions = state.apply(Event::FeatureKeepingWanted(true));
    assert_eq!(
        (&actions[0], actions.last()),
        (&Action::KeepFeatures(true), Some(&Action::StoreFeatureKeeping(true)))
    );
    assert_eq!(kept(&actions[..actions.len() - 1]), (0, &[1.0, 0.0][..]));
    assert_eq!((state.status(), state.phase_name()), (Status::KeepingFeatures, "classifying"));
    assert_eq!(kept(&state.worker_replies(Reply::FeatureKept)).0, 1);
    // A file that cannot be read any more keeps its answer.
    assert_eq!(kept(&state.worker_replies(Reply::Failed { error: Error::PhotoUnreadable })).0, 2);
    assert_eq!(state.worker_replies(Reply::FeatureKept), []);
    assert_eq!((state.phase_name(), state.open_batch().unwrap().n_refused()), ("ready", 1));

    // Kept once; after all was deleted, again.
    assert_eq!(state.apply(Event::LikeSearched(0)), []);
    state.apply(Event::FeatureKeepingWanted(false));
    assert_eq!(kept(&state.apply(Event::FeatureKeepingRestored(true))).0, 0);
}

#[test]
fn a_photo_is_kept_with_its_answer_and_one_that_was_in_work_afterwards() {
    let mut state = chosen();
    let actions = state.apply(Event::FeatureKeepingWanted(true));
    assert_eq!(actions, [Action::KeepFeatures(true), Action::StoreFeatureKeeping(true)], "it is not interrupted");
    state.worker_replies(answer_by(Engine::Wasm));
    state.worker_replies(answer_by(Engine::Wasm));
    assert_eq!(kept(&state.worker_replies(answer_by(Engine::Kept))).0, 0, "the worker began before it was told");
    assert_eq!(state.worker_replies(Reply::FeatureKept), []);
    assert_eq!(state.open_batch().unwrap().n_kept(), 1);
    state.apply(Event::LikeSearched(0));
    assert_eq!(
        state.open_batch().unwrap().most_similar(),
        Some("b.jpg"),
        "a kept feature is searched as any other"
    );
}

#[test]
fn a_worker_is_told_when_it_starts_also_to_delete_what_is_left() {
    for keeps in [true, false] {
        let mut state = AppState::default();
        let told = state.apply(Event::FeatureKeepingRestored(keeps));
        assert_eq!(told, if keeps { vec![Action::KeepFeatures(true)] } else { Vec::new() });
        state.apply(page_opened());
        state.apply(Event::ModelsListed(Ok(entries())));
        let actions = state.worker_sends(0, Reply::Started { n_threads: 2 });
        assert_eq!(actions.last(), Some(&Action::KeepFeatures(keeps)));
    }
}

#[test]
fn the_server_keeps_nothing() {
    let mut state = listed();
    state.apply(Event::FeatureKeepingRestored(true));
    state.apply(Event::ServerChosen(true));
    state.worker_sends(0, Reply::Started { n_threads: 2 });
    state.worker_replies(Reply::ManifestRead { model: Box::new(model()) });
    state.worker_replies(Reply::Ready { is_stored: true });
    state.apply(Event::BatchChosen(vec![BatchFile { name: "a.jpg".into(), error: None }]));
    assert_eq!(state.worker_replies(predictions()), []);
    assert_eq!(state.phase_name(), "ready");
}

#[test]
fn whoever_deletes_the_journal_deletes_what_is_kept() {
    let mut state = filled();
    assert_eq!(state.apply(Event::JournalRemoved(None)), []);
    state.apply(Event::FeatureKeepingWanted(true));
    assert_eq!(state.apply(Event::JournalRemoved(Some("x".into()))), []);
    let actions = state.apply(Event::JournalRemoved(None));
    assert_eq!(actions, [Action::KeepFeatures(false), Action::StoreFeatureKeeping(false)]);
    assert!(!state.keeps_features());
}

#[test]
fn the_page_says_how_much_is_kept_and_why_no_more() {
    let said = |keeping, is_on| sentences::feature_keeping(&Catalog::english(), keeping, is_on);
    assert_eq!(said(FeatureKeeping::Kept { n_bytes: 0 }, false), None);
    let kept = said(FeatureKeeping::Kept { n_bytes: 1_250_000 }, true);
    assert_eq!(kept.as_deref(), Some("Kept on this device: 1.2 MB."));
    assert!(said(FeatureKeeping::Kept { n_bytes: 5 }, false).is_some(), "what could not be deleted");
    assert!(said(FeatureKeeping::Full { n_bytes: 5 }, true).unwrap().contains("no room"));
    assert!(said(FeatureKeeping::Unavailable, true).unwrap().contains("keeps no files"));

    let mut state = filled();
    state.apply(Event::FeatureKeepingWanted(true));
    state.worker_sends(0, Reply::Keeping(FeatureKeeping::Kept { n_bytes: 7 }));
    assert_eq!(state.feature_keeping(), Some(FeatureKeeping::Kept { n_bytes: 7 }));
    assert_eq!(state.phase_name(), "classifying", "it belongs to no request");
}
