//! How a batch is cut into micro-batches.

use dermake_engine::parts_of_tokens;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Sizes of micro-batches. They decide memory and speed; results differ only in the order of f32 sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MicroBatches {
    /// Images at a time.
    pub images: usize,
    /// Text tokens at a time.
    pub tokens: usize,
    /// GiB of activations that are kept for the backward pass; what does not fit is computed again. Without it, what the
    /// device has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_memory_gib: Option<f64>,
}

impl MicroBatches {
    /// Bytes of activations that are kept, where the device has `free_bytes` for them.
    pub fn activation_bytes(&self, free_bytes: u64) -> u64 {
        self.activation_memory_gib.map_or(free_bytes, |gib| (gib * f64::from(1 << 30)) as u64)
    }

    /// GiB of activations that should fit after a step ran out of memory: three quarters of those that did not.
    pub fn smaller_budget_gib(&self, free_bytes: u64) -> f64 {
        let budget = self.activation_bytes(free_bytes).min(free_bytes);
        0.75 * budget as f64 / f64::from(1 << 30)
    }

    /// Cuts texts of these lengths so that no part has more than `tokens` tokens, but at least one text.
    pub fn text_parts(&self, lengths: impl IntoIterator<Item = usize>) -> Vec<Range<usize>> {
        parts_of_tokens(lengths, self.tokens)
    }

    /// Cuts images into parts of `images` each; the last one may have fewer.
    pub fn image_parts(&self, n_images: usize) -> Vec<Range<usize>> {
        let images = self.images.max(1);
        (0..n_images).step_by(images).map(|start| start..(start + images).min(n_images)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_did_not_fit_becomes_smaller_than_what_was_free() {
        let given = |gib| MicroBatches { images: 1, tokens: 1, activation_memory_gib: gib };
        assert_eq!(given(None).smaller_budget_gib(8 << 30), 6.0);
        assert_eq!(given(Some(100.0)).smaller_budget_gib(8 << 30), 6.0);
        assert_eq!(given(Some(4.0)).smaller_budget_gib(8 << 30), 3.0);
    }

    #[test]
    fn parts_hold_so_many_tokens_and_images() {
        let micro = |images: usize, tokens: usize| MicroBatches { images, tokens, activation_memory_gib: None };
        let texts = |tokens: usize| micro(1, tokens).text_parts([3, 4, 2, 8, 1]);
        assert_eq!(texts(9), [0..3, 3..5]);
        assert_eq!(texts(1), [0..1, 1..2, 2..3, 3..4, 4..5]);
        assert_eq!(texts(100), vec![0..5]);
        assert!(micro(1, 9).text_parts([]).is_empty());
        assert_eq!(micro(3, 1).image_parts(7), [0..3, 3..6, 6..7]);
        assert_eq!(micro(0, 1).image_parts(2), [0..1, 1..2]);
        assert!(micro(3, 1).image_parts(0).is_empty());
    }
}
