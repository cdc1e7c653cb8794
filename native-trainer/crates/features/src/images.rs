//! Images to features: cached ones are looked up; the others are read and decoded while earlier ones run through the
//! tower.

use super::encoder::Encoder;
use super::reading::{self, Content, Stamp};
use super::store::{FeatureStore, Known};
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use dermake_process::interrupt::{self, Interrupted};
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A kill loses at most this much work.
const SAVE_EVERY: Duration = Duration::from_secs(2);

/// An image to encode: the name under which the store knows it, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    pub name: String,
    pub path: PathBuf,
}

/// Features of some images.
pub struct ImageFeatures {
    /// For each requested image, its row in `features`, or its problem.
    pub rows: Vec<Result<usize, String>>,
    /// `[n, E]` f32 on the CPU, unit rows; a row for each image that can be read.
    pub features: Tensor,
    /// The SHA-256 of the file of each row in `features`.
    pub contents: Vec<[u8; 32]>,
}

/// The features of the requested images that are known so far.
type Found = Vec<Option<Result<Encoded, String>>>;

/// An image's feature, and the SHA-256 of its file.
#[derive(Clone)]
struct Encoded {
    content: [u8; 32],
    feature: Vec<f32>,
}

/// An image whose feature is not cached.
struct Unseen {
    index: usize,
    stamp: Stamp,
}

/// An image that was read.
struct ReadImage {
    index: usize,
    stamp: Stamp,
    content: Result<Content, String>,
}

