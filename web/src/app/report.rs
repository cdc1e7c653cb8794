//! The result, printed, saved and shared.

use super::App;
use crate::document::{page_build, save_file, server_name};
use crate::report::{Report, ReportContext};
use crate::sentences;
use crate::state::AppState;
use js_sys::{Array, Reflect};
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, FilePropertyBag, ShareData};

impl App {
    /// The result that the page shows.
    pub fn report(self) -> Memo<Option<Report>> {
        self.watch(report_of)
    }

    /// Shares a result with another program of the device: its text, and the photo without metadata.
    ///
    /// Returns whether it was shared or the visitor changed their mind.
    pub async fn share(self, report: Report) -> bool {
        let data = ShareData::new();
        data.set_title("Dermake");
        data.set_text(&sentences::shared_text(&self.texts_now(), &report));
        if let Some(photo) = self.pictures.preview.file().and_then(|photo| as_file(&photo)) {
            data.set_files(&Array::of1(&photo));
            if !window().navigator().can_share_with_data(&data) {
                data.set_files(&Array::new());
            }
        }
        match JsFuture::from(window().navigator().share_with_data(&data)).await {
            Ok(_) => true,
            Err(err) => Reflect::get(&err, &"name".into()).is_ok_and(|name| name == "AbortError"),
        }
    }
}

/// The result that the state shows.
pub(super) fn report_of(state: &AppState) -> Option<Report> {
    let answered_at = state.answer.as_ref()?.finished_at;
    let answered_at = js_sys::Date::new(&answered_at.into()).to_iso_string().into();
    let server = state.is_on_server.then(server_name);
    Report::of(state, ReportContext { answered_at, page_build: page_build(), server })
}

/// Saves a result as a file.
pub fn save(report: &Report) {
    save_file(&report.file_name(), "application/json", &report.to_json());
}

/// Whether this browser can share.
pub fn can_share() -> bool {
    Reflect::has(&window().navigator(), &"share".into()).unwrap_or_default()
}

fn as_file(photo: &Blob) -> Option<File> {
    let options = FilePropertyBag::new();
    options.set_type("image/png");
    File::new_with_blob_sequence_and_options(&Array::of1(photo), "photo.png", &options).ok()
}
