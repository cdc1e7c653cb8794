//! Memory of a step beside the parameters and the activations of the towers.

use dermake_objective::LOGITS_AT_ONCE;

/// Sizes of a batch that decide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSizes {
    pub n_images: usize,
    /// Distinct captions.
    pub n_texts: usize,
    /// Captions that an image's patches are compared with; 0 where the loss needs no patches.
    pub n_local: usize,
    /// Patches of an image that the loss needs.
    pub n_patches: usize,
    /// Images of a micro-batch.
    pub images_at_once: usize,
    /// E
    pub embed_dim: usize,
    /// Side S of an image, in pixels.
    pub side: usize,
}

/// f32 matrices of logits that are alive at once.
const LOGIT_MATRICES: usize = 3;
/// Arrays of the size of a micro-batch's projected patches that are alive at once while the gradients of the local
/// features are computed.
const PATCH_ARRAYS: usize = 8;
/// The same of its similarities of captions and patches.
const SIMILARITY_ARRAYS: usize = 6;
/// Batches of pixels on a GPU: that of the step, and the one that is copied meanwhile.
const PIXEL_BATCHES: usize = 2;

impl BatchSizes {
    /// Logits, features and their gradients.
    pub fn loss_bytes(&self) -> u64 {
        let n_queries = self.n_images * self.n_local.max(1);
        let logits = n_queries.saturating_mul(self.n_texts).min(LOGITS_AT_ONCE.max(self.n_texts));
        let features = self.embed_dim * (3 * self.n_texts + self.n_images * (3 + self.n_local));
        bytes_of_f32(LOGIT_MATRICES * logits + features)
    }

    /// What turns raw embeddings of one micro-batch into features and back.
    pub fn heads_bytes(&self) -> u64 {
        let images = self.images_at_once.min(self.n_images);
        let patches = images * self.n_patches * self.embed_dim;
        let similarities = images * self.n_patches * self.n_local;
        bytes_of_f32(PATCH_ARRAYS * patches + SIMILARITY_ARRAYS * similarities)
    }

    /// Pixels on a GPU.
    pub fn pixel_bytes(&self) -> u64 {
        (PIXEL_BATCHES * 3 * self.n_images * self.side * self.side) as u64
    }

    /// What is taken from a device's memory before activations are kept in it.
    pub fn reserved_bytes(&self, is_gpu: bool) -> u64 {
        self.loss_bytes() + self.heads_bytes() + if is_gpu { self.pixel_bytes() } else { 0 }
    }
}

fn bytes_of_f32(n_values: usize) -> u64 {
    (4 * n_values) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_are_bounded_and_heads_are_of_one_micro_batch() {
        let sizes = BatchSizes {
            n_images: 2048,
            n_texts: 8000,
            n_local: 8,
            n_patches: 196,
            images_at_once: 128,
            embed_dim: 512,
            side: 224,
        };
        // Sixteen thousand queries by eight thousand texts do not fit into the bound.
        assert!(sizes.loss_bytes() > 12 * LOGITS_AT_ONCE as u64);
        assert!(sizes.loss_bytes() < 14 * LOGITS_AT_ONCE as u64);
        let one = BatchSizes { n_images: 1, ..sizes };
        assert_eq!(sizes.heads_bytes(), 128 * one.heads_bytes());
        assert_eq!(sizes.pixel_bytes(), 2 * 2048 * 3 * 224 * 224);
        let clip = BatchSizes { n_local: 0, n_patches: 0, ..sizes };
        assert_eq!(clip.heads_bytes(), 0);
        assert!(clip.loss_bytes() < sizes.loss_bytes());
    }
}
