//! The current photo, and what the model was given of it.

use crate::crop::{Crop, PhotoSize};
use crate::error::Error;
use crate::worker::protocol::PhotoId;
use shared_model::preprocess::PhotoQuality;

/// A new photo; its bytes are kept outside of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPhoto {
    /// Name of its file.
    pub name: String,
}

impl From<&str> for NewPhoto {
    fn from(name: &str) -> Self {
        Self { name: name.into() }
    }
}

/// The current photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    pub id: PhotoId,
    pub name: String,
    /// What the worker found when it decoded the photo and made its preview; `None` until the worker has tried.
    pub decoded: Option<Result<DecodedPhoto, Error>>,
    /// The crop that the page shows; `None` for the whole photo.
    pub crop: Option<Crop>,
    /// The crop that the model is given.
    pub used_crop: Option<Crop>,
    /// What the model was given last.
    pub view: Option<ModelView>,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: Option<String>,
    /// Whether it was restored, and the page has not yet computed anything from it.
    pub is_suspect: bool,
}

/// What the worker found when it decoded a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodedPhoto {
    pub size: PhotoSize,
    /// Quality of the whole photo, scaled down.
    pub quality: PhotoQuality,
}

/// What the model was given of the current photo. The worker reports it before the answer or soon after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelView {
    pub crop: Option<Crop>,
    /// Width and height, in pixels.
    pub side: u32,
    pub quality: PhotoQuality,
}

/// What may spoil an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoHint {
    Dark,
    Blurred,
    FewPixels,
}

impl Photo {
    /// What the worker found, if it could decode the photo. It then made its preview.
    pub fn shown(&self) -> Option<DecodedPhoto> {
        self.decoded.as_ref()?.as_ref().ok().copied()
    }

    /// Whether the photo cannot be classified.
    pub fn is_refused(&self) -> bool {
        matches!(self.decoded, Some(Err(_)))
    }

    /// What may spoil the answer.
    pub(super) fn hints(&self) -> Vec<PhotoHint> {
        let view = self.view.filter(|view| view.crop == self.crop);
        let Some(quality) = view.map(|view| view.quality).or_else(|| Some(self.shown()?.quality)) else {
            return Vec::new();
        };
        let n_pixels = self.crop.map(|crop| crop.side).or_else(|| self.shown().map(|shown| shown.size.shorter()));
        let is_small = view.zip(n_pixels).is_some_and(|(view, n_pixels)| 2 * n_pixels < view.side);
        [
            (quality.is_dark(), PhotoHint::Dark),
            (quality.is_blurred(), PhotoHint::Blurred),
            (is_small, PhotoHint::FewPixels),
        ]
        .into_iter()
        .filter_map(|(applies, hint)| applies.then_some(hint))
        .collect()
    }
}
