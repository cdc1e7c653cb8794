//! Maps of where a photo is like a text, of a whole model.

use super::ZeroShotModel;
use super::towers::Towers;
use crate::preprocess::normalized;
use crate::similarity_map::SimilarityMap;
use crate::vision::{ImageTrace, VisionTower};
use crate::{Error, Result};
use candle_core::{DType, Tensor};

impl ZeroShotModel {
    /// Checks that the model can make maps.
    ///
    /// # Errors
    /// [`Error::NoMap`] for towers whose image feature is not their class token, and for engines in place of the tower.
    pub fn check_maps(&self) -> Result<()> {
        self.mapping_tower()?.check_maps()
    }

    /// Encodes one image and keeps what maps are made of; the feature is that of [`Self::pixel_features`].
    ///
    /// # Shapes
    /// - `pixels`: `[1, 3, S, S]`, as [`Self::pixel_features`] takes them
    /// - returns `[1, E]` f32, of unit length
    ///
    /// # Errors
    /// As [`Self::pixel_features`] and [`Self::check_maps`].
    pub fn pixel_features_with_trace(&self, pixels: &Tensor) -> Result<(Tensor, ImageTrace)> {
        let tower = self.mapping_tower()?;
        match pixels.dtype() {
            DType::U8 => tower.image_features_with_trace(&normalized(pixels, &self.config.preprocess)?),
            _ => tower.image_features_with_trace(pixels),
        }
    }

    /// Returns where an image is like a text; see [`VisionTower::similarity_map`].
    ///
    /// # Shapes
    /// - `text`: `[E]`, such as [`Classifier::contrast`](crate::zero_shot::Classifier::contrast)
    ///
    /// # Errors
    /// As [`VisionTower::similarity_map`] and [`Self::check_maps`].
    pub fn similarity_map(&self, trace: &ImageTrace, text: &Tensor) -> Result<SimilarityMap> {
        self.mapping_tower()?.similarity_map(trace, text)
    }

    fn mapping_tower(&self) -> Result<&VisionTower> {
        match &self.towers {
            Towers::Own(own) => Ok(&own.vision),
            Towers::Engine(_) => Err(Error::NoMap {
                detail:
                    "it is computed on the CPU alone, and this model was loaded onto a GPU; load it onto the CPU \
                         (--device cpu)"
                        .into(),
            }),
        }
    }
}
