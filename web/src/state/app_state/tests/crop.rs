//! The crop, and the hints at blur and darkness.

use super::*;

/// The crop that the first action has the model look at.
fn used(actions: &[Action]) -> Option<Crop> {
    match actions {
        [Action::Classify(Envelope { body: Request::Classify { crop, .. }, .. }), ..] => *crop,
        _ => panic!("{actions:?}"),
    }
}

fn viewed(photo_id: PhotoId, crop: Option<Crop>, quality: PhotoQuality) -> Reply {
    Reply::PhotoViewed { photo_id, crop, side: 224, quality }
}

#[test]
fn a_crop_is_answered_once_it_rests() {
    let mut state = answered();
    let crop = Crop::first(SIZE);
    assert_eq!(state.apply(Event::CropChanged(Some(crop))), []);
    assert!(state.answer.is_some(), "the square is still being moved");
    assert_eq!(state.phase_name(), "framing");
    let moved = crop.moved(10.0, 0.0, SIZE);
    assert_eq!(state.apply(Event::CropChanged(Some(moved))), []);
    let actions = state.apply(Event::CropSettled);
    assert_eq!((used(&actions), actions.last()), (Some(moved), Some(&Action::StoreCrop)));
    assert_eq!(state.answer, None);
    state.worker_replies(predictions());
    assert_eq!(state.phase_name(), "ready");
    assert_eq!(state.apply(Event::CropSettled), [], "it has been answered");

    // Other labels keep the crop, another photo does not.
    assert_eq!(used(&state.apply(Event::LabelsChosen(LabelChoice::Shipped("snu".into())))), Some(moved));
    state.apply(Event::CropChanged(None));
    assert_eq!(used(&state.apply(Event::CropSettled)), None);
    state.apply(Event::CropChanged(Some(crop)));
    state.apply(Event::CropSettled);
    assert_eq!(used(&state.apply(Event::PhotoChosen("y.jpg".into()))), None);
    assert_eq!(state.crop(), None);
}

#[test]
fn a_crop_needs_a_decoded_photo_and_lies_within_it() {
    let mut state = ready();
    state.apply(Event::CropChanged(Some(Crop::first(SIZE))));
    assert_eq!(state.apply(Event::CropSettled), []);
    state.apply(Event::PhotoChosen("x.jpg".into()));
    state.apply(Event::CropChanged(Some(Crop::first(SIZE))));
    assert_eq!(state.crop(), None, "its size is not known yet");
    state.worker_sends(0, decoded(1));
    state.apply(Event::CropChanged(Some(Crop { left: 0, top: 0, side: 301 })));
    assert_eq!(state.crop(), None);
}

#[test]
fn a_photo_is_restored_with_its_crop() {
    let mut state = ready();
    let crop = Some(Crop::first(SIZE));
    assert_eq!(used(&state.apply(Event::PhotoRestored("x.jpg".into(), crop))), crop);
    assert_eq!(state.crop(), crop);
}

#[test]
fn blur_darkness_and_few_pixels_are_hinted_at_before_the_answer() {
    let hints = |state: &AppState| state.photo_hints().len();
    let mut state = answered();
    assert_eq!(hints(&state), 0);
    let dark = PhotoQuality { bright_level: 20, ..SHARP };
    state.apply(Event::PhotoChosen("y.jpg".into()));
    state.worker_sends(0, Reply::PhotoDecoded { photo_id: 2, size: SIZE, quality: dark });
    assert_eq!(state.photo_hints(), [PhotoHint::Dark]);

    // What the model sees counts more than the whole photo.
    state.worker_sends(0, viewed(2, None, SHARP));
    assert_eq!(hints(&state), 0);
    let crop = Crop { left: 0, top: 0, side: 100 };
    state.apply(Event::CropChanged(Some(crop)));
    state.apply(Event::CropSettled);
    state.worker_sends(0, viewed(2, None, dark));
    let blurred = PhotoQuality { blur_percent: 90, ..SHARP };
    state.worker_sends(0, viewed(2, Some(crop), blurred));
    assert_eq!(state.photo_hints(), [PhotoHint::Blurred, PhotoHint::FewPixels]);
}

#[test]
fn what_the_model_was_given_may_follow_its_answer() {
    let mut state = answered();
    let answer = state.answer.clone();
    state.worker_sends(0, viewed(1, None, PhotoQuality { bright_level: 20, ..SHARP }));
    assert_eq!(state.photo_hints(), [PhotoHint::Dark]);
    assert_eq!((state.phase.clone(), state.answer.clone()), (Phase::Ready, answer));

    // That of a photo or of a crop before is not shown with the next.
    let crop = Some(Crop::first(SIZE));
    state.apply(Event::CropChanged(crop));
    state.apply(Event::CropSettled);
    state.worker_sends(0, viewed(1, crop, SHARP));
    state.worker_sends(0, viewed(1, None, SHARP));
    assert_eq!(state.photo.as_ref().and_then(|photo| photo.view).map(|view| view.crop), Some(crop));
    state.apply(Event::PhotoChosen("y.jpg".into()));
    state.worker_sends(0, viewed(1, None, SHARP));
    assert_eq!(state.photo.as_ref().and_then(|photo| photo.view), None);
}
