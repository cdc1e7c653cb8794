//! A picture as stored in its file.

use crate::preprocess::DecodedImage;
use crate::preprocess::color::ColorTag;
use image::metadata::Orientation as Transform;

/// An image as stored, with its orientation and colors.
pub(super) struct Stored {
    /// The pixels.
    pub(super) image: DecodedImage,
    /// The transform that turns it upright.
    pub(super) transform: Transform,
    /// Its colors, unless the file says sRGB or nothing.
    pub(super) colors: Option<ColorTag>,
}
