//! Random models and batches for the checks.

use anyhow::Result;
use candle_core::{Device, Tensor};
use dermake_models::init;
use dermake_objective::Captions;
use dermake_training::step::Batch;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared_model::config::ClipConfig;
use shared_model::weights::Weights;

/// Captions of a sample in MAKE's table: three whole ones and eight sub-captions.
const N_KINDS: usize = 11;

/// First weights as a recipe draws them.
pub fn drawn_weights(config: &ClipConfig, seed: u64) -> Weights {
    init::weights(config, seed)
}

/// A batch of random bytes and captions, some two fifths of them absent, as in MAKE's table.
pub struct Inputs {
    pixels: Tensor,
    captions: Captions,
    input_ids: Vec<Vec<u32>>,
}

impl Inputs {
    pub fn new(config: &ClipConfig, n_samples: usize, seed: u64) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let side = config.preprocess.image_size;
        let mut bytes = vec![0u8; n_samples * 3 * side * side];
        rng.fill(&mut bytes[..]);
        let pixels = Tensor::from_vec(bytes, (n_samples, 3, side, side), &Device::Cpu)?;
        let (length, end) = (config.text.context_length, config.text.vocab_size as u32 - 1);
        let mask: Vec<bool> =
            (0..n_samples * N_KINDS).map(|at| at % N_KINDS < 3 || rng.random_bool(0.45)).collect();
        let ids: Vec<Vec<u32>> = mask
            .iter()
            .map(|&is_there| {
                let n_words = if is_there { rng.random_range(8..=36).min(length - 2) } else { 0 };
                let mut ids = vec![end - 1];
                ids.extend((0..n_words).map(|_| rng.random_range(1..end - 1)));
                ids.push(end);
                ids.resize(length, 0);
                ids
            })
            .collect();
        let (captions, input_ids) = Captions::distinct(&ids, mask, N_KINDS);
        Ok(Self { pixels, captions, input_ids })
    }

    /// The same batch with its pixels on another device.
    ///
    /// # Errors
    /// If the device has too little memory for them.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        let pixels = self.pixels.to_device(device)?;
        Ok(Self { pixels, captions: self.captions.clone(), input_ids: self.input_ids.clone() })
    }

    pub fn batch(&self) -> Batch<'_> {
        Batch { pixels: &self.pixels, captions: &self.captions, input_ids: &self.input_ids }
    }

    pub fn pixels(&self) -> &Tensor {
        &self.pixels
    }

    /// Distinct captions, and their tokens without padding.
    pub fn n_texts_and_tokens(&self) -> (usize, usize) {
        let lengths = self.input_ids.iter().map(|ids| shared_model::text_length(ids));
        (self.input_ids.len(), lengths.sum())
    }
}
