//! The bytes of the photo: chosen, fetched from the samples, stored and restored. The page never decodes them.

use super::App;
use crate::crop::Crop;
use crate::document::base_url;
use crate::error::{Error, Result, what};
use crate::http;
use crate::state::{AppState, Event, NewPhoto, SampleFetch};
use crate::storage;
use crate::storage::photo::Restored;
use crate::texts::{self, Text};
use crate::worker::protocol::PhotoId;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Blob, BlobPropertyBag, File, RequestCache};

/// The sample pictures in `shared-model/data/samples`: file name and description.
pub const SAMPLES: [(&str, Text); 3] = [
    ("sample-1.jpg", texts::sample_spot),
    ("sample-2.jpg", texts::sample_lesion),
    ("sample-3.jpg", texts::sample_plaque),
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

    /// Whether this crop of this photo is what the model is given now.
    pub(super) fn is_used(self, photo_id: PhotoId, crop: Option<Crop>) -> bool {
        self.state.with_untracked(|state| {
            state.photo.as_ref().is_some_and(|photo| (photo.id, photo.used_crop) == (photo_id, crop))
        })
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
        self.store_crop();
        self.hash_photo(photo.id, &copy).await;
    }

    async fn hash_photo(self, photo_id: PhotoId, file: &Blob) {
        if let Some(sha256) = crate::document::sha256(file).await {
            self.send(Event::PhotoHashed(photo_id, sha256));
        }
    }

    /// Stores the crop of the current photo with it.
    pub(super) fn store_crop(self) {
        let crop = self.state.with_untracked(|state| state.photo.as_ref().and_then(|photo| photo.used_crop));
        storage::photo::store_crop(crop);
    }

    pub(super) async fn restore_photo(self) {
        let (photo, name, crop) = match storage::photo::restore().await {
            Some(Restored::Photo { photo, name, crop }) => (photo, name, crop),
            Some(Restored::GivenUp) => return self.send(Event::InputRefused(Error::PhotoGivenUp)),
            None => return,
        };
        if self.state.with_untracked(AppState::may_restore_photo) {
            self.set_photo(&photo);
            self.send(Event::PhotoRestored(NewPhoto { name }, crop));
            if let Some(photo_id) = self.photo_id() {
                self.hash_photo(photo_id, &photo).await;
            }
        }
    }

    pub(super) fn delete_photo(self) {
        self.pictures.clear();
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

    pub(super) fn set_photo(self, photo: &Blob) {
        self.pictures.clear();
        self.resources.update_value(|resources| resources.photo = Some(photo.clone()));
    }
}

async fn download_sample(sample: usize) -> Result<(String, Blob)> {
    let what = what::SAMPLE;
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
