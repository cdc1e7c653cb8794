//! The bytes of the photo: chosen, fetched from the samples, stored and restored. The page never decodes them.

use super::App;
use crate::document::base_url;
use crate::error::{Error, Result};
use crate::http;
use crate::state::{AppState, Event, NewPhoto, SampleFetch};
use crate::storage;
use crate::worker::protocol::PhotoId;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Blob, BlobPropertyBag, File, RequestCache, Url};

/// The sample pictures in `shared-model/data/samples`: file name and description.
pub const SAMPLES: [(&str, &str); 3] = [
    ("sample-1.jpg", "a round brown spot"),
    ("sample-2.jpg", "an irregular dark lesion"),
    ("sample-3.jpg", "a scaly plaque"),
];

impl App {
    /// Makes a file the current photo.
    pub fn choose(self, file: &File, photo: NewPhoto) {
        self.set_photo(file);
        self.send(Event::PhotoChosen(photo));
    }

    pub(super) fn photo(self) -> Option<Blob> {
        self.resources.with_value(|resources| resources.photo.clone())
    }

    /// Id of the current photo.
    pub(super) fn photo_id(self) -> Option<PhotoId> {
        self.state.with_untracked(|state| Some(state.photo.as_ref()?.id))
    }

    /// Replaces the URL of the preview, and revokes the old one.
    pub(super) fn set_preview(self, preview: Option<&Blob>) {
        let url = preview.and_then(|preview| Url::create_object_url_with_blob(preview).ok());
        if let Some(old) = self.preview_url.try_update(|current| std::mem::replace(current, url)).flatten() {
            // Revoking fails only for URLs that were not created here.
            let _ = Url::revoke_object_url(&old);
        }
    }

    /// Stores the current photo for this tab.
    pub(super) async fn store_photo(self) {
        let photo = self.state.with_untracked(|state| state.photo.clone());
        let (Some(photo), Some(file)) = (photo, self.photo()) else { return };
        let is_current = || self.photo_id() == Some(photo.id);
        // The file on disk may change or vanish before another model classifies it.
        let Some(copy) = storage::photo::copy(&file).await.filter(|_| is_current()) else { return };
        self.resources.update_value(|resources| resources.photo = Some(copy.clone()));
        storage::photo::store(&copy, &photo.name, is_current).await;
    }

    pub(super) async fn restore_photo(self) {
        let Some((photo, name)) = storage::photo::restore().await else { return };
        if self.state.with_untracked(AppState::may_restore_photo) {
            self.set_photo(&photo);
            self.send(Event::PhotoRestored(NewPhoto { name, n_others: 0 }));
        }
    }

    pub(super) fn delete_photo(self) {
        self.set_preview(None);
        self.resources.update_value(|resources| resources.photo = None);
        spawn_local(storage::photo::delete());
    }

    pub(super) async fn fetch_sample(self, fetch: SampleFetch) {
        let name = download_sample(fetch.sample).await.map(|(name, photo)| {
            if self.state.with_untracked(|state| state.is_waiting_for(fetch)) {
                self.set_photo(&photo);
            }
            name
        });
        self.send(Event::SampleFetched(fetch, name));
    }

    fn set_photo(self, photo: &Blob) {
        self.set_preview(None);
        self.resources.update_value(|resources| resources.photo = Some(photo.clone()));
    }
}

async fn download_sample(sample: usize) -> Result<(String, Blob)> {
    let what = "the sample";
    let (name, _) = SAMPLES.get(sample).ok_or_else(|| Error::Refused { what: what.into(), status: 404 })?;
    let url = http::resolve(&format!("samples/{name}"), &base_url())?;
    let response = http::get(&url, RequestCache::Default, what).await?;
    let content = http::bytes(&response, what).await?;
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(content.as_slice()));
    let options = BlobPropertyBag::new();
    options.set_type("image/jpeg");
    let photo = Blob::new_with_u8_array_sequence_and_options(&parts, &options)
        .map_err(|_| Error::OutOfMemory { what: what.into() })?;
    Ok((name.to_string(), photo))
}
