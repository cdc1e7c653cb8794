//! Photos and prompts that a model is calibrated on.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::config::{ClipConfig, PreprocessConfig, TextConfig};
use shared_model::labels::{ConceptTemplates, LabelSet, Templates};
use shared_model::preprocess::Reading;
use shared_model::tokenizer::Tokenizer;
use shared_model::zero_shot::Classifier;

/// Prompts of labels and of concepts, labels alone, captions, texts of random words, and those of one to three.
const N_LABEL_PROMPTS: usize = 256;
const N_LABELS: usize = 64;
const N_CONCEPT_PROMPTS: usize = 64;
const N_CAPTIONS: usize = 64;
const N_RANDOM: usize = 128;
const N_SHORT: usize = 192;
/// The seed of drawn photos.
const SEED: u64 = 2026;

/// Most tokens of all texts, those that nothing depends on not counted. Texts of CLIP and BERT have fewer; those of
/// SigLIP, whose padding is seen, would have three times as many.
const N_TEXT_TOKENS: usize = 16_384;

/// Tokens of all photos of a calibration: as many as the widest layers have columns.
const N_TOKENS: usize = 4096;
/// Fewest and most photos of a calibration.
const N_PHOTOS: (usize, usize) = (16, 64);

/// Returns how many photos a model is calibrated on.
pub fn n_calibration_photos(config: &ClipConfig) -> usize {
    (N_TOKENS / config.vision.n_tokens().max(1)).clamp(N_PHOTOS.0, N_PHOTOS.1)
}

/// Draws photos of skin, the same for the same number and model.
///
/// # Errors
/// When a photo cannot be encoded.
pub fn calibration_photos(n_photos: usize, config: &ClipConfig) -> Result<Vec<Vec<u8>>> {
    dermake_synth::photos(n_photos, config.preprocess.image_size as u32, SEED)
}

/// Texts as token ids: prompts of the built-in labels and concepts, labels alone, captions, and some of random words.
///
/// Many have one to three words only: what surrounds few words is unlike what surrounds many, so a calibration on prompts
/// and captions alone loses most on them. They are fewer, evenly spread, for a model that computes very many tokens of
/// them.
///
/// # Errors
/// When a text cannot be tokenized.
pub fn calibration_texts(tokenizer: &Tokenizer, config: &TextConfig) -> Result<Vec<Vec<u32>>> {
    let templates = Templates::skin();
    let labels: Vec<String> = LabelSet::built_in().into_iter().flat_map(|set| set.class_names).collect();
    let names = spread(&labels, N_LABELS);
    let labels = Classifier::prompts(&labels, &templates);
    let concepts = ConceptScorer::prompts(&Concept::known(), &ConceptTemplates::skin());
    let mut texts = spread(&labels, N_LABEL_PROMPTS);
    texts.extend(spread(&concepts, N_CONCEPT_PROMPTS));
    texts.extend(dermake_synth::captions(N_CAPTIONS, SEED)?);
    let mut rows = tokenizer.encode_batch(&texts)?;
    let mut others = spread(&rows, N_RANDOM);
    rows.extend(tokenizer.encode_batch(&names)?);
    let short = tokenizer.encode_batch(&["x", "x x", "x x x"])?;
    others.extend(short.into_iter().cycle().take(N_SHORT));
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    rows.extend(others.into_iter().map(|row| with_random_words(row, tokenizer, config.vocab_size, &mut rng)));
    Ok(within_limit(rows, config))
}

/// As many of the texts as have [`N_TEXT_TOKENS`] together.
fn within_limit(rows: Vec<Vec<u32>>, config: &TextConfig) -> Vec<Vec<u32>> {
    let n_tokens: usize = rows.iter().map(|row| config.n_computed(row)).sum();
    if n_tokens <= N_TEXT_TOKENS { rows } else { spread(&rows, rows.len() * N_TEXT_TOKENS / n_tokens) }
}

/// `n` of the values, evenly spread.
fn spread<T: Clone>(values: &[T], n: usize) -> Vec<T> {
    let n = n.min(values.len());
    (0..n).map(|at| values[at * values.len() / n].clone()).collect()
}

/// Replaces all words of a text: people type other words than those of the label sets.
fn with_random_words(
    mut row: Vec<u32>,
    tokenizer: &Tokenizer,
    vocab_size: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<u32> {
    let first = usize::from(tokenizer.start_id().is_some());
    let end = row.iter().skip(first).position(|id| *id == tokenizer.end_id()).map_or(0, |at| at + first);
    let special = [tokenizer.start_id().unwrap_or(tokenizer.end_id()), tokenizer.end_id()];
    // The largest ids may be special ones of the vocabulary.
    let largest = special.into_iter().filter(|id| *id as usize * 2 > vocab_size).min().unwrap_or(vocab_size as u32);
    for id in row.iter_mut().take(end).skip(first) {
        *id = rng.random_range(0..largest.max(1));
    }
    row
}

/// Decodes and prepares photos for the vision tower.
///
/// # Shapes
/// - returns `[B, 3, S, S]` f32
///
/// # Errors
/// When a photo cannot be decoded.
pub fn pixel_values(photos: &[impl AsRef<[u8]>], config: &PreprocessConfig) -> Result<Tensor> {
    let size = config.image_size;
    let mut values = Vec::with_capacity(photos.len() * 3 * size * size);
    for photo in photos {
        values.extend(dermake_pictures::pixel_values(photo.as_ref(), config, Reading::Photo).context("a photo")?);
    }
    Ok(Tensor::from_vec(values, (photos.len(), 3, size, size), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::config::Visibility;
    use shared_model::tokenizer::CLIP_MERGES_GZ;

    #[test]
    fn texts_are_fewer_where_padding_is_computed() {
        let mut config = ClipConfig::named("ViT-B-16").unwrap().text;
        let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, config.context_length).unwrap();
        let all = calibration_texts(&tokenizer, &config).unwrap();
        let n_texts = N_LABEL_PROMPTS + N_LABELS + N_CONCEPT_PROMPTS + N_CAPTIONS + N_RANDOM + N_SHORT;
        assert_eq!(all.len(), n_texts);
        config.visibility = Visibility::All;
        let fewer = calibration_texts(&tokenizer, &config).unwrap();
        assert_eq!(fewer.len(), N_TEXT_TOKENS / config.context_length);
        // Of every kind: the last ones have one to three words, the first ones are prompts.
        assert!(fewer.iter().all(|row| all.contains(row)));
        assert!(all[..N_LABEL_PROMPTS].contains(&fewer[0]) && all[n_texts - N_SHORT..].contains(&fewer[211]));
    }
}
