//! What computes the features of a model: towers of this library, or an engine in their place.

use crate::config::PreprocessConfig;
use crate::preprocess::normalized;
use crate::text::TextTower;
use crate::text_batches::TextEncoder;
use crate::tower_engine::TowerEngine;
use crate::transformer::unit_length;
use crate::vision::VisionTower;
use crate::{Error, Result, finite};
use candle_core::{DType, Tensor};

/// The towers of a model.
pub(super) enum Towers {
    Own(Box<OwnTowers>),
    Engine(Box<dyn TowerEngine>),
}

/// Towers of this library.
pub(super) struct OwnTowers {
    pub vision: VisionTower,
    pub text: Option<TextTower>,
}

impl Towers {
    pub fn own(vision: VisionTower, text: Option<TextTower>) -> Self {
        Self::Own(Box::new(OwnTowers { vision, text }))
    }

    /// # Errors
    /// [`Error::TextTowerMissing`] when the text tower was not added.
    pub fn text_encoder(&self) -> Result<&dyn TextEncoder> {
        match self {
            Self::Own(own) => own.text.as_ref().map(|text| text as &dyn TextEncoder).ok_or(Error::TextTowerMissing),
            Self::Engine(engine) => Ok(engine),
        }
    }

    /// Encodes images; returns their features `[B, E]` f32, rows of unit length.
    ///
    /// # Shapes
    /// - `pixels`: `[B, 3, S, S]`, RGB in u8, which are normalized as `config` says, or normalized in f32
    pub fn image_features(&self, pixels: &Tensor, config: &PreprocessConfig) -> Result<Tensor> {
        match self {
            Self::Own(own) if pixels.dtype() == DType::U8 => {
                own.vision.image_features(&normalized(pixels, config)?)
            }
            Self::Own(own) => own.vision.image_features(pixels),
            Self::Engine(engine) => {
                let raw = engine.raw_image_features(pixels)?;
                finite::check_features("image features", &raw)?;
                unit_length(&raw)
            }
        }
    }

    /// Encodes images; returns their features `[B, E]` f32 as the tower gives them, not of unit length.
    ///
    /// # Shapes
    /// - `pixel_values`: `[B, 3, S, S]`, normalized
    pub fn raw_image_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let raw = match self {
            Self::Own(own) => own.vision.encode(pixel_values)?.raw_image_features,
            Self::Engine(engine) => engine.raw_image_features(pixel_values)?,
        };
        finite::check_features("image features", &raw)?;
        Ok(raw)
    }

    /// Encodes images; returns their pooled tokens `[B, D]` f32, before the projection.
    ///
    /// # Shapes
    /// - `pixel_values`: `[B, 3, S, S]`, normalized
    pub fn pooled_image_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        match self {
            Self::Own(own) => own.vision.pooled_features(pixel_values),
            Self::Engine(_) => Err(Error::Tensor(candle_core::Error::Msg(
                "features before the projection are computed on the CPU alone, and this model was loaded onto a GPU; \
                 load it onto the CPU (--device cpu)"
                    .into(),
            ))),
        }
    }
}
