//! What one of several ranks sends in a step, as arithmetic.

use dermake_collectives::{all_reduce_bytes, even_shares, shares_by_weight};
use std::ops::Range;

/// Numbers of the loss that are summed: both terms and the gradients of scale and bias.
const LOSS_NUMBERS: usize = 4;

/// Bytes that one rank sends in a step, by purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepTraffic {
    /// Features of its images and captions, to all others.
    pub features: u64,
    /// Its parts of the gradients of others' features.
    pub feature_gradients: u64,
    /// The sum of the loss.
    pub loss: u64,
    /// The sum of the gradients of the parameters.
    pub parameters: u64,
}

/// Sizes of a step of several ranks.
#[derive(Clone, Debug)]
pub struct StepSizes<'a> {
    /// Images of a batch, B.
    pub n_images: usize,
    /// Tokens of each distinct caption of the batch.
    pub text_lengths: &'a [usize],
    /// E
    pub embed_dim: usize,
    /// Values of the flat array of gradients.
    pub n_values: usize,
}

impl StepSizes<'_> {
    /// Images and distinct captions of each of `n_ranks` ranks.
    pub fn shares(&self, n_ranks: usize) -> Vec<(Range<usize>, Range<usize>)> {
        even_shares(self.n_images, n_ranks).zip(shares_by_weight(self.text_lengths, n_ranks)).collect()
    }

    /// What each of `n_ranks` ranks sends.
    pub fn traffic(&self, n_ranks: usize) -> Vec<StepTraffic> {
        let row_bytes = (4 * self.embed_dim) as u64;
        let (n_others, n_rows) = (n_ranks as u64 - 1, (self.n_images + self.text_lengths.len()) as u64);
        let of_rank = |(rank, (images, texts)): (usize, (Range<usize>, Range<usize>))| {
            let n_own = (images.len() + texts.len()) as u64;
            StepTraffic {
                features: n_others * n_own * row_bytes,
                feature_gradients: if n_ranks == 1 { 0 } else { (n_rows - n_own) * row_bytes },
                loss: n_others * (8 * LOSS_NUMBERS) as u64,
                parameters: all_reduce_bytes(self.n_values, rank, n_ranks),
            }
        };
        self.shares(n_ranks).into_iter().enumerate().map(of_rank).collect()
    }
}

impl StepTraffic {
    pub fn total(&self) -> u64 {
        self.features + self.feature_gradients + self.loss + self.parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rank_sends_nothing_and_many_hardly_more_than_twice_their_arrays() {
        let sizes = StepSizes { n_images: 2048, text_lengths: &[24; 8000], embed_dim: 512, n_values: 1 << 20 };
        assert_eq!(sizes.traffic(1), [StepTraffic::default()]);
        for traffic in sizes.traffic(512) {
            let arrays = 2 * 4 * ((2048 + 8000) * 512 + (1 << 20)) as u64;
            assert!(traffic.total() < arrays * 102 / 100 && traffic.total() > arrays * 98 / 100, "{traffic:?}");
        }
    }
}
