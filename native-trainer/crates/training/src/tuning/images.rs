//! Images of a tuning, as pixels and as features. A batch depends on seed, epoch and place only.

use super::TuningOptions;
use super::pass::features;
use crate::model::TrainedModel;
use anyhow::{Context, Result, anyhow};
use candle_core::{Device, Tensor};
use dermake_data::augment::augment;
use dermake_data::{Augmentation, row_rng};
use dermake_pictures::PictureError;
use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{DecodedImage, Reading, RgbImage8, resize_and_crop};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

/// Training images are cropped at random; their colors, which labels depend on, stay.
const AUGMENTATION: Augmentation = Augmentation {
    random_crop: true,
    scale: [0.6, 1.0],
    ratio: [3.0 / 4.0, 4.0 / 3.0],
    color_jitter: [0.0; 4],
    color_jitter_prob: 0.0,
    gray_scale_prob: 0.0,
};
/// Batches that wait.
const N_AHEAD: usize = 2;

/// How images become what the tower takes.
#[derive(Clone, Copy)]
pub struct Images<'a> {
    pub preprocess: &'a PreprocessConfig,
    /// Images that pass through the tower at once.
    pub micro_batch: usize,
}

/// The batches of one epoch.
pub struct TrainingBatches<'a> {
    pub files: &'a [PathBuf],
    /// Places of the files.
    pub order: &'a [usize],
    pub epoch: usize,
    pub options: &'a TuningOptions,
}

impl Images<'_> {
    /// Calls `work` with the places and the pixels, `[b, 3, S, S]` in u8, of each batch until it returns false. The next
    /// batches are read meanwhile. Returns whether all batches were taken.
    ///
    /// # Errors
    /// The first of `work`, or of an image that cannot be read.
    pub fn each_batch(
        &self,
        batches: &TrainingBatches<'_>,
        mut work: impl FnMut(&[usize], &Tensor) -> Result<bool>,
    ) -> Result<bool> {
        let TrainingBatches { files, order, epoch, options } = *batches;
        let view = |place: usize, image: &DecodedImage| {
            augment(image, &AUGMENTATION, self.preprocess, &mut row_rng(options.seed, epoch, place))
        };
        std::thread::scope(|scope| {
            let (sender, ready) = sync_channel(N_AHEAD);
            scope.spawn(move || {
                for places in order.chunks(options.batch_size) {
                    let paths: Vec<&Path> = places.iter().map(|&place| files[place].as_path()).collect();
                    let pixels = self.pixels(&paths, &|at: usize, image: &DecodedImage| view(places[at], image));
                    let is_last = pixels.is_err();
                    // The other side has gone once it needs no more.
                    if sender.send((places, pixels)).is_err() || is_last {
                        return;
                    }
                }
            });
            for (places, pixels) in ready {
                if !work(places, &pixels?)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Unit features `[n, E]` of images as the evaluation sees them.
    ///
    /// # Errors
    /// When an image cannot be read, or the model fails.
    pub fn features(&self, model: &TrainedModel, files: &[PathBuf]) -> Result<Array2<f64>> {
        let mut parts = vec![Array2::zeros((0, model.config.embed_dim))];
        for files in files.chunks(self.micro_batch) {
            let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
            let pixels =
                self.pixels(&paths, &|_: usize, image: &DecodedImage| resize_and_crop(image, self.preprocess))?;
            parts.push(features(model, &pixels)?);
        }
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).context("the features do not have one width")
    }

    /// Views of images, `[b, 3, S, S]` in u8.
    fn pixels(
        &self,
        paths: &[&Path],
        view: &(impl Fn(usize, &DecodedImage) -> shared_model::Result<RgbImage8> + Sync),
    ) -> Result<Tensor> {
        let planes = |(at, path): (usize, &&Path)| -> Result<Vec<u8>> {
            let named = |err: &dyn std::fmt::Display| anyhow!("cannot read the image: {err}: {}", path.display());
            let image =
                dermake_pictures::open(path, Reading::Reference).map_err(|err: PictureError| named(&err))?;
            Ok(view(at, &image).map_err(|err| named(&err))?.to_planes())
        };
        let planes: Vec<Vec<u8>> = paths.par_iter().enumerate().map(planes).collect::<Result<_>>()?;
        let side = self.preprocess.image_size;
        Ok(Tensor::from_vec(planes.concat(), (paths.len(), 3, side, side), &Device::Cpu)?)
    }
}
