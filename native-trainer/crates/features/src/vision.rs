//! Image files through the vision tower, a batch at a time.

use super::batch_size::BatchSize;
use super::reading::{self, Content, NoPixels};
use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use shared_model::ZeroShotModel;
use shared_model::preprocess::Reading;
use std::path::Path;

/// The vision tower of a model, and how it reads files.
pub struct Vision<'a> {
    pub model: &'a ZeroShotModel,
    pub reading: Reading,
    pub batch_size: BatchSize,
}

/// Files that were read, each decoded unless its content is known.
pub type ReadFiles = Vec<Result<Content, String>>;

/// What became of an image file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It cannot be read.
    Unread(String),
    /// It is no picture that can be decoded.
    Damaged { sha256: [u8; 32], n_bytes: u64, problem: String },
    /// There was no memory to decode it.
    NoMemory(String),
    /// Its content has been encoded before.
    Known { sha256: [u8; 32] },
    /// It was encoded now.
    Encoded { sha256: [u8; 32], n_bytes: u64 },
}

/// What became of some image files, in their order.
#[derive(Debug, Default)]
pub struct EncodedFiles {
    pub outcomes: Vec<Outcome>,
    /// `[n, E]` row-major, of those that were encoded now.
    pub features: Vec<f32>,
}

impl<'a> Vision<'a> {
    pub fn new(model: &'a ZeroShotModel, reading: Reading) -> Self {
        Self { model, reading, batch_size: BatchSize::for_model(&model.config, model.placement()) }
    }

    /// Reads files, and decodes those whose content `is_known` does not know.
    pub fn read(&self, paths: &[&Path], is_known: impl Fn(&[u8; 32]) -> bool + Sync) -> ReadFiles {
        let config = &self.model.config.preprocess;
        paths.par_iter().map(|path| reading::read(path, config, self.reading, &is_known)).collect()
    }

    /// Encodes files while `meanwhile` runs, such as the reading of the next ones.
    ///
    /// # Errors
    /// When the tower fails; a lack of memory makes the batches smaller.
    pub fn encode<T: Send>(
        &mut self,
        files: &[Result<Content, String>],
        meanwhile: impl FnOnce(&Self) -> T + Send,
    ) -> (Result<EncodedFiles>, T) {
        let pixels: Vec<&[u8]> = files.iter().filter_map(pixels).collect();
        let this = &*self;
        let (features, other) = rayon::join(|| this.forward(&pixels), || meanwhile(this));
        let features = match features {
            Err(err) if self.batch_size.shrink(pixels.len(), &err) => self.forward_in_pieces(&pixels),
            features => features.context("the vision tower failed"),
        };
        let encoded = |features| EncodedFiles { outcomes: files.iter().map(outcome).collect(), features };
        (features.map(encoded), other)
    }

    /// `[n, E]` row-major.
    fn forward(&self, pixels: &[&[u8]]) -> shared_model::Result<Vec<f32>> {
        if pixels.is_empty() {
            return Ok(Vec::new());
        }
        let side = self.model.config.preprocess.image_size;
        let pixels = Tensor::from_vec(pixels.concat(), (pixels.len(), 3, side, side), &Device::Cpu)?;
        let features = self.model.pixel_features(&pixels)?;
        Ok(features.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?)
    }

    /// The same in batches that shrink until they fit.
    pub fn forward_in_pieces(&mut self, pixels: &[&[u8]]) -> Result<Vec<f32>> {
        let mut features = Vec::new();
        let mut rest = pixels;
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(self.batch_size.get().min(rest.len()));
            match self.forward(piece) {
                Err(err) if self.batch_size.shrink(piece.len(), &err) => {}
                values => {
                    features.extend(values.context("the vision tower failed")?);
                    rest = others;
                }
            }
        }
        Ok(features)
    }
}

fn pixels(file: &Result<Content, String>) -> Option<&[u8]> {
    file.as_ref().ok()?.pixels.as_ref()?.as_ref().ok().map(Vec::as_slice)
}

fn outcome(file: &Result<Content, String>) -> Outcome {
    match file {
        Err(problem) => Outcome::Unread(problem.clone()),
        Ok(Content { sha256, n_bytes, pixels: Some(Err(NoPixels::Damaged(problem))) }) => {
            Outcome::Damaged { sha256: *sha256, n_bytes: *n_bytes, problem: problem.clone() }
        }
        Ok(Content { pixels: Some(Err(NoPixels::NoMemory(problem))), .. }) => Outcome::NoMemory(problem.clone()),
        Ok(Content { sha256, pixels: None, .. }) => Outcome::Known { sha256: *sha256 },
        Ok(Content { sha256, n_bytes, pixels: Some(Ok(_)) }) => {
            Outcome::Encoded { sha256: *sha256, n_bytes: *n_bytes }
        }
    }
}
