//! What a person should look at in an image: faces, and text that is burnt in.

use crate::flags::Flag;
use dermake_pictures::{FaceDetector, has_text};
use shared_model::Result;
use shared_model::preprocess::DecodedImage;

/// Searches images for faces and text.
#[derive(Default)]
pub struct ImageSearch {
    faces: FaceDetector,
}

impl ImageSearch {
    /// Returns what a person should look at, in order.
    ///
    /// # Errors
    /// None for a decoded image.
    pub fn flags(&self, image: &DecodedImage) -> Result<Vec<Flag>> {
        let found = [(self.faces.has_face(image)?, Flag::Face), (has_text(image)?, Flag::TextInImage)];
        Ok(found.into_iter().filter_map(|(is_so, flag)| is_so.then_some(flag)).collect())
    }
}
