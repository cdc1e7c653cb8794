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
    let mut found = best_pairs(evaluation, training, thresholds)?;
    for (at, content) in evaluation.contents.iter().enumerate() {
        let Some(&training_at) = same.get(content) else { continue };
        let cosine = cosine(evaluation, at, training, training_at)?;
        let distance = distance(&evaluation.hashes[at], &training.hashes[training_at]);
        found[at] =
            Some(Match { evaluation: at, training: training_at, cosine, distance, reason: Reason::SameFile });
    }
    Ok(found.into_iter().flatten().collect())
}

impl Thresholds {
    /// Why two images of this cosine, whose hashes differ in `distance` bits, count as the same, if they do.
    fn reason(&self, cosine: f32, distance: Option<u32>) -> Option<Reason> {
        // An image of one color has no hash.
        let is_possible = distance.is_none_or(|distance| distance <= self.cosine_distance);
        if distance.is_some_and(|distance| distance <= self.hash_distance) && cosine >= self.hash_cosine {
            return Some(Reason::Hash);
        }
        (is_possible && cosine >= self.cosine).then_some(Reason::Cosine)
    }
}

/// For each evaluation image, of the training images that count as the same the one of the largest cosine, first those
/// whose hashes are close.
fn best_pairs(evaluation: &Images, training: &Images, thresholds: &Thresholds) -> Result<Vec<Option<Match>>> {
    let (n, n_training) = (evaluation.contents.len(), training.contents.len());
    let least = thresholds.hash_cosine.min(thresholds.cosine);
    let mut best: Vec<Option<Match>> = vec![None; n];
    for start in (0..n).step_by(BLOCK.0) {
        let rows = evaluation.features.narrow(0, start, BLOCK.0.min(n - start))?;
        for training_start in (0..n_training).step_by(BLOCK.1) {
            if interrupt::is_requested() {
                bail!(Interrupted);
            }
            let columns = training.features.narrow(0, training_start, BLOCK.1.min(n_training - training_start))?;
            let cosines: Vec<Vec<f32>> = rows.matmul(&columns.t()?)?.to_vec2()?;
            best[start..].par_iter_mut().zip(cosines).enumerate().for_each(|(row, (best, cosines))| {
                let at = start + row;
                for (column, cosine) in cosines.into_iter().enumerate().filter(|(_, cosine)| *cosine >= least) {
                    let training_at = training_start + column;
                    let distance = distance(&evaluation.hashes[at], &training.hashes[training_at]);
                    let Some(reason) = thresholds.reason(cosine, distance) else { continue };
                    let rank = |reason: Reason, cosine: f32| (reason == Reason::Hash, cosine);
                    if best.as_ref().is_none_or(|best| rank(reason, cosine) > rank(best.reason, best.cosine)) {
                        *best = Some(Match { evaluation: at, training: training_at, cosine, distance, reason });
                    }
                }
            });
        }
    }
    Ok(best)
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

    #[test]
    fn an_image_matches_though_others_have_a_closer_hash_or_a_larger_cosine() {
        // One bit and cosine 0.5; three bits and 0.94; 32 bits and 0.98.
        let training = images(&[(1, 60.0, Some(0b1)), (2, 20.0, Some(0b111)), (3, 10.0, Some(0xFFFF_FFFF))]);
        let found = matches(&images(&[(9, 0.0, Some(0))]), &training, &THRESHOLDS).unwrap();
        assert_eq!(found.iter().map(|m| (m.training, m.reason)).collect::<Vec<_>>(), [(1, Reason::Hash)]);
    }
}
