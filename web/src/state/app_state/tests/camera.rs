//! The camera: the photo that is taken, and cameras that fail or are closed.

use super::*;

const SIZE: PhotoSize = PhotoSize { width: 640, height: 480 };

/// A ready page whose camera is being opened, and the number of this opening.
fn opening() -> (AppState, CameraOpening) {
    let mut state = ready();
    let actions = state.apply(Event::CameraWanted(Facing::Away));
    let [Action::OpenCamera { opening, facing: Facing::Away }] = actions[..] else { panic!("{actions:?}") };
    (state, opening)
}

#[test]
fn the_photo_that_is_taken_is_answered_with_the_guides_square() {
    let (mut state, opening) = opening();
    assert!(state.camera.is_open() && state.camera.size().is_none());
    state.apply(Event::CameraOpened(opening, Ok(2)));
    state.apply(Event::CameraShown(PhotoSize { width: 0, height: 0 }));
    assert_eq!((state.camera.size(), state.camera.n_cameras), (None, 2), "no frame yet");
    for size in [SIZE, PhotoSize { width: 480, height: 640 }, SIZE] {
        state.apply(Event::CameraShown(size));
        assert_eq!(state.camera.size(), Some(size));
    }
    let actions = state.apply(Event::PhotoTaken("photo.jpg".into(), SIZE));
    assert_eq!(actions[0], Action::CloseCamera);
    assert!(is_classifying(&actions) && actions.contains(&Action::StorePhoto));
    let photo = state.photo.as_ref().unwrap();
    let square = Some(Crop { left: 176, top: 96, side: 288 });
    assert_eq!((photo.crop, photo.used_crop), (square, square));
    assert!(!state.camera.is_open());
}

/// A drop reaches the page while the dialog is open, and takes its place.
#[test]
fn another_photo_or_a_table_closes_the_camera() {
    for event in [
        Event::PhotoChosen("x.jpg".into()),
        Event::BatchChosen(vec![crate::state::BatchFile { name: "x.jpg".into(), error: None }]),
    ] {
        let (mut state, _) = opening();
        state.apply(Event::CameraShown(SIZE));
        assert_eq!(state.apply(event)[0], Action::CloseCamera);
        assert!(!state.camera.is_open());
    }
}

#[test]
fn an_opening_that_was_closed_or_replaced_is_ignored() {
    let (mut state, first) = opening();
    assert_eq!(state.apply(Event::CameraClosed), [Action::CloseCamera]);
    assert_eq!(state.apply(Event::CameraClosed), []);
    assert!(!state.is_waiting_for_camera(first));
    state.apply(Event::CameraOpened(first, Err(CameraFault::Denied)));
    state.apply(Event::CameraShown(SIZE));
    assert_eq!(state.camera.view, CameraView::Closed);

    state.apply(Event::CameraWanted(Facing::Away));
    let actions = state.apply(Event::CameraWanted(Facing::Away.turned()));
    let [Action::OpenCamera { opening: last, facing: Facing::Visitor }] = actions[..] else {
        panic!("{actions:?}")
    };
    assert!(!state.is_waiting_for_camera(last - 1) && state.is_waiting_for_camera(last));
}

#[test]
fn a_camera_that_fails_says_why_and_can_be_opened_again() {
    let (mut state, opening) = opening();
    assert_eq!(state.apply(Event::CameraOpened(opening, Err(CameraFault::Denied))), [Action::CloseCamera]);
    assert_eq!(state.camera.view, CameraView::Failed(CameraFault::Denied));
    state.apply(Event::CameraShown(SIZE));
    assert_eq!(state.camera.size(), None, "a late frame");
    state.apply(Event::CameraWanted(Facing::Away));
    state.apply(Event::CameraShown(SIZE));
    assert_eq!(state.apply(Event::CameraFailed(CameraFault::Lost)), [Action::CloseCamera]);
    assert_eq!(state.camera.view, CameraView::Failed(CameraFault::Lost));
    state.apply(Event::CameraClosed);
    assert_eq!(state.apply(Event::CameraFailed(CameraFault::Lost)), [], "after it was closed");
}
