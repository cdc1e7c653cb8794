//! What set to draw.

use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct SynthOptions {
    /// Training pictures; the test files follow from it.
    pub n_images: usize,
    pub seed: u64,
    /// Must not exist or be empty.
    pub out: PathBuf,
    /// Shorter edge, pixels.
    pub image_size: u32,
}

impl SynthOptions {
    pub const DEFAULT_IMAGE_SIZE: u32 = 224;
}
