//! Linear probes as DermFM-Zero's code evaluates them (`--protocol dermfm-zero`).
//!
//! Reference: `linear_probe` of <https://github.com/SiyuanYan1/DermFM-Zero> at commit afbe6ba. Images are RGB before the
//! resize, the short side is brought to 256 by the triangle filter, the center of 224 is cropped, and mean and deviation
//! are ImageNet's with 0.228 for 0.229. Features are those of the tower, of PanDerm's tower before its head, neither of
//! unit length nor standardized. The loss is the mean cross-entropy plus `‖W‖ / (2 C)`, where `C` is the number of weights
//! divided by 100.

use super::logistic::Learned;
use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use dermake_features::{ImageFeatures, ImageFile};
use dermake_files::hash;
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::progress;
use ndarray::Array2;
use rayon::prelude::*;
use shared_model::ZeroShotModel;
use shared_model::config::{
    CropRounding, Interpolation, PreprocessConfig, ResizeMode, RgbConversion, VisionPooling,
};
use shared_model::preprocess::{Reading, pixel_values, resize_and_crop};

/// Shares of the training split that are learned from.
pub const SHARES: [f64; 4] = [0.1, 0.3, 0.5, 1.0];
/// The short side after the resize, of a crop of 224.
const RESIZED: usize = 256;
const CROPPED: usize = 224;
const BATCH: usize = 16;
/// Fits with a squared norm until it has the factor of the plain norm.
const MAX_FITS: usize = 30;
/// Relative change of the factor at which they end.
const FACTOR_TOLERANCE: f64 = 1e-3;

/// Normalized pixels of an image, `[3, side, side]`, and the SHA-256 of its file.
type ReadImage = (Vec<f32>, [u8; 32]);

