//! Similarity maps: what they belong to, and maps that fail.

use super::*;
use shared_model::SimilarityMap;

fn map() -> SimilarityMap {
    SimilarityMap::new(2, 2, vec![0.0, 0.3, 0.1, -0.2]).unwrap()
}

/// The text and the photo of a request for a map.
fn wanted(actions: &[Action]) -> (String, PhotoId, Option<Crop>) {
    let [Action::Map(Envelope { body: Request::Map { text, photo_id, crop, .. }, .. })] = actions else {
        panic!("{actions:?}");
    };
    (text.clone(), *photo_id, *crop)
}

#[test]
fn a_map_is_of_the_text_and_the_photo_and_goes_with_the_answer() {
    let mut state = answered();
    assert!(state.offers_map() && state.map().is_none());
    assert_eq!(state.ranked_labels(), ["a"]);
    assert_eq!(wanted(&state.apply(Event::MapWanted(" a wheal ".into()))), ("a wheal".into(), 1, None));
    assert_eq!((state.phase_name(), state.answer.is_some()), ("mapping", true));
    state.worker_replies(Reply::Mapped { map: map(), millis: 1.0 });
    let shown = state.map().unwrap();
    assert_eq!((shown.text.as_str(), &shown.map, state.phase_name()), ("a wheal", &map(), "ready"));
    state.apply(Event::MapClosed);
    assert!(state.map().is_none() && state.answer.is_some());

    state.apply(Event::MapWanted("a".into()));
    state.worker_replies(Reply::Mapped { map: map(), millis: 1.0 });
    state.apply(Event::PhotoChosen("y.jpg".into()));
    assert!(state.map().is_none(), "of another photo");
    state.worker_replies(predictions());
    assert!(state.map().is_none());
    assert_eq!(wanted(&state.apply(Event::MapWanted("a".into()))).1, 2);
}

#[test]
fn a_late_map_and_words_without_letters_are_ignored() {
    let mut state = answered();
    for text in ["", "  ", "?!"] {
        assert_eq!(state.apply(Event::MapWanted(text.into())), [], "{text:?}");
    }
    state.apply(Event::MapWanted("a".into()));
    let late = state.last_request_id;
    state.apply(Event::MapWanted("b".into()));
    state.worker_sends(late, Reply::Mapped { map: map(), millis: 1.0 });
    assert!(state.map().is_none());
    state.worker_replies(Reply::Mapped { map: map(), millis: 1.0 });
    assert_eq!(state.map().unwrap().text, "b");
}

#[test]
fn findings_are_scored_after_a_map_that_interrupted_them() {
    let mut state = answered();
    state.apply(Event::ConceptsWanted(true));
    assert_eq!(state.phase_name(), "annotating");
    wanted(&state.apply(Event::MapWanted("a".into())));
    let actions = state.worker_replies(Reply::Mapped { map: map(), millis: 1.0 });
    assert!(matches!(&actions[..], [Action::Annotate(_)]) && state.map().is_some());
}

#[test]
fn a_failed_map_keeps_the_answer() {
    let mut state = answered();
    state.apply(Event::MapWanted("a wheal".into()));
    state.worker_replies(Reply::Failed { error: Error::Unreachable { what: "text.safetensors".into() } });
    assert!(state.answer.is_some() && state.error().is_some() && state.map().is_none());
    assert!(is_classifying(&state.apply(Event::RetryPressed)));
}

#[test]
fn another_map_can_be_wanted_after_one_that_failed() {
    let mut state = answered();
    state.apply(Event::MapWanted("a wheal".into()));
    state.worker_replies(Reply::Failed { error: Error::Unreachable { what: "text.safetensors".into() } });
    assert_eq!(wanted(&state.apply(Event::MapWanted("a".into()))).0, "a");
    state.worker_replies(Reply::Mapped { map: map(), millis: 1.0 });
    assert_eq!((state.map().unwrap().text.as_str(), state.error()), ("a", None));

    state.apply(Event::MapWanted("b".into()));
    state.worker_replies(Reply::Failed { error: Error::Unreachable { what: "text.safetensors".into() } });
    assert!(matches!(&state.apply(Event::ConceptsWanted(true))[..], [Action::Annotate(_)]), "findings, too");
    state.apply(Event::ConceptsWanted(false));

    state.apply(Event::MapWanted("b".into()));
    state.worker_replies(Reply::Failed { error: Error::OutOfMemory { what: "text.safetensors".into() } });
    assert_eq!(state.apply(Event::MapWanted("a".into())), [], "the model is not loaded any more");
}

#[test]
fn the_server_and_models_without_a_class_token_make_no_maps() {
    let mut state = listed();
    state.apply(Event::ServerChosen(true));
    state.loads();
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.worker_replies(predictions());
    assert!(!state.offers_map());
    assert_eq!(state.apply(Event::MapWanted("a".into())), []);

    let mut state = answered();
    state.model = Some(Arc::new(ModelInfo { makes_maps: false, ..model() }));
    assert!(!state.offers_map());
    assert_eq!(state.apply(Event::MapWanted("a".into())), []);
}

#[test]
fn the_place_of_the_maximum_is_framed_within_what_the_model_saw() {
    let mut state = answered();
    let decoded = |width| DecodedPhoto { size: PhotoSize { width, height: 300 }, quality: SHARP };
    state.photo.as_mut().unwrap().decoded = Some(Ok(decoded(400)));
    assert_eq!((state.frame_of_map(), state.apply(Event::MapFramed)), (None, vec![]), "no map");
    state.apply(Event::MapWanted("a".into()));
    state.worker_replies(Reply::Mapped { map: map(), millis: 1.0 });
    // The maximum is at the top right of the middle square.
    let frame = Crop { left: 185, top: 0, side: 180 };
    assert_eq!(state.frame_of_map(), Some(frame));
    let actions = state.apply(Event::MapFramed);
    assert!(is_classifying(&actions) && actions.contains(&Action::StoreCrop));
    assert_eq!((state.crop(), state.map()), (Some(frame), None));

    // Within a crop, whatever the model does with whole photos.
    state.model = Some(Arc::new(ModelInfo { sees_middle: false, ..model() }));
    state.worker_replies(predictions());
    state.apply(Event::MapWanted("a".into()));
    state.worker_replies(Reply::Mapped { map: map(), millis: 1.0 });
    assert_eq!(state.frame_of_map(), Some(Crop { left: 266, top: 0, side: 108 }));
    state.photo.as_mut().unwrap().used_crop = None;
    assert_eq!(state.frame_of_map(), None, "squeezed");
}
