//! The largest pictures that are decoded and made.

/// The largest image that is decoded, in millions of pixels: phones take photos of 200.
///
/// In wasm less, because a phone's browser has room for a photo of 108 megapixels, but not of 200.
pub const MAX_MEGAPIXELS: u32 = if cfg!(target_arch = "wasm32") { 128 } else { 256 };

/// The longest edge that is decoded, in pixels.
pub const MAX_EDGE: u32 = 1_000_000;

/// [`MAX_MEGAPIXELS`] in pixels.
pub(super) const MAX_PIXELS: u64 = MAX_MEGAPIXELS as u64 * 1_000_000;
