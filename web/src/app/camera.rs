//! The camera's stream, and the photo that is taken from it.

use super::App;
use crate::canvas;
use crate::crop::PhotoSize;
use crate::state::{AppState, CameraFault, CameraOpening, Event, Facing, NewPhoto};
use js_sys::{Array, Date};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, File, FilePropertyBag, HtmlVideoElement, MediaDeviceInfo, MediaDeviceKind, MediaDevices,
    MediaStream, MediaStreamConstraints, MediaStreamTrack, MediaTrackConstraints,
};

/// The size to ask for. The nearest that the camera has is used.
const WANTED_SIZE: PhotoSize = PhotoSize { width: 1920, height: 1440 };

/// The stream of the open camera.
#[derive(Clone, Copy)]
pub struct CameraStream(RwSignal<Option<MediaStream>, LocalStorage>);

impl CameraStream {
    pub(super) fn new() -> Self {
        Self(RwSignal::new_local(None))
    }
}

/// Whether this browser gives this page a camera at all. It does so only over HTTPS or on the same machine.
pub fn has_camera() -> bool {
    devices().is_some()
}

impl App {
    /// The stream of the open camera, to be shown.
    pub fn camera_stream(self) -> Option<MediaStream> {
        self.camera.0.get()
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
        self.close_camera();
        let opened = open(facing).await;
        let n_cameras = n_cameras().await;
        let is_wanted = self.read(|state: &AppState| state.is_waiting_for_camera(opening));
        match opened {
            Ok(stream) if is_wanted => {
                self.watch_end(&stream);
                self.camera.0.set(Some(stream));
                self.send(Event::CameraOpened(opening, Ok(n_cameras)));
            }
            Ok(stream) => stop(&stream),
            Err(fault) => self.send(Event::CameraOpened(opening, Err(fault))),
        }
    }

    pub(super) fn close_camera(self) {
        if let Some(stream) = self.camera.0.try_update(Option::take).flatten() {
            stop(&stream);
        }
    }

    /// Sends [`Event::CameraFailed`] when the stream ends by itself.
    fn watch_end(self, stream: &MediaStream) {
        for track in tracks(stream) {
            let lost = Closure::once_into_js(move || self.send(Event::CameraFailed(CameraFault::Lost)));
            track.set_onended(lost.dyn_ref());
        }
    }
}

/// Absent in pages that are not secure, and in some apps' own browsers.
fn devices() -> Option<MediaDevices> {
    window().navigator().media_devices().ok().filter(|devices| devices.is_object())
}

async fn open(facing: Facing) -> Result<MediaStream, CameraFault> {
    let video = MediaTrackConstraints::new();
    let facing = match facing {
        Facing::Away => "environment",
        Facing::Visitor => "user",
    };
    video.set_facing_mode(&facing.into());
    video.set_width(&WANTED_SIZE.width.into());
    video.set_height(&WANTED_SIZE.height.into());
    let wanted = MediaStreamConstraints::new();
    wanted.set_video(&video);
    let devices = devices().ok_or(CameraFault::Missing)?;
    let stream = devices.get_user_media_with_constraints(&wanted).map_err(|err| fault(&err))?;
    Ok(JsFuture::from(stream).await.map_err(|err| fault(&err))?.unchecked_into())
}

/// Returns the fault for an exception of `getUserMedia`.
fn fault(err: &JsValue) -> CameraFault {
    let Some(exception) = err.dyn_ref::<DomException>() else { return CameraFault::Other(format!("{err:?}")) };
    match exception.name().as_str() {
        "NotAllowedError" | "SecurityError" => CameraFault::Denied,
        "NotFoundError" | "OverconstrainedError" => CameraFault::Missing,
        "NotReadableError" | "AbortError" => CameraFault::Busy,
        name => CameraFault::Other(format!("{name}: {}", exception.message())),
    }
}

/// Browsers tell the number of cameras once one of them is allowed.
async fn n_cameras() -> usize {
    let Some(infos) = devices().and_then(|devices| devices.enumerate_devices().ok()) else { return 0 };
    let infos = JsFuture::from(infos).await.map(|infos| Array::from(&infos)).unwrap_or_default();
    let is_camera = |info: &JsValue| info.unchecked_ref::<MediaDeviceInfo>().kind() == MediaDeviceKind::Videoinput;
    infos.iter().filter(is_camera).count()
}

fn tracks(stream: &MediaStream) -> impl Iterator<Item = MediaStreamTrack> {
    stream.get_tracks().into_iter().map(JsCast::unchecked_into)
}

fn stop(stream: &MediaStream) {
    tracks(stream).for_each(|track| track.stop());
}

/// A file of what a video shows, with the local time as its name.
async fn file_of(video: &HtmlVideoElement, size: PhotoSize) -> Option<File> {
    let jpeg = canvas::jpeg_of_video(video, size).await?;
    let now = Date::new_0();
    let name = format!(
        "photo-{}-{:02}-{:02}-{:02}{:02}{:02}.jpg",
        now.get_full_year(),
        now.get_month() + 1,
        now.get_date(),
        now.get_hours(),
        now.get_minutes(),
        now.get_seconds()
    );
    let options = FilePropertyBag::new();
    options.set_type(&jpeg.type_());
    File::new_with_blob_sequence_and_options(&Array::of1(&jpeg), &name, &options).ok()
}
