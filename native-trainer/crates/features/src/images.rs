//! Images to features: cached ones are looked up; the others are read and decoded while earlier ones run through the
//! tower, on all ranks.

use super::encoder::Encoder;
use super::ranks::check_same_file;
use super::reading::{self, Stamp};
use super::store::{FeatureStore, Known};
use super::vision::{EncodedFiles, Outcome, ReadFiles};
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use dermake_process::interrupt::Interrupted;
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A kill loses at most this much work.
const SAVE_EVERY: Duration = Duration::from_secs(2);

/// An image to encode: the name under which the store knows it, and where it is. A row without an image has an empty
/// path, and its own place as its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    pub name: String,
    pub path: PathBuf,
}

impl ImageFile {
    /// Where the image is, for people.
    pub fn place(&self) -> String {
        if self.path.as_os_str().is_empty() { self.name.clone() } else { self.path.display().to_string() }
    }
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

/// Images that are encoded at a time: a part of the same size for each rank.
struct Round<'u> {
    images: &'u [Unseen],
    part: usize,
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
        collect(found, self.embed_dim())
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
        let mut round = Round { images: &[], part: 0 };
        let mut read = ReadFiles::new();
        // The last round is encoded while none is read.
        while !(rest.is_empty() && round.images.is_empty()) {
            let next = self.next_round(&mut rest);
            let paths: Vec<&Path> = next.images.iter().map(|image| files[image.index].path.as_path()).collect();
            let own = self.ranks.send_images(&paths, next.part, round.images.is_empty())?;
            let store = self.store.as_ref();
            let is_known = |content: &[u8; 32]| store.is_some_and(|store| store.row(content).is_some());
            let (encoded, next_read) = self.vision.encode(&read, |vision| vision.read(&own, is_known));
            let (encoded, stops) = self.ranks.receive(encoded, self.vision.model.config.embed_dim)?;
            self.keep(files, &round, encoded, found)?;
            bar.inc(round.images.len() as u64);
            if stops {
                bail!(Interrupted);
            }
            (round, read) = (next, next_read);
            if let Some(store) = self.store.as_mut().filter(|_| saved.elapsed() > SAVE_EVERY) {
                store.save()?;
                saved = Instant::now();
            }
        }
        Ok(())
    }

    /// Takes the next images: a batch for each rank, or the same part of what is left.
    fn next_round<'u>(&self, rest: &mut &'u [Unseen]) -> Round<'u> {
        let n_ranks = self.ranks.size();
        let part = self.vision.batch_size.get().min(rest.len().div_ceil(n_ranks));
        let (images, others) = rest.split_at((part * n_ranks).min(rest.len()));
        *rest = others;
        Round { images, part }
    }

    /// Adds the features of a round to the result and to the store.
    fn keep(
        &mut self,
        files: &[ImageFile],
        round: &Round<'_>,
        encoded: EncodedFiles,
        found: &mut Found,
    ) -> Result<()> {
        let EncodedFiles { outcomes, features } = encoded;
        if outcomes.len() != round.images.len() {
            bail!("the ranks encoded {} images, expected {}", outcomes.len(), round.images.len());
        }
        let mut features = features.chunks_exact(self.embed_dim());
        for (place, (image, outcome)) in round.images.iter().zip(outcomes).enumerate() {
            let file = &files[image.index];
            let rank = place / round.part;
            if rank > 0 {
                check_same_file(&outcome, &file.path, image.stamp, rank)?;
            }
            found[image.index] = Some(match outcome {
                // Neither is stored: the file may be readable the next time.
                Outcome::Unread(problem) | Outcome::NoMemory(problem) => Err(problem),
                Outcome::Damaged { problem, .. } => {
                    if let Some(store) = &mut self.store {
                        store.note_file(&file.name, image.stamp, Known::Problem(problem.clone()));
                    }
                    Err(problem)
                }
                Outcome::Encoded { sha256, .. } => {
                    let feature = features.next().context("the vision tower gave fewer features than images")?;
                    Ok(self.encoded(file, image.stamp, sha256, feature)?)
                }
                Outcome::Known { sha256 } => {
                    Ok(self.known(file, image.stamp, sha256)?.context("a content that was known is no more")?)
                }
            });
        }
        Ok(())
    }

    /// The feature of an image that was encoded now, or of an earlier file with the same content.
    fn encoded(&mut self, file: &ImageFile, stamp: Stamp, content: [u8; 32], feature: &[f32]) -> Result<Encoded> {
        if let Some(known) = self.known(file, stamp, content)? {
            return Ok(known);
        }
        self.effort.images_encoded += 1;
        if let Some(store) = &mut self.store {
            note(store, file, stamp, &content, feature)?;
        }
        Ok(Encoded { content, feature: feature.to_vec() })
    }

    /// The feature that the store has of a content.
    fn known(&mut self, file: &ImageFile, stamp: Stamp, content: [u8; 32]) -> Result<Option<Encoded>> {
        let Some(store) = &mut self.store else { return Ok(None) };
        let Some(row) = store.row(&content) else { return Ok(None) };
        let feature = store.features()?.row(row).to_vec();
        self.effort.images_at_hand += 1;
        store.note_file(&file.name, stamp, Known::Row(row));
        Ok(Some(Encoded { content, feature }))
    }
}

/// Adds a feature, and whose it is.
fn note(
    store: &mut FeatureStore,
    file: &ImageFile,
    stamp: Stamp,
    sha256: &[u8; 32],
    feature: &[f32],
) -> Result<()> {
    store.add(&[*sha256], feature)?;
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
