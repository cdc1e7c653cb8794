//! The limit of a picture's size, checked from its header.

use super::refusal::damaged;
use crate::preprocess::limits::{MAX_EDGE, MAX_MEGAPIXELS};
use crate::preprocess::memory::check_memory;
use crate::preprocess::pixels::PixelMode;
use crate::{Error, Result};

/// The largest image that is decoded.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    megapixels: u32,
}

impl Limit {
    /// Creates a limit in millions of pixels.
    pub(super) fn megapixels(most: u32) -> Self {
        Self { megapixels: most.min(MAX_MEGAPIXELS) }
    }

    /// Refuses empty sizes and those beyond the limits or the memory.
    pub(super) fn check(self, width: u32, height: u32) -> Result<()> {
        let pixels = u64::from(width) * u64::from(height);
        match pixels {
            0 => Err(damaged(format_args!("an image of {width}x{height} pixels"))),
            _ if pixels > self.pixels() || width.max(height) > MAX_EDGE => {
                let limit_megapixels = self.megapixels;
                Err(Error::ImageTooLarge { width, height, limit_megapixels, limit_edge: MAX_EDGE })
            }
            _ => check_memory(width, height, PixelMode::Rgb.channels()),
        }
    }

    /// Returns the most bytes of a decoder's buffer: pixels of eight bytes, 16-bit RGBA.
    pub(super) fn decoded_bytes(self) -> u64 {
        8 * self.pixels()
    }

    fn pixels(self) -> u64 {
        u64::from(self.megapixels) * 1_000_000
    }
}
