//! Choosing, restoring and removing a photo.

use super::*;

#[test]
fn a_photo_chosen_while_loading_is_answered_when_the_model_is_ready() {
    let mut state = listed();
    assert_eq!(state.apply(Event::PhotoChosen("x.jpg".into())), [Action::StorePhoto]);
    let progress = Progress { stage: Stage::Download, done: 1, total: 2 };
    state.worker_sends(0, Reply::Started { n_threads: 2 });
    state.worker_replies(Reply::Progress(progress));
    assert_eq!(state.progress(), Some(progress));
    state.worker_replies(Reply::ManifestRead { model: Box::new(model()) });
    let actions = state.worker_replies(Reply::Ready { is_stored: false });
    assert_eq!(classified(&actions), (1, "pad".into()));
    assert_eq!(state.phase, Phase::Classifying(None));
    state.worker_replies(predictions());
    assert_eq!((state.phase.clone(), state.status()), (Phase::Ready, Status::Done));
    assert!(state.answer.is_some());
}

#[test]
fn an_answer_to_an_older_request_is_ignored() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    let first = state.last_request_id;
    let actions = state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())));
    assert_eq!(classified(&actions), (1, "snu".into()));
    state.worker_sends(first, predictions());
    assert_eq!((state.phase.clone(), state.answer.clone()), (Phase::Classifying(None), None));
    state.worker_replies(predictions());
    assert!(state.answer.is_some());

    // Own labels are not typed yet: the old answer is removed, and a late reply is ignored.
    state.apply(Event::PhotoChosen("y.jpg".into()));
    let second = state.last_request_id;
    assert!(!is_classifying(&state.apply(Event::LabelsChosen(LabelChoice::Own))));
    state.worker_sends(second, predictions());
    assert_eq!((state.answer.clone(), state.status()), (None, Status::ReadyForLabels));
}

#[test]
fn a_file_that_is_not_an_image_leaves_the_model_loaded() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.txt".into()));
    state.worker_replies(Reply::Failed { error: Error::NotAnImage });
    assert_eq!(state.error(), Some(&Error::NotAnImage));
    assert!(
        !is_classifying(&state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())))),
        "the photo is known to be refused"
    );
    assert_eq!(state.error(), Some(&Error::NotAnImage));
    let actions = state.apply(Event::PhotoChosen("y.jpg".into()));
    assert_eq!((classified(&actions).0, state.error()), (2, None));
}

#[test]
fn a_photo_is_decoded_while_there_are_no_labels() {
    let mut state = ready();
    state.apply(Event::LabelsChosen(LabelChoice::Own));
    let actions = state.apply(Event::PhotoChosen("x.jpg".into()));
    assert!(actions.contains(&Action::DecodePhoto(1)), "{actions:?}");
}

#[test]
fn a_photo_is_decoded_or_refused_before_the_model_is_loaded() {
    let mut state = listed();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    let load = Action::Load { request_id: state.last_request_id + 1 };
    assert_eq!(
        state.worker_sends(0, Reply::Started { n_threads: 2 }),
        [load, Action::StorePage, Action::DecodePhoto(1)]
    );
    state.worker_sends(0, decoded(1));
    assert!(state.photo.as_ref().unwrap().shown().is_some());

    let actions = state.apply(Event::PhotoChosen("y.avif".into()));
    assert_eq!(actions, [Action::DecodePhoto(2), Action::StorePhoto]);
    // An error of an earlier photo is ignored.
    state.worker_sends(0, Reply::PhotoRefused { photo_id: 1, error: Error::PhotoUnreadable });
    assert_eq!((state.error(), state.photo.as_ref().unwrap().decoded.as_ref()), (None, None));
    // Memory may be available later.
    state.worker_sends(0, Reply::PhotoRefused { photo_id: 2, error: Error::OutOfMemory { what: "it".into() } });
    assert_eq!(state.error(), None);
    state.worker_sends(0, Reply::PhotoRefused { photo_id: 2, error: Error::NotAnImage });
    assert_eq!(state.error(), Some(&Error::NotAnImage));
    assert!(matches!(state.phase, Phase::Loading(_)), "the model is still loading");
    state.worker_replies(Reply::ManifestRead { model: Box::new(model()) });
    assert_eq!(state.worker_replies(Reply::Ready { is_stored: true }), []);
    assert_eq!((state.error(), state.phase.clone()), (Some(&Error::NotAnImage), Phase::Ready));
}

