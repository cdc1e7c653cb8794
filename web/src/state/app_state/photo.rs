//! The photo is chosen, fetched from the samples, restored after a reload, removed.

use super::AppState;
use crate::crop::Crop;
use crate::error::{Error, Remedy};
use crate::state::{Action, DecodedPhoto, NewPhoto, Phase, Photo, SampleFetch};
use crate::worker::protocol::PhotoId;

impl AppState {
    /// Whether the page still waits for this sample.
    pub fn is_waiting_for(&self, fetch: SampleFetch) -> bool {
        self.sample_fetch == Some(fetch)
    }

    /// Whether the photo from before a reload may be restored: nothing has been chosen yet.
    pub fn may_restore_photo(&self) -> bool {
        self.last_photo_id == 0
    }

    pub(super) fn choose_photo(&mut self, photo: NewPhoto, crop: Option<Crop>) -> Vec<Action> {
        if let Some(batch) = &mut self.batch {
            batch.close();
        }
        let mut actions = self.close_camera();
        actions.extend(self.set_photo(photo, crop));
        actions.push(Action::StorePhoto);
        actions
    }

    pub(super) fn restore_photo(&mut self, photo: NewPhoto, crop: Option<Crop>) -> Vec<Action> {
        if !self.may_restore_photo() {
            return Vec::new();
        }
        let actions = self.set_photo(photo, crop);
        self.photo = self.photo.take().map(|photo| Photo { is_suspect: true, ..photo });
        actions
    }

    /// After a restored photo was decoded, and classified if it can be, or after an error: the page did not end with it.
    pub(super) fn clear_suspicion(&mut self) -> Option<Action> {
        let is_idle = matches!(self.phase, Phase::Ready);
        let is_over = self.answer.is_some() || matches!(self.phase, Phase::Failed(_));
        let photo = self.photo.as_mut().filter(|photo| photo.is_suspect)?;
        if !(is_over || is_idle && photo.decoded.is_some()) {
            return None;
        }
        photo.is_suspect = false;
        Some(Action::ClearSuspicion)
    }

    pub(super) fn remove_photo(&mut self) -> Vec<Action> {
        self.last_photo_id += 1;
        (self.photo, self.sample_fetch, self.failed_sample) = (None, None, None);
        let mut actions = self.accept_input();
        actions.push(Action::DeletePhoto);
        actions
    }

    pub(super) fn fetch_sample(&mut self, sample: usize) -> Vec<Action> {
        self.last_photo_id += 1;
        let fetch = SampleFetch { sample, id: self.last_photo_id };
        (self.photo, self.sample_fetch, self.failed_sample) = (None, Some(fetch), None);
        self.accept_input();
        vec![Action::FetchSample(fetch)]
    }

    pub(super) fn receive_sample(&mut self, fetch: SampleFetch, name: Result<String, Error>) -> Vec<Action> {
        if !self.is_waiting_for(fetch) {
            return Vec::new();
        }
        match name {
            Ok(name) => self.choose_photo(NewPhoto { name }, None),
            Err(error) => {
                (self.sample_fetch, self.failed_sample) = (None, Some(fetch.sample));
                self.refuse_input(error)
            }
        }
    }

    /// Records whether the worker could decode a photo. Errors that another photo does not remedy, such as missing
    /// memory, are not recorded: they are shown if they occur again when the photo is classified.
    pub(super) fn set_decoded(&mut self, photo_id: PhotoId, decoded: Result<DecodedPhoto, Error>) -> Vec<Action> {
        let is_final = decoded.as_ref().err().is_none_or(|error| error.remedy() == Remedy::OtherPhoto);
        if let Some(photo) = self.photo.as_mut().filter(|photo| photo.id == photo_id && is_final) {
            photo.decoded = Some(decoded);
        }
        Vec::new()
    }

    pub(super) fn set_hash(&mut self, photo_id: PhotoId, sha256: String) -> Vec<Action> {
        if let Some(photo) = self.photo.as_mut().filter(|photo| photo.id == photo_id) {
            photo.sha256 = Some(sha256);
        }
        Vec::new()
    }

    /// Has the worker decode the current photo while the model or the labels are missing, so that it is shown or
    /// refused before it can be classified.
    pub(super) fn decode_photo_early(&self) -> Option<Action> {
        let photo = self.photo.as_ref().filter(|photo| photo.decoded.is_none())?;
        let can_classify = self.is_loaded && self.label_set().is_some();
        (self.start.is_over() && !can_classify).then_some(Action::DecodePhoto(photo.id))
    }

    fn set_photo(&mut self, NewPhoto { name }: NewPhoto, crop: Option<Crop>) -> Vec<Action> {
        self.last_photo_id += 1;
        let id = self.last_photo_id;
        self.photo = Some(Photo {
            id,
            name,
            decoded: None,
            crop,
            used_crop: crop,
            view: None,
            sha256: None,
            is_suspect: false,
        });
        (self.sample_fetch, self.failed_sample) = (None, None);
        let mut actions = self.accept_input();
        actions.extend(self.decode_photo_early());
        actions
    }
}
