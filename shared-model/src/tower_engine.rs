//! Towers that are computed by something else than this library, such as kernels for a GPU.

#[cfg(doc)]
use crate::ZeroShotModel;
use candle_core::{Result, Tensor};

/// Both towers of one model, forward only; [`ZeroShotModel`] computes with it in place of its own towers.
pub trait TowerEngine: Send + Sync {
    /// Encodes images.
    ///
    /// # Shapes
    /// - `pixels`: `[B, 3, S, S]`, RGB in u8 or normalized in f32
    /// - returns `[B, E]` f32, not normalized to unit length
    ///
    /// # Errors
    /// When the batch does not fit into memory, or the device fails.
    fn raw_image_features(&self, pixels: &Tensor) -> Result<Tensor>;

    /// Encodes texts.
    ///
    /// # Shapes
    /// - `input_ids`: one row a text; what follows the end token is left out
    /// - returns `[B, E]` f32, not normalized to unit length
    ///
    /// # Errors
    /// As [`Self::raw_image_features`].
    fn raw_text_features(&self, input_ids: &[Vec<u32>]) -> Result<Tensor>;

    /// Number of texts to pass at once.
    fn texts_at_once(&self) -> usize;
}
