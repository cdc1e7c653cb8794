//! The camera: opened to take a photo of what is in the guide's square, and closed again.

use super::{Action, AppState, NewPhoto};
use crate::crop::{Crop, PhotoSize};

/// Number of an opening of the camera. An older one that is allowed late is closed again.
pub type CameraOpening = u32;

/// Which of a phone's cameras is wanted. Devices with one camera have it for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Facing {
    /// Away from the visitor.
    #[default]
    Away,
    /// Towards the visitor.
    Visitor,
}

/// What the camera's dialog shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CameraView {
    /// There is no dialog.
    #[default]
    Closed,
    /// The browser may be asking whether this page may use the camera.
    Opening,
    /// The camera's picture, of this size.
    Live(PhotoSize),
    Failed(CameraFault),
}

/// Why there is no picture of the camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameraFault {
    /// The visitor, the browser's settings or the page around this one do not allow it.
    Denied,
    /// The device has no camera.
    Missing,
    /// Another program uses it.
    Busy,
    /// It was taken out or switched off, or is no longer allowed.
    Lost,
    /// The browser hides what it shows from pages, against fingerprinting.
    Hidden,
    /// What the browser said.
    Other(String),
}

/// The camera of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Camera {
    pub view: CameraView,
    pub facing: Facing,
    /// Number of cameras of this device.
    pub n_cameras: usize,
    opening: CameraOpening,
}

impl Facing {
    /// The other one.
    pub fn turned(self) -> Self {
        match self {
            Self::Away => Self::Visitor,
            Self::Visitor => Self::Away,
        }
    }
}

impl Camera {
    /// Whether its dialog is open.
    pub fn is_open(&self) -> bool {
        self.view != CameraView::Closed
    }

    /// Size of its picture, if there is one.
    pub fn size(&self) -> Option<PhotoSize> {
        match self.view {
            CameraView::Live(size) => Some(size),
            _ => None,
        }
    }
}

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
