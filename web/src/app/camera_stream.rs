//! The camera's stream: how it is opened, watched and stopped, and the file that is made of its picture.

use crate::canvas;
use crate::crop::PhotoSize;
use crate::state::{CameraFault, Facing};
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

    /// The stream, to be shown.
    pub(super) fn get(self) -> Option<MediaStream> {
        self.0.get()
    }

    pub(super) fn set(self, stream: MediaStream) {
        self.0.set(Some(stream));
    }

    /// Switches the open camera off.
    pub(super) fn close(self) {
        if let Some(stream) = self.0.try_update(Option::take).flatten() {
            stop(&stream);
        }
    }
}

/// Whether this browser gives this page a camera at all. It does so only over HTTPS or on the same machine.
pub fn has_camera() -> bool {
    devices().is_some()
}

/// Calls `on_end` when the stream ends by itself.
pub(super) fn watch_end(stream: &MediaStream, on_end: impl FnOnce() + Copy + 'static) {
    for track in tracks(stream) {
        let lost = Closure::once_into_js(on_end);
        track.set_onended(lost.dyn_ref());
    }
}

/// Absent in pages that are not secure, and in some apps' own browsers.
fn devices() -> Option<MediaDevices> {
    window().navigator().media_devices().ok().filter(|devices| devices.is_object())
}

/// Opens the camera that faces this way.
pub(super) async fn open(facing: Facing) -> Result<MediaStream, CameraFault> {
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
pub(super) async fn n_cameras() -> usize {
    let Some(infos) = devices().and_then(|devices| devices.enumerate_devices().ok()) else { return 0 };
    let infos = JsFuture::from(infos).await.map(|infos| Array::from(&infos)).unwrap_or_default();
    let is_camera = |info: &JsValue| info.unchecked_ref::<MediaDeviceInfo>().kind() == MediaDeviceKind::Videoinput;
    infos.iter().filter(is_camera).count()
}

fn tracks(stream: &MediaStream) -> impl Iterator<Item = MediaStreamTrack> {
    stream.get_tracks().into_iter().map(JsCast::unchecked_into)
}

/// Switches the camera of a stream off.
pub(super) fn stop(stream: &MediaStream) {
    tracks(stream).for_each(|track| track.stop());
}

/// A file of what a video shows, with the local time as its name.
pub(super) async fn file_of(video: &HtmlVideoElement, size: PhotoSize) -> Option<File> {
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
