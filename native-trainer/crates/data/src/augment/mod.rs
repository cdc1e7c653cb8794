//! Random views of the training images, as the reference draws them.
//!
//! A crop of random size and shape, resized; then RGB; then, with a probability each, shifted colors and gray; then
//! normalized. The operations equal torchvision's on Pillow images; the random numbers are this program's own.

mod color;
mod crop;

pub use color::{ColorOperation, apply, jitter_steps};
pub use crop::sample_crop;

use anyhow::{Result, bail};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{DecodedImage, RgbImage8, resample, resize_and_crop};

/// Random changes of training images; the defaults are those of the published run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Whether to crop at random; if not, the center is cropped, as in evaluation.
    pub random_crop: bool,
    /// Smallest and largest share of the image's area that the crop has, within 0 and 1.
    pub scale: [f64; 2],
    /// Smallest and largest width of the crop, in heights.
    pub ratio: [f64; 2],
    /// Largest change of brightness, contrast and saturation (0.32 is a factor of 0.68 to 1.32) and of hue (0.08 of
    /// the color circle to either side, at most 0.5).
    pub color_jitter: [f64; 4],
    /// Probability that colors are changed; 0 is never.
    pub color_jitter_prob: f64,
    /// Probability that the image turns gray; 0 is never.
    pub gray_scale_prob: f64,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            random_crop: true,
            scale: [0.4, 1.0],
            ratio: [3.0 / 4.0, 4.0 / 3.0],
            color_jitter: [0.32, 0.32, 0.32, 0.08],
            color_jitter_prob: 0.8,
            gray_scale_prob: 0.2,
        }
    }
}

impl Augmentation {
    /// No variation at all: the evaluation's transform.
    pub fn off() -> Self {
        Self { random_crop: false, color_jitter_prob: 0.0, gray_scale_prob: 0.0, ..Self::default() }
    }

    /// # Errors
    /// Says which value is outside its range.
    pub fn validate(&self) -> Result<()> {
        let is_range = |[low, high]: [f64; 2], max: f64| 0.0 < low && low <= high && high <= max;
        if !is_range(self.scale, 1.0) {
            bail!("`scale` is {:?}, expected two rising shares above 0, at most 1", self.scale);
        }
        if !is_range(self.ratio, 1000.0) {
            bail!("`ratio` is {:?}, expected two rising ratios above 0, at most 1000", self.ratio);
        }
        let [brightness, contrast, saturation, hue] = self.color_jitter;
        let are_amounts = [brightness, contrast, saturation].iter().all(|amount| (0.0..=100.0).contains(amount));
        if !are_amounts || !(0.0..=0.5).contains(&hue) {
            bail!(
                "`color_jitter` is {:?}, expected three amounts of 0 to 100 and a hue of 0 to 0.5",
                self.color_jitter
            );
        }
        for (name, probability) in
            [("color_jitter_prob", self.color_jitter_prob), ("gray_scale_prob", self.gray_scale_prob)]
        {
            if !(0.0..=1.0).contains(&probability) {
                bail!("`{name}` is {probability}, expected 0 to 1");
            }
        }
        Ok(())
    }
}

/// Draws a random view of `image`.
///
/// # Shapes
/// - returns u8 `[S, S, 3]` (HWC), RGB
///
/// # Errors
/// If the config's image size is too large.
pub fn augment(
    image: &DecodedImage,
    augmentation: &Augmentation,
    preprocess: &PreprocessConfig,
    rng: &mut impl Rng,
) -> shared_model::Result<RgbImage8> {
    let view = if augmentation.random_crop {
        let crop = sample_crop(image.width(), image.height(), augmentation.scale, augmentation.ratio, rng);
        let side = u32::try_from(preprocess.image_size).unwrap_or(u32::MAX);
        resample(image, crop, side, side, preprocess.interpolation)?.to_rgb()
    } else {
        resize_and_crop(image, preprocess)?
    };
    // Drawn whether used or not, so that one setting does not change the other's random numbers.
    let steps = jitter_steps(augmentation.color_jitter, rng);
    let (jitter_draw, gray_draw): (f64, f64) = (rng.random(), rng.random());
    let mut operations = Vec::with_capacity(steps.len() + 1);
    if jitter_draw < augmentation.color_jitter_prob {
        operations.extend(steps);
    }
    if gray_draw < augmentation.gray_scale_prob {
        operations.push(ColorOperation::Gray);
    }
    Ok(apply(view, &operations))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn picture() -> DecodedImage {
        let bytes = (0..60 * 40).flat_map(|i: u32| [i % 251, i * 7 % 253, i / 60 * 5]).map(|v| v as u8).collect();
        RgbImage8::new(60, 40, bytes).unwrap().into()
    }

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    #[test]
    fn one_seed_is_one_view() {
        let preprocess = PreprocessConfig::openai(32);
        let view = |seed| augment(&picture(), &Augmentation::default(), &preprocess, &mut rng(seed)).unwrap();
        assert_eq!((view(1).width(), view(1).height()), (32, 32));
        assert_eq!(view(1), view(1));
        assert_ne!(view(1), view(2));
    }

    #[test]
    fn switched_off_it_is_the_evaluation_transform() {
        let preprocess = PreprocessConfig::openai(32);
        let view = augment(&picture(), &Augmentation::off(), &preprocess, &mut rng(1)).unwrap();
        assert_eq!(view, resize_and_crop(&picture(), &preprocess).unwrap());
    }

    #[test]
    fn probabilities_are_kept() {
        let preprocess = PreprocessConfig::openai(8);
        let augmentation = Augmentation { random_crop: false, ..Augmentation::default() };
        let plain = resize_and_crop(&picture(), &preprocess).unwrap();
        let is_gray = |image: &RgbImage8| image.as_bytes().chunks(3).all(|p| p[0] == p[1] && p[1] == p[2]);
        let mut rng = rng(3);
        let views: Vec<RgbImage8> =
            (0..2000).map(|_| augment(&picture(), &augmentation, &preprocess, &mut rng).unwrap()).collect();
        let gray = views.iter().filter(|view| is_gray(view)).count();
        let unchanged = views.iter().filter(|view| **view == plain).count();
        // Four standard deviations around 0.2 and 0.2 * 0.8 of 2000.
        assert!((330..=470).contains(&gray), "{gray}");
        assert!((255..=385).contains(&unchanged), "{unchanged}");
    }

    #[test]
    fn settings_out_of_range_are_errors_and_unknown_ones_too() {
        assert!(Augmentation::default().validate().is_ok());
        assert!(Augmentation::off().validate().is_ok());
        for (text, expected) in [
            ("scale = [0.0, 1.0]", "scale"),
            ("scale = [0.5, 0.4]", "scale"),
            ("ratio = [nan, 1.0]", "ratio"),
            ("color_jitter = [0.1, 0.1, 0.1, 0.6]", "color_jitter"),
            ("color_jitter_prob = 1.5", "color_jitter_prob"),
            ("gray_scale_prob = -0.1", "gray_scale_prob"),
        ] {
            let error = toml::from_str::<Augmentation>(text).unwrap().validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(toml::from_str::<Augmentation>("flip = true").is_err());
    }
}
