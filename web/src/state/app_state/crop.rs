//! The crop of the current photo, and what the model was given of it.

use super::AppState;
use crate::crop::Crop;
use crate::state::{Action, ModelView, Photo, PhotoHint};
use crate::worker::protocol::PhotoId;

impl AppState {
    /// The crop as the page shows it.
    pub fn crop(&self) -> Option<Crop> {
        self.photo.as_ref()?.crop
    }

    /// Whether the crop that is shown is not the one that the model has been given: the visitor is still moving it.
    pub(super) fn is_framing(&self) -> bool {
        self.photo.as_ref().is_some_and(|photo| photo.crop != photo.used_crop)
    }

    /// What may spoil the answer.
    pub fn photo_hints(&self) -> Vec<PhotoHint> {
        self.photo.as_ref().map(Photo::hints).unwrap_or_default()
    }

    /// Shows another crop. The model is given it once it is settled.
    pub(super) fn change_crop(&mut self, crop: Option<Crop>) -> Vec<Action> {
        if let Some(photo) = &mut self.photo
            && let Some(shown) = photo.shown()
            && crop.is_none_or(|crop| crop.fits(shown.size))
        {
            photo.crop = crop;
        }
        Vec::new()
    }

    /// Gives the model the crop that is shown, unless it has been given it.
    pub(super) fn settle_crop(&mut self) -> Vec<Action> {
        let Some(photo) = self.photo.as_mut().filter(|photo| photo.crop != photo.used_crop) else {
            return Vec::new();
        };
        photo.used_crop = photo.crop;
        let mut actions = self.accept_input();
        actions.push(Action::StoreCrop);
        actions
    }

    /// Records what the model was given.
    pub(super) fn set_view(&mut self, photo_id: PhotoId, view: ModelView) -> Vec<Action> {
        if let Some(photo) =
            self.photo.as_mut().filter(|photo| photo.id == photo_id && photo.used_crop == view.crop)
        {
            photo.view = Some(view);
        }
        Vec::new()
    }
}