impl Encoder<'_> {
    /// Returns features of images; an image that cannot be read is reported and is not an error.
    ///
    /// # Errors
    /// [`Interrupted`] on Ctrl-C, after saving what is done; when the store cannot be written; when the model fails.
    pub fn images(&mut self, files: &[ImageFile], bar: &ProgressBar) -> Result<ImageFeatures> {
        let started = Instant::now();
        let (mut found, unseen) = self.look_up(files)?;
        bar.set_length(files.len() as u64);
        bar.set_position((files.len() - unseen.len()) as u64);
        bar.reset_eta();
        self.effort.images_at_hand += found.iter().flatten().filter(|found| found.is_ok()).count() as u64;
        let outcome = self.encode_unseen(files, &unseen, &mut found, bar);
        if let Some(store) = &mut self.store {
            store.save()?;
        }
        self.effort.image_secs += started.elapsed().as_secs_f64();
        outcome?;
        collect(found, self.model.config.embed_dim)
    }

    /// Known files that did not change, and the other files.
    fn look_up(&self, files: &[ImageFile]) -> Result<(Found, Vec<Unseen>)> {
        let none_known = HashMap::new();
        let (known, features) = match &self.store {
            Some(store) => (store.files(), Some((store.features()?, store.contents()))),
            None => (&none_known, None),
        };
        let stamps: Vec<_> = files.par_iter().map(|file| reading::stamp(&file.path)).collect();
        let (mut found, mut unseen) = (vec![None; files.len()], Vec::new());
        for (index, (file, stamp)) in files.iter().zip(stamps).enumerate() {
            found[index] = match stamp {
                Err(problem) => Some(Err(problem)),
                Ok(stamp) => match (known.get(&file.name).filter(|known| known.0 == stamp), &features) {
                    (Some((_, Known::Row(row))), Some((features, contents))) => {
                        let (content, feature) = (contents[*row as usize], features.row(*row).to_vec());
                        Some(Ok(Encoded { content, feature }))
                    }
                    (Some((_, Known::Problem(problem))), _) => Some(Err(problem.clone())),
                    _ => {
                        unseen.push(Unseen { index, stamp });
                        None
                    }
                },
            };
        }
        Ok((found, unseen))
    }

    fn encode_unseen(
        &mut self,
        files: &[ImageFile],
        unseen: &[Unseen],
        found: &mut Found,
        bar: &ProgressBar,
    ) -> Result<()> {
        let mut saved = Instant::now();
        let mut rest = unseen;
        let mut batch = self.read_batch(files, &mut rest);
        while !batch.is_empty() {
            if interrupt::is_requested() {
                bail!(Interrupted);
            }
            let pixels: Vec<&[u8]> = batch.iter().filter_map(ReadImage::pixels).collect();
            let this = &*self;
            let (features, next) = rayon::join(|| this.forward(&pixels), || this.read_batch(files, &mut rest));
            let features = match features {
                Err(err) if self.batch_size.shrink(pixels.len(), &err) => self.forward_in_pieces(&pixels)?,
                features => features.context("the vision tower failed")?,
            };
            self.keep(files, &batch, &features, found)?;
            bar.inc(batch.len() as u64);
            batch = next;
            if let Some(store) = self.store.as_mut().filter(|_| saved.elapsed() > SAVE_EVERY) {
                store.save()?;
                saved = Instant::now();
            }
        }
        Ok(())
    }

    /// Reads and decodes a batch from the front of `rest`.
    fn read_batch(&self, files: &[ImageFile], rest: &mut &[Unseen]) -> Vec<ReadImage> {
        let (batch, others) = rest.split_at(self.batch_size.get().min(rest.len()));
        *rest = others;
        let config = &self.model.config.preprocess;
        let is_known = |content: &[u8; 32]| self.store.as_ref().is_some_and(|store| store.row(content).is_some());
        let read = |&Unseen { index, stamp }: &Unseen| {
            let content = reading::read(&files[index].path, config, self.reading, is_known);
            ReadImage { index, stamp, content }
        };
        batch.par_iter().map(read).collect()
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
    pub(super) fn forward_in_pieces(&mut self, pixels: &[&[u8]]) -> Result<Vec<f32>> {
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

    /// Adds a batch's features to the result and to the store.
    fn keep(
        &mut self,
        files: &[ImageFile],
        batch: &[ReadImage],
        features: &[f32],
        found: &mut Found,
    ) -> Result<()> {
        let mut encoded = features.chunks_exact(self.model.config.embed_dim);
        for image in batch {
            let file = &files[image.index];
            found[image.index] = Some(match &image.content {
                Err(problem) => Err(problem.clone()),
                Ok(Content { pixels: Some(Err(problem)), .. }) => {
                    if let Some(store) = &mut self.store {
                        store.note_file(&file.name, image.stamp, Known::Problem(problem.clone()));
                    }
                    Err(problem.clone())
                }
                Ok(Content { sha256, pixels: Some(Ok(_)) }) => {
                    let feature = encoded.next().context("the vision tower gave fewer features than images")?;
                    self.effort.images_encoded += 1;
                    if let Some(store) = &mut self.store {
                        note(store, file, image.stamp, sha256, feature)?;
                    }
                    Ok(Encoded { content: *sha256, feature: feature.to_vec() })
                }
                Ok(Content { sha256, pixels: None }) => {
                    let store = self.store.as_mut().context("a content is known without a store")?;
                    let row = store.row(sha256).context("a content that was known is no more")?;
                    let feature = store.features()?.row(row).to_vec();
                    self.effort.images_at_hand += 1;
                    store.note_file(&file.name, image.stamp, Known::Row(row));
                    Ok(Encoded { content: *sha256, feature })
                }
            });
        }
        Ok(())
    }
}

impl ReadImage {
    fn pixels(&self) -> Option<&[u8]> {
        self.content.as_ref().ok()?.pixels.as_ref()?.as_ref().ok().map(Vec::as_slice)
    }
}

/// Adds a feature, unless another file of the batch had the same content, and whose it is.
fn note(
    store: &mut FeatureStore,
    file: &ImageFile,
    stamp: Stamp,
    sha256: &[u8; 32],
    feature: &[f32],
) -> Result<()> {
    if store.row(sha256).is_none() {
        store.add(&[*sha256], feature)?;
    }
    // A cache that is full keeps no more.
    if let Some(row) = store.row(sha256) {
        store.note_file(&file.name, stamp, Known::Row(row));
    }
    Ok(())
}

fn collect(found: Found, embed_dim: usize) -> Result<ImageFeatures> {
    let (mut rows, mut values, mut contents) = (Vec::with_capacity(found.len()), Vec::new(), Vec::new());
    for found in found {
        rows.push(match found.context("an image was left out")? {
            Err(problem) => Err(problem),
            Ok(Encoded { content, feature }) => {
                values.extend(feature);
                contents.push(content);
                Ok(contents.len() - 1)
            }
        });
    }
    let features = Tensor::from_vec(values, (contents.len(), embed_dim), &Device::Cpu)?;
    Ok(ImageFeatures { rows, features, contents })
}
