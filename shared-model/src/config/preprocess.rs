//! How an image becomes `pixel_values`, as open_clip and transformers write it.

use super::section::{Inert, Section};
use crate::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How an image becomes `pixel_values` (`preprocess_cfg`, `preprocessor_config.json`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessConfig {
    /// Side S of the square output, in pixels.
    pub image_size: usize,
    /// Mean of each channel, of values in [0, 1].
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    pub std: [f32; 3],
    /// Filter of the resize.
    pub interpolation: Interpolation,
    /// How a rectangle becomes a square.
    pub resize_mode: ResizeMode,
    /// Level of every channel beside an image that does not fill the square ([`ResizeMode::Longest`]).
    #[serde(default, skip_serializing_if = "is_default")]
    pub fill_color: u8,
    /// When pixels become RGB.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rgb_conversion: RgbConversion,
    /// How the offset of a crop is rounded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crop_rounding: CropRounding,
}

/// Resampling filter, antialiased when it shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Keys' cubic with a = -0.5, as Pillow's.
    Bicubic,
    /// The triangle filter.
    Bilinear,
}

/// How a rectangle becomes a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMode {
    /// The short edge is brought to S, then the center is cropped.
    Shortest,
    /// The long edge is brought to S, then the short edge is padded.
    Longest,
    /// Both edges are brought to S; the aspect ratio is lost.
    Squash,
}

/// When pixels become RGB, and what becomes of their alpha.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RgbConversion {
    /// After the resize, which premultiplies alpha and takes the nearest of a palette's colors; alpha is dropped
    /// (open_clip).
    #[default]
    AfterResize,
    /// Before the resize; what is transparent is blended over white (transformers 5).
    OverWhite,
    /// Before the resize; alpha is dropped (transformers 4).
    DropAlpha,
}

/// How half a pixel of a crop's offset is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CropRounding {
    /// To the even neighbor (torchvision, open_clip).
    #[default]
    HalfToEven,
    /// Down (transformers).
    Down,
}

impl PreprocessConfig {
    /// OpenAI's constants, which MAKE and most CLIP models use, at side `image_size`.
    #[allow(clippy::excessive_precision, reason = "the digits as they were published")]
    pub fn openai(image_size: usize) -> Self {
        Self {
            image_size,
            mean: [0.48145466, 0.4578275, 0.40821073],
            std: [0.26862954, 0.26130258, 0.27577711],
            interpolation: Interpolation::Bicubic,
            resize_mode: ResizeMode::Shortest,
            fill_color: 0,
            rgb_conversion: RgbConversion::AfterResize,
            crop_rounding: CropRounding::HalfToEven,
        }
    }

    /// The defaults of transformers' `CLIPImageProcessor`, at side `image_size`.
    pub fn transformers_clip(image_size: usize) -> Self {
        Self {
            rgb_conversion: RgbConversion::OverWhite,
            crop_rounding: CropRounding::Down,
            ..Self::openai(image_size)
        }
    }

    /// The defaults of transformers' `SiglipImageProcessor`, at side `image_size`.
    pub fn transformers_siglip(image_size: usize) -> Self {
        Self {
            mean: [0.5; 3],
            std: [0.5; 3],
            resize_mode: ResizeMode::Squash,
            ..Self::transformers_clip(image_size)
        }
    }

    /// Reads open_clip's `preprocess_cfg`; the tower's `image_size` is the default.
    pub(super) fn from_open_clip(section: &Section, image_size: usize) -> Result<Self> {
        let defaults = Self::openai(image_size);
        let config = Self {
            image_size: section.square("size", image_size)?,
            mean: section.typed("mean", "three numbers")?.unwrap_or(defaults.mean),
            std: section.typed("std", "three numbers")?.unwrap_or(defaults.std),
            interpolation: section
                .typed("interpolation", "\"bicubic\" or \"bilinear\"")?
                .unwrap_or(defaults.interpolation),
            resize_mode: section
                .typed("resize_mode", "\"shortest\", \"longest\" or \"squash\"")?
                .unwrap_or(defaults.resize_mode),
            fill_color: section.typed("fill_color", "an integer of 0 to 255")?.unwrap_or(defaults.fill_color),
            ..defaults
        };
        if config.image_size != image_size {
            return Err(section.error("size", config.image_size, &format!("the tower's image_size, {image_size}")));
        }
        section.refuse_others(&OPEN_CLIP_FIELDS)?;
        config.with_finite_scale(section, "mean", "std")
    }

    /// The `preprocess_cfg` that [`Self::from_open_clip`] reads back as `self`, where open_clip can say it.
    pub(super) fn to_open_clip(&self) -> Value {
        let mut json = json!({
            "size": self.image_size,
            "mode": "RGB",
            "mean": self.mean,
            "std": self.std,
            "interpolation": self.interpolation,
            "resize_mode": self.resize_mode,
        });
        if self.fill_color != 0 {
            json["fill_color"] = self.fill_color.into();
        }
        json
    }

    /// Whether open_clip can say and do what this config says.
    pub fn is_open_clip(&self) -> bool {
        self.rgb_conversion == RgbConversion::AfterResize && self.crop_rounding == CropRounding::HalfToEven
    }

    /// Refuses a mean or a deviation that images cannot be normalized by.
    pub(super) fn with_finite_scale(self, section: &Section, mean: &str, std: &str) -> Result<Self> {
        if self.mean.iter().any(|level| !level.is_finite()) {
            return Err(section.error(mean, json!(self.mean), "finite numbers"));
        }
        if self.std.iter().any(|width| !(width.is_finite() && *width > 0.0)) {
            return Err(section.error(std, json!(self.std), "positive numbers"));
        }
        Ok(self)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn any(_: &Value) -> bool {
    true
}

const OPEN_CLIP_FIELDS: [Inert; 7] = [
    ("size", any),
    ("mean", any),
    ("std", any),
    ("interpolation", any),
    ("resize_mode", any),
    ("fill_color", any),
    ("mode", |value| value == "RGB"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_of_open_clip_is_stored_as_before() {
        let config = PreprocessConfig::openai(32);
        let stored = json!(config);
        assert!(stored.get("rgb_conversion").is_none() && stored.get("fill_color").is_none(), "{stored}");
        assert_eq!(serde_json::from_value::<PreprocessConfig>(stored).unwrap(), config);
        let other = PreprocessConfig::transformers_siglip(32);
        assert_eq!(serde_json::from_value::<PreprocessConfig>(json!(other)).unwrap(), other);
    }
}