/// Raw features of images in this protocol's preprocessing; they are not cached.
///
/// # Errors
/// [`Interrupted`] on Ctrl-C; when the model fails.
pub fn raw_features(model: &ZeroShotModel, title: &str, files: &[ImageFile]) -> Result<ImageFeatures> {
    let config = preprocessing(model.config.preprocess.image_size);
    let bar = progress::images(files.len());
    bar.set_message(title.to_string());
    let (mut rows, mut values, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    let mut width = model.config.embed_dim;
    for batch in files.chunks(BATCH) {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        let read: Vec<Result<ReadImage, String>> =
            batch.par_iter().map(|file| pixels(file, &config, model.config.preprocess.image_size)).collect();
        let pixels: Vec<f32> = read.iter().flatten().flat_map(|(pixels, _)| pixels.iter().copied()).collect();
        let n_read = read.iter().flatten().count();
        if n_read > 0 {
            let side = model.config.preprocess.image_size;
            let pixel_values = Tensor::from_vec(pixels, (n_read, 3, side, side), &Device::Cpu)?;
            let raw = features(model, &pixel_values)?;
            width = raw.dim(1)?;
            values.extend(raw.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?);
        }
        for read in read {
            rows.push(read.map(|(_, content)| {
                contents.push(content);
                contents.len() - 1
            }));
        }
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    let features = Tensor::from_vec(values, (contents.len(), width), &Device::Cpu)?;
    Ok(ImageFeatures { rows, features, contents })
}

/// The features that a probe is trained on, `[B, D]`: the reference leaves out the head of PanDerm's tower alone
/// (`linear_prob=True`).
fn features(model: &ZeroShotModel, pixel_values: &Tensor) -> shared_model::Result<Tensor> {
    match model.config.vision.pooling {
        VisionPooling::NormMeanNorm => model.pooled_pixel_features(pixel_values),
        _ => model.raw_pixel_features(pixel_values),
    }
}

/// The resize of the protocol, for a crop of `image_size`.
fn preprocessing(image_size: usize) -> PreprocessConfig {
    PreprocessConfig {
        image_size: image_size * RESIZED / CROPPED,
        mean: [0.485, 0.456, 0.406],
        std: [0.228, 0.224, 0.225],
        interpolation: Interpolation::Bilinear,
        resize_mode: ResizeMode::Shortest,
        fill_color: 0,
        rgb_conversion: RgbConversion::DropAlpha,
        crop_rounding: CropRounding::HalfToEven,
    }
}

/// The pixels of an image `[3, S, S]`, normalized, and the hash of its file.
fn pixels(file: &ImageFile, config: &PreprocessConfig, side: usize) -> Result<ReadImage, String> {
    let bytes = dermake_pictures::read(&file.path).map_err(|err| err.to_string())?;
    let image = dermake_pictures::decode(&bytes, Reading::Reference).map_err(|err| err.to_string())?;
    let square = resize_and_crop(&image, config).map_err(|err| err.to_string())?;
    let planes = pixel_values(&square, config);
    let (resized, start) = (config.image_size, (config.image_size - side) / 2);
    // The center of a centered square is the center of the image.
    let row = |plane: usize, row: usize| &planes[(plane * resized + start + row) * resized + start..][..side];
    let cropped = (0..3).flat_map(|plane| (0..side).flat_map(move |at| row(plane, at).to_vec())).collect();
    Ok((cropped, hash::digest(&bytes)))
}

/// Fits the protocol's objective.
///
/// # Errors
/// When the fit fails.
pub fn learn(features: &Array2<f64>, labels: &[usize], rows: &[usize], n_classes: usize) -> Result<Learned> {
    let c = (features.ncols() * n_classes) as f64 / 100.0;
    with_plain_norm(features, labels, rows, 0.5 / c)
}

/// Minimizes the mean loss and `lambda` times the norm of the weights.
///
/// What minimizes `mean loss + λ ‖W‖` minimizes `mean loss + λ / (2 ‖W‖) ‖W‖²`, too: fits with a squared norm are repeated
/// until their factor is that of their own solution.
fn with_plain_norm(features: &Array2<f64>, labels: &[usize], rows: &[usize], lambda: f64) -> Result<Learned> {
    let lambda = lambda * rows.len() as f64;
    let mut factor = lambda;
    let mut learned = Learned::fit(features, labels, rows, factor)?;
    for _ in 1..MAX_FITS {
        let next = lambda / learned.norm().max(f64::MIN_POSITIVE);
        let is_settled = (next / factor - 1.0).abs() < FACTOR_TOLERANCE;
        if is_settled || !next.is_finite() {
            break;
        }
        factor = next;
        learned = Learned::fit(features, labels, rows, factor)?;
    }
    Ok(learned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fit_minimizes_the_loss_with_the_plain_norm() {
        let labels: Vec<usize> =
            (0..60).map(|row| usize::from((row * 7) % 10 >= 5) ^ usize::from(row % 9 == 0)).collect();
        let features = Array2::from_shape_fn((60, 3), |(row, column)| ((row * (column + 3) * 7) % 10) as f64 / 5.0);
        let rows: Vec<usize> = (0..60).collect();
        const LAMBDA: f64 = 0.02;
        let learned = with_plain_norm(&features, &labels, &rows, LAMBDA).unwrap();
        let objective = |learned: &Learned| {
            let probabilities = learned.probabilities(&features, 2);
            let loss = |row: usize| -f64::from(probabilities[2 * row + labels[row]]).ln();
            rows.iter().map(|&row| loss(row)).sum::<f64>() / 60.0 + LAMBDA * learned.norm()
        };
        let best = objective(&learned);
        assert!(learned.norm() > 0.1, "{}", learned.norm());
        for scale in [0.5, 0.8, 1.25, 2.0] {
            assert!(objective(&learned.scaled(scale)) > best, "{scale}");
        }
    }

    #[test]
    fn the_crop_is_the_center_of_the_resized_image() {
        assert_eq!(preprocessing(224).image_size, 256);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        // Red to the right grows by one level a pixel.
        let image = image::RgbImage::from_fn(256, 256, |column, _| image::Rgb([column as u8, 0, 0]));
        image.save(&path).unwrap();
        let file = ImageFile { name: "a".into(), path };
        let (pixels, _) = pixels(&file, &preprocessing(224), 224).unwrap();
        let red = |at: usize| (pixels[at] * 0.228 + 0.485) * 255.0;
        assert_eq!(pixels.len(), 3 * 224 * 224);
        assert!((red(0) - 16.0).abs() < 1e-3 && (red(223) - 239.0).abs() < 1e-3, "{} {}", red(0), red(223));
    }
}