#[test]
fn a_photo_is_restored_after_a_reload_unless_another_was_chosen() {
    let mut state = ready();
    let actions = state.apply(Event::PhotoRestored("x.jpg".into(), None));
    assert_eq!((classified(&actions).0, actions.len()), (1, 1), "it is stored already");
    assert_eq!(state.worker_replies(predictions()), [Action::ClearSuspicion]);
    assert_eq!(state.worker_replies(predictions()), []);

    let mut state = ready();
    state.apply(Event::PhotoRestored("x.jpg".into(), None));
    let error = Error::OutOfMemory { what: "it".into() };
    assert_eq!(state.worker_replies(Reply::Failed { error }), [Action::ClearSuspicion], "the page is still there");

    let mut state = listed();
    state.apply(Event::PhotoChosen("y.jpg".into()));
    assert!(!state.may_restore_photo());
    assert_eq!(state.apply(Event::PhotoRestored("x.jpg".into(), None)), []);
    assert_eq!(state.photo.unwrap().name, "y.jpg");
}

#[test]
fn removing_a_photo_removes_its_answer() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    let old = state.last_request_id;
    assert_eq!(state.apply(Event::PhotoRemoved), [Action::DeletePhoto]);
    state.worker_sends(old, predictions());
    assert_eq!((state.photo.clone(), state.answer.clone(), state.phase.clone()), (None, None, Phase::Ready));
    assert_eq!(state.status(), Status::ReadyForPhoto);
    assert_eq!(classified(&state.apply(Event::PhotoChosen("x.jpg".into()))).0, 3);
}

#[test]
fn a_refused_input_keeps_the_photo_and_its_answer() {
    let mut state = ready();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(predictions());
    assert_eq!(state.apply(Event::InputRefused(Error::NoFiles)), []);
    assert_eq!(state.error(), Some(&Error::NoFiles));
    assert!(state.answer.is_some());
    state.apply(Event::PhotoChosen("y.jpg".into()));
    assert_eq!(state.error(), None);
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
    assert_eq!(classified(&state.apply(Event::SampleFetched(second, Ok("sample-2.jpg".into())))).0, 3);

    let third = fetch(state.apply(Event::SampleChosen(2)));
    let error = Error::Refused { what: "the sample".into(), status: 404 };
    state.apply(Event::SampleFetched(third, Err(error.clone())));
    assert_eq!((state.error(), state.is_busy()), (Some(&error), false));
    assert_eq!(fetch(state.apply(Event::RetryPressed)).sample, 2);
}

#[test]
fn below_the_photo_are_the_work_then_its_answers_or_what_is_wrong() {
    let mut state = ready();
    assert_eq!(state.below_photo(), None);
    state.apply(Event::SampleChosen(0));
    assert_eq!(state.below_photo(), Some(BelowPhoto::Work), "it is fetched");
    state.apply(Event::PhotoChosen("x.jpg".into()));
    assert_eq!(state.below_photo(), Some(BelowPhoto::Work));
    state.worker_replies(predictions());
    assert_eq!(state.below_photo(), Some(BelowPhoto::Answers));
    state.apply(Event::PhotoChosen("y.jpg".into()));
    state.worker_replies(Reply::Failed { error: Error::NotAnImage });
    assert_eq!(state.below_photo(), Some(BelowPhoto::Error));
    state.apply(Event::PhotoRemoved);
    assert_eq!(state.below_photo(), None);
}
