//! The file inputs of photos.

use crate::app::App;
use crate::state::NewPhoto;
use leptos::ev;
use leptos::prelude::*;
use shared_model::preprocess::PictureFormat;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// Id of the input of the current photo.
pub const PHOTO_INPUT_ID: &str = "photo-input";

/// Id of the part of the page that has the photo.
pub const PHOTO_ID: &str = "photo";

/// Media types that can be decoded. Phones convert other formats to one of these.
pub fn accepted() -> String {
    PictureFormat::ALL.map(PictureFormat::media_type).join(",")
}

/// Makes the file of a file input the current photo.
pub fn choose(app: App, event: &ev::Event) {
    let input: HtmlInputElement = event_target(event);
    if let Some(file) = input.files().and_then(|files| files.get(0)) {
        app.choose(&file, NewPhoto { name: file.name() });
    }
    input.set_value(""); // so that choosing the same file again is an event
}

/// Opens the file dialog of the current photo.
pub fn open_file_dialog() {
    let input = document().get_element_by_id(PHOTO_INPUT_ID);
    if let Some(input) = input.and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
        input.click();
    }
}
