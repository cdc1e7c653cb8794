//! What the camera's dialog says.

use crate::language::Catalog;
use crate::state::{CameraFault, CameraView};
use crate::texts;

/// What to do with the camera, or why there is no picture and what to do about it. Nothing while it is closed.
pub fn camera(catalog: &Catalog, view: &CameraView) -> String {
    match view {
        CameraView::Closed => String::new(),
        CameraView::Opening => texts::camera_opening(catalog),
        CameraView::Live(_) => texts::camera_hint(catalog),
        CameraView::Failed(fault) => match fault {
            CameraFault::Denied => texts::camera_denied(catalog),
            CameraFault::Missing => texts::camera_missing(catalog),
            CameraFault::Busy => texts::camera_busy(catalog),
            CameraFault::Lost => texts::camera_lost(catalog),
            CameraFault::Hidden => texts::camera_hidden(catalog),
            CameraFault::Other(detail) => texts::camera_failed(catalog, detail),
        },
    }
}
