//! Findings: when they are scored, and which ones are marked.

use super::*;
use shared_model::concepts::Presence;

fn is_annotating(actions: &[Action]) -> bool {
    matches!(actions, [Action::Annotate(_)])
}

fn scores() -> Reply {
    Reply::Concepts { concepts: vec![Presence { concept: "scale".into(), score: 0.7 }] }
}

#[test]
fn findings_are_scored_once_they_are_wanted_and_after_each_answer() {
    let mut state = answered();
    assert!(state.concepts().is_none());
    assert!(is_annotating(&state.apply(Event::ConceptsWanted(true))));
    assert_eq!((state.phase_name(), state.answer.is_some()), ("annotating", true));
    state.worker_replies(scores());
    assert_eq!((state.phase_name(), state.concepts().unwrap().len()), ("ready", 1));
    assert_eq!(state.apply(Event::ConceptsWanted(true)), [], "they are known");

    // Another photo and another crop have others.
    state.apply(Event::PhotoChosen("y.jpg".into()));
    assert!(state.concepts().is_none());
    assert!(is_annotating(&state.worker_replies(predictions())));
    state.apply(Event::ConceptsWanted(false));
    state.worker_sends(state.last_request_id - 1, scores());
    assert_eq!((state.concepts(), state.phase_name()), (None, "ready"));
}

#[test]
fn a_failure_of_the_findings_keeps_the_answer_and_a_retry_recovers() {
    let mut state = answered();
    state.apply(Event::ConceptsWanted(true));
    state.worker_replies(Reply::Failed { error: Error::Unreachable { what: "text.safetensors".into() } });
    assert!(state.answer.is_some() && state.error().is_some());
    assert!(is_classifying(&state.apply(Event::RetryPressed)));
    assert!(is_annotating(&state.worker_replies(predictions())));
}

#[test]
fn findings_are_marked_for_the_first_label_until_the_visitor_chooses_another() {
    let found = |state: &AppState| state.typical().map(|found| (found.label, found.findings.is_some()));
    let mut state = ready();
    state.enters_labels("melanoma, psoriasis, a brown spot");
    state.apply(Event::PhotoChosen("x.jpg".into()));
    let ranked = ["psoriasis", "a brown spot", "melanoma"];
    let answer = || {
        let Reply::Predictions { predictions, certainty, millis, finished_at, computed, feature } = predictions()
        else {
            unreachable!()
        };
        let of = |label: &str| Prediction { label: label.into(), ..predictions[0].clone() };
        let predictions = ranked.map(of).into();
        Reply::Predictions { predictions, certainty, millis, finished_at, computed, feature }
    };
    state.worker_replies(answer());
    assert_eq!(found(&state), None, "no findings are shown");
    state.apply(Event::ConceptsWanted(true));
    state.worker_replies(scores());
    assert_eq!(found(&state), Some(("psoriasis".into(), true)));
    assert_eq!(state.typical().unwrap().findings.unwrap(), ["plaque", "scale", "erythema"]);

    for (label, has_list) in [("melanoma", true), ("a brown spot", false)] {
        assert_eq!(state.apply(Event::TypicalLabelChosen(label.into())), []);
        assert_eq!(found(&state), Some((label.into(), has_list)));
    }
    // Another photo has another first label.
    state.apply(Event::PhotoChosen("y.jpg".into()));
    state.worker_replies(answer());
    state.worker_replies(scores());
    assert_eq!(found(&state), Some(("psoriasis".into(), true)));
}

#[test]
fn nothing_is_marked_if_no_label_has_a_list() {
    let mut state = answered();
    state.apply(Event::ConceptsWanted(true));
    state.worker_replies(scores());
    assert_eq!((state.concepts().is_some(), state.typical()), (true, None));
}

#[test]
fn the_server_scores_no_findings() {
    let mut state = listed();
    state.apply(Event::ServerChosen(true));
    state.loads();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(predictions());
    assert!(!state.offers_concepts());
    assert_eq!(state.apply(Event::ConceptsWanted(true)), []);
}
