//! The camera is opened to take a photo of what is in the guide's square, and closed again.

use super::AppState;
use crate::crop::{Crop, PhotoSize};
use crate::state::{Action, Camera, CameraFault, CameraOpening, CameraView, Facing, NewPhoto};

impl AppState {
    /// Whether the page still waits for this opening.
    pub fn is_waiting_for_camera(&self, opening: CameraOpening) -> bool {
        self.camera.view == CameraView::Opening && self.camera.opening == opening
    }

    pub(super) fn open_camera(&mut self, facing: Facing) -> Vec<Action> {
        let opening = self.camera.opening + 1;
        self.camera = Camera { view: CameraView::Opening, facing, opening, ..self.camera };
        vec![Action::OpenCamera { opening, facing }]
    }

    pub(super) fn receive_camera(
        &mut self,
        opening: CameraOpening,
        n_cameras: Result<usize, CameraFault>,
    ) -> Vec<Action> {
        if !self.is_waiting_for_camera(opening) {
            return Vec::new();
        }
        match n_cameras {
            Ok(n_cameras) => {
                self.camera.n_cameras = n_cameras;
                Vec::new()
            }
            Err(fault) => self.fail_camera(fault),
        }
    }

    /// Records the size of the camera's picture, which changes when a phone is turned.
    pub(super) fn show_camera(&mut self, size: PhotoSize) -> Vec<Action> {
        let has_picture = matches!(self.camera.view, CameraView::Opening | CameraView::Live(_));
        if has_picture && size.shorter() > 0 {
            self.camera.view = CameraView::Live(size);
        }
        Vec::new()
    }

    pub(super) fn fail_camera(&mut self, fault: CameraFault) -> Vec<Action> {
        if !self.camera.is_open() {
            return Vec::new();
        }
        self.camera.view = CameraView::Failed(fault);
        vec![Action::CloseCamera]
    }

    pub(super) fn close_camera(&mut self) -> Vec<Action> {
        if !self.camera.is_open() {
            return Vec::new();
        }
        self.camera.view = CameraView::Closed;
        vec![Action::CloseCamera]
    }

    /// Makes what the camera shows the current photo; the model is given the guide's square.
    pub(super) fn take_photo(&mut self, photo: NewPhoto, size: PhotoSize) -> Vec<Action> {
        self.choose_photo(photo, Some(Crop::first(size)))
    }
}
