//! The decoded photo, kept until the model looks at it, and then while it is cropped, so that it is not decoded again.

use super::protocol::PhotoId;
use shared_model::preprocess::DecodedImage;
use std::cell::{Cell, RefCell};

/// Photos up to this many pixels stay decoded: 100 MB at four bytes a pixel.
const MAX_KEPT_PIXELS: u64 = 25_000_000;

/// The decoded photo, and which photo the page has a preview of.
#[derive(Default)]
pub struct DecodedPhotos {
    previewed: Cell<Option<PhotoId>>,
    kept: RefCell<Option<(PhotoId, DecodedImage)>>,
}

impl DecodedPhotos {
    /// Returns this photo if it is kept, and keeps none.
    pub fn take(&self, photo_id: PhotoId) -> Option<DecodedImage> {
        self.kept.take().filter(|(id, _)| *id == photo_id).map(|(_, image)| image)
    }

    /// Keeps this photo, unless it is too large, in place of an earlier one.
    pub fn keep(&self, photo_id: PhotoId, image: DecodedImage) {
        let n_pixels = u64::from(image.width()) * u64::from(image.height());
        *self.kept.borrow_mut() = (n_pixels <= MAX_KEPT_PIXELS).then_some((photo_id, image));
    }

    /// Returns whether the page still needs a preview of this photo, and notes that it gets one now.
    pub fn begin_preview(&self, photo_id: PhotoId) -> bool {
        self.previewed.replace(Some(photo_id)) != Some(photo_id)
    }
}
