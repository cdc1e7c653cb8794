//! Features of pictures that are not files, and what is made of features of texts. Nothing here is cached by file.

use super::encoder::Encoder;
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use dermake_process::interrupt::{self, Interrupted};
use rayon::prelude::*;
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::ConceptTemplates;
use shared_model::preprocess::{DecodedImage, resize_and_crop};

impl Encoder<'_> {
    /// Returns unit features `[n, E]` of `n` pictures, row by row. Each is decoded by `decode` with its index, in several
    /// threads.
    ///
    /// # Errors
    /// The first error of `decode`; [`Interrupted`] after a request to stop; when the model fails.
    pub fn pictures(
        &mut self,
        n_pictures: usize,
        decode: impl Fn(usize) -> Result<DecodedImage> + Sync,
    ) -> Result<Vec<f32>> {
        let config = self.vision.model.config.preprocess.clone();
        let pixels =
            |index: usize| -> Result<Vec<u8>> { Ok(resize_and_crop(&decode(index)?, &config)?.to_planes()) };
        let (mut values, mut next) = (Vec::new(), 0);
        while next < n_pictures {
            if interrupt::is_requested() {
                bail!(Interrupted);
            }
            let batch = next..n_pictures.min(next + self.vision.batch_size.get());
            next = batch.end;
            let pixels = batch.into_par_iter().map(pixels).collect::<Result<Vec<_>>>()?;
            let pixels: Vec<&[u8]> = pixels.iter().map(Vec::as_slice).collect();
            values.extend(self.vision.forward_in_pieces(&pixels)?);
        }
        Ok(values)
    }

    /// Returns unit features `[B, E]` of normalized pixels, row by row.
    ///
    /// # Shapes
    /// - `pixel_values`: `[B, 3, S, S]` f32
    ///
    /// # Errors
    /// [`Interrupted`] after a request to stop; when the model fails.
    pub fn pixel_values(&mut self, pixel_values: &Tensor) -> Result<Vec<f32>> {
        let n_images = pixel_values.dim(0)?;
        let (mut values, mut next) = (Vec::new(), 0);
        while next < n_images {
            if interrupt::is_requested() {
                bail!(Interrupted);
            }
            let n_batch = self.vision.batch_size.get().min(n_images - next);
            match self.vision.model.pixel_features(&pixel_values.narrow(0, next, n_batch)?) {
                Err(err) if self.vision.batch_size.shrink(n_batch, &err) => {}
                features => {
                    values.extend(features?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?);
                    next += n_batch;
                }
            }
        }
        Ok(values)
    }

    /// Returns what scores images for these concepts, with MAKE's templates.
    ///
    /// # Errors
    /// As [`Self::texts`].
    pub fn concept_scorer(
        &mut self,
        concepts: &[Concept],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<ConceptScorer> {
        let templates = ConceptTemplates::skin();
        let features = self.texts(&ConceptScorer::prompts(concepts, &templates), progress)?;
        ConceptScorer::new(concepts, &templates, &features).context("cannot score concepts")
    }
}
