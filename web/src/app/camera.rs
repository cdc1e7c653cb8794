//! The camera is opened and closed, and a photo taken of what it shows.

use super::App;
use super::camera_stream::{file_of, n_cameras, open, stop, watch_end};
use crate::state::{AppState, CameraFault, CameraOpening, Event, Facing, NewPhoto};
use web_sys::{HtmlVideoElement, MediaStream};

impl App {
    /// The stream of the open camera, to be shown.
    pub fn camera_stream(self) -> Option<MediaStream> {
        self.camera.get()
    }

    /// Makes what the camera shows the current photo.
    pub async fn take_photo(self, video: &HtmlVideoElement) {
        let Some(size) = self.read(|state| state.camera.size()) else { return };
        let Some(photo) = file_of(video, size).await else {
            return self.send(Event::CameraFailed(CameraFault::Hidden));
        };
        // A second press, or the dialog was closed meanwhile.
        if self.read(|state| state.camera.size()).is_some() {
            self.set_photo(&photo);
            self.send(Event::PhotoTaken(NewPhoto { name: photo.name() }, size));
        }
    }

    pub(super) async fn open_camera(self, opening: CameraOpening, facing: Facing) {
        self.camera.close();
        let opened = open(facing).await;
        let n_cameras = n_cameras().await;
        let is_wanted = self.read(|state: &AppState| state.is_waiting_for_camera(opening));
        match opened {
            Ok(stream) if is_wanted => {
                watch_end(&stream, move || self.send(Event::CameraFailed(CameraFault::Lost)));
                self.camera.set(stream);
                self.send(Event::CameraOpened(opening, Ok(n_cameras)));
            }
            Ok(stream) => stop(&stream),
            Err(fault) => self.send(Event::CameraOpened(opening, Err(fault))),
        }
    }
}
