//! A picture as its file has it.

use crate::preprocess::DecodedImage;
use crate::preprocess::color::ColorTag;
use image::metadata::Orientation as Transform;

/// An image as stored, and what its file says of it.
pub(super) struct Stored {
    pub(super) image: DecodedImage,
    /// Turns it upright.
    pub(super) transform: Transform,
    /// Its colors, if they are not said to be sRGB.
    pub(super) colors: Option<ColorTag>,
}
