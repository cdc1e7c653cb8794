//! What set to draw.

use std::path::PathBuf;

/// The smallest picture on which lesions can still be distinguished.
pub(crate) const MIN_IMAGE_SIZE: u32 = 32;

#[derive(Clone, Debug)]
pub struct SynthOptions {
    /// Training pictures; the test files follow from it.
    pub n_images: usize,
    pub seed: u64,
    /// Must not exist or be empty.
    pub out: PathBuf,
    /// Shorter edge, pixels.
    pub image_size: u32,
    pub extras: Extras,
}

/// What is drawn beside the usual set, or otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    /// Pictures without skin.
    pub n_other: usize,
    /// Write where the lesions of the zero-shot pictures are.
    pub has_masks: bool,
    /// Draw small lesions away from the middle.
    pub is_off_center: bool,
}

impl SynthOptions {
    pub const DEFAULT_IMAGE_SIZE: u32 = 224;
}
