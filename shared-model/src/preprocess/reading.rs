//! How pictures are read: as people see them, or as the reference reads them.

/// How the bytes of a picture become pixels.
///
/// | | [`Photo`](Self::Photo) | [`Reference`](Self::Reference) |
/// |---|---|---|
/// | EXIF orientation of JPEG, PNG and WebP | applied | ignored |
/// | color profile (ICC; PNG's `cICP`, `gAMA`, `cHRM`) | converted to sRGB | ignored |
/// | more than 8 bits per sample | scaled to 8 bits | gray above 255 becomes white |
/// | gray and RGB TIFF of 32 bits and more | scaled to 8 bits | an error |
///
/// A TIFF's own orientation tag is always applied: Pillow does so on loading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// As browsers show it; for photos of users.
    Photo,
    /// As the reference opens it with Pillow; for benchmarks and training.
    Reference,
}
