//! The camera, and what its dialog shows.

use crate::crop::PhotoSize;

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
    pub(super) opening: CameraOpening,
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
