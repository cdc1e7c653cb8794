//! For each evaluation image, the training image that is most like it.

use anyhow::{Result, bail};
use candle_core::Tensor;
use dermake_pictures::PerceptualHashes;
use dermake_process::interrupt::{self, Interrupted};
use rayon::prelude::*;
use std::collections::HashMap;

/// Evaluation and training images whose cosines are computed at once.
const BLOCK: (usize, usize) = (256, 16_384);

/// When two images count as near-duplicates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Bits in which the hashes may differ.
    pub hash_distance: u32,
    /// The least cosine of two images whose hashes are that close.
    pub hash_cosine: f32,
    /// The least cosine of two images whose hashes differ in more bits, up to `cosine_distance`.
    pub cosine: f32,
    pub cosine_distance: u32,
}

/// Why two images count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    SameFile,
    Hash,
    Cosine,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Self::SameFile => "same file",
            Self::Hash => "hash",
            Self::Cosine => "cosine",
        }
    }
}

/// Images that could be read.
pub struct Images {
    /// `[n, E]`, unit rows.
    pub features: Tensor,
    pub contents: Vec<[u8; 32]>,
    /// `None` for images of one color.
    pub hashes: Vec<Option<PerceptualHashes>>,
}

/// A training image that is like an evaluation image.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    pub evaluation: usize,
    pub training: usize,
    pub cosine: f32,
    /// Bits in which the hashes differ; `None` if one image has one color.
    pub distance: Option<u32>,
    pub reason: Reason,
}

/// Returns a match for each evaluation image that has one, by ascending place.
///
/// # Errors
/// [`Interrupted`] on Ctrl-C.
pub fn matches(evaluation: &Images, training: &Images, thresholds: &Thresholds) -> Result<Vec<Match>> {
    if evaluation.contents.is_empty() || training.contents.is_empty() {
        return Ok(Vec::new());
    }
    let mut same: HashMap<&[u8; 32], usize> = HashMap::new();
    for (at, content) in training.contents.iter().enumerate() {
        same.entry(content).or_insert(at);
    }
    let by_cosine = nearest_by_cosine(&evaluation.features, &training.features)?;
    let by_hash: Vec<Option<usize>> = evaluation.hashes.par_iter().map(|hash| nearest(hash, training)).collect();
    let mut matches = Vec::new();
    for at in 0..evaluation.contents.len() {
        let same_file = same.get(&evaluation.contents[at]).copied();
        let candidates = [same_file, by_hash[at], Some(by_cosine[at])];
        for (place, candidate) in candidates.into_iter().enumerate() {
            let Some(training_at) = candidate else { continue };
            let cosine = cosine(evaluation, at, training, training_at)?;
            let distance = distance(&evaluation.hashes[at], &training.hashes[training_at]);
            let is_near = distance.is_some_and(|distance| distance <= thresholds.hash_distance);
            // An image of one color has no hash.
            let is_possible = distance.is_none_or(|distance| distance <= thresholds.cosine_distance);
            let reason = match place {
                0 => Some(Reason::SameFile),
                _ if is_near && cosine >= thresholds.hash_cosine => Some(Reason::Hash),
                _ if is_possible && cosine >= thresholds.cosine => Some(Reason::Cosine),
                _ => None,
            };
            if let Some(reason) = reason {
                matches.push(Match { evaluation: at, training: training_at, cosine, distance, reason });
                break;
            }
        }
    }
    Ok(matches)
}

/// The training image of the largest cosine, for each evaluation image.
fn nearest_by_cosine(evaluation: &Tensor, training: &Tensor) -> Result<Vec<usize>> {
    let (n, n_training) = (evaluation.dim(0)?, training.dim(0)?);
    let mut best = vec![(f32::NEG_INFINITY, 0); n];
    for start in (0..n).step_by(BLOCK.0) {
        let rows = evaluation.narrow(0, start, BLOCK.0.min(n - start))?;
        for training_start in (0..n_training).step_by(BLOCK.1) {
            if interrupt::is_requested() {
                bail!(Interrupted);
            }
            let columns = training.narrow(0, training_start, BLOCK.1.min(n_training - training_start))?;
            let cosines: Vec<Vec<f32>> = rows.matmul(&columns.t()?)?.to_vec2()?;
            for (best, cosines) in best[start..].iter_mut().zip(cosines) {
                for (at, cosine) in cosines.into_iter().enumerate() {
                    if cosine > best.0 {
                        *best = (cosine, training_start + at);
                    }
                }
            }
        }
    }
    Ok(best.into_iter().map(|(_, at)| at).collect())
}

/// The training image of the closest hash.
fn nearest(hash: &Option<PerceptualHashes>, training: &Images) -> Option<usize> {
    let distances = training.hashes.iter().enumerate().filter_map(|(at, other)| Some((distance(hash, other)?, at)));
    distances.min().map(|(_, at)| at)
}

fn distance(evaluation: &Option<PerceptualHashes>, training: &Option<PerceptualHashes>) -> Option<u32> {
    Some(training.as_ref()?.distance(evaluation.as_ref()?))
}

fn cosine(evaluation: &Images, at: usize, training: &Images, training_at: usize) -> Result<f32> {
    let product = (evaluation.features.get(at)? * training.features.get(training_at)?)?;
    Ok(product.sum_all()?.to_scalar()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    const THRESHOLDS: Thresholds =
        Thresholds { hash_distance: 6, hash_cosine: 0.8, cosine: 0.99, cosine_distance: 16 };

    /// Images by content, direction of their feature in degrees, and hash.
    fn images(of: &[(u8, f32, Option<u64>)]) -> Images {
        let features: Vec<f32> =
            of.iter().flat_map(|(_, angle, _)| [angle.to_radians().cos(), angle.to_radians().sin()]).collect();
        Images {
            features: Tensor::from_vec(features, (of.len(), 2), &Device::Cpu).unwrap(),
            contents: of.iter().map(|(content, ..)| [*content; 32]).collect(),
            hashes: of.iter().map(|(.., hash)| hash.map(|hash| PerceptualHashes([hash; 8]))).collect(),
        }
    }

    #[test]
    fn an_image_matches_by_its_content_its_hash_or_its_feature() {
        let training = images(&[(1, 0.0, Some(0)), (2, 90.0, Some(u64::MAX)), (3, 180.0, None)]);
        let evaluation = images(&[
            (2, 90.0, Some(u64::MAX)),        // the same file
            (10, 20.0, Some(0b111)),          // three bits of the first, cosine 0.94
            (11, 60.0, Some(0b111)),          // the same hash, cosine 0.5: a coincidence
            (12, 95.0, Some(u64::MAX << 10)), // cosine 0.996 with the second, ten bits
            (13, 180.0, None),                // one color
            (14, 45.0, Some(0xFFFF)),
            (15, 92.0, Some(0xFFFF_FFFF)), // cosine 0.999 with the second, and another hash: of one condition
        ]);
        let found = matches(&evaluation, &training, &THRESHOLDS).unwrap();
        let found: Vec<(usize, usize, Reason)> =
            found.iter().map(|m| (m.evaluation, m.training, m.reason)).collect();
        assert_eq!(
            found,
            [(0, 1, Reason::SameFile), (1, 0, Reason::Hash), (3, 1, Reason::Cosine), (4, 2, Reason::Cosine)]
        );
        assert!(matches(&images(&[]), &training, &THRESHOLDS).unwrap().is_empty());
    }
}
