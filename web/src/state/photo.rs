//! The photo: chosen, taken out of samples, restored after a reload, removed.

use super::{Action, AppState, NewPhoto, Photo, SampleFetch};
use crate::error::{Error, WayOn};
use crate::worker::protocol::PhotoId;

impl AppState {
    /// Whether this sample is still wanted when it arrives.
    pub fn awaits(&self, fetch: SampleFetch) -> bool {
        self.sample_fetch == Some(fetch)
    }

    /// Whether nothing was chosen yet, so that the photo of before a reload may come back.
    pub fn may_restore_photo(&self) -> bool {
        self.last_photo_id == 0
    }

    pub(super) fn choose_photo(&mut self, photo: NewPhoto) -> Vec<Action> {
        let mut actions = self.show_photo(photo);
        actions.push(Action::KeepPhoto);
        actions
    }

    pub(super) fn restore_photo(&mut self, photo: NewPhoto) -> Vec<Action> {
        if self.may_restore_photo() { self.show_photo(photo) } else { Vec::new() }
    }

    pub(super) fn remove_photo(&mut self) -> Vec<Action> {
        self.last_photo_id += 1;
        (self.photo, self.sample_fetch, self.failed_sample) = (None, None, None);
        let mut actions = self.go_on();
        actions.push(Action::ForgetPhoto);
        actions
    }

    pub(super) fn fetch_sample(&mut self, sample: usize) -> Vec<Action> {
        self.last_photo_id += 1;
        let fetch = SampleFetch { sample, ticket: self.last_photo_id };
        (self.photo, self.sample_fetch, self.failed_sample) = (None, Some(fetch), None);
        self.go_on();
        vec![Action::FetchSample(fetch)]
    }

    pub(super) fn take_sample(&mut self, fetch: SampleFetch, name: Result<String, Error>) -> Vec<Action> {
        if !self.awaits(fetch) {
            return Vec::new();
        }
        match name {
            Ok(name) => self.choose_photo(NewPhoto { name, n_others: 0 }),
            Err(error) => {
                (self.sample_fetch, self.failed_sample) = (None, Some(fetch.sample));
                self.refuse(error)
            }
        }
    }

    /// Takes in that the worker made a preview of a photo, or that it is none. What keeps the worker from opening a photo
    /// otherwise is told when the model is to look at it.
    pub(super) fn open_photo(&mut self, photo_id: PhotoId, opened: Result<(), Error>) -> Vec<Action> {
        let is_settled = opened.as_ref().err().is_none_or(|error| error.way_on() == WayOn::OtherPhoto);
        if let Some(photo) = self.photo.as_mut().filter(|photo| photo.id == photo_id && is_settled) {
            photo.opened = Some(opened);
        }
        Vec::new()
    }

    /// Has the worker open a photo that it has not seen, while the model or the labels are still to come: it is shown, or
    /// refused, long before the model could look at it.
    pub(super) fn open_photo_early(&self) -> Option<Action> {
        let photo = self.photo.as_ref().filter(|photo| photo.opened.is_none())?;
        let can_classify = self.is_loaded && self.label_set().is_some();
        (self.start.is_over() && !can_classify).then_some(Action::OpenPhoto(photo.id))
    }

    fn show_photo(&mut self, NewPhoto { name, n_others }: NewPhoto) -> Vec<Action> {
        self.last_photo_id += 1;
        self.photo = Some(Photo { id: self.last_photo_id, name, n_others, opened: None });
        (self.sample_fetch, self.failed_sample) = (None, None);
        let mut actions = self.go_on();
        actions.extend(self.open_photo_early());
        actions
    }
}
