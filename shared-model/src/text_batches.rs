//! Texts through a text tower, a batch at a time.

use crate::text::{TextTower, text_length};
use crate::tower_engine::TowerEngine;
use crate::transformer::unit_length;
use crate::{Result, finite};
use candle_core::{Device, Tensor};

/// Prompts of one batch: enough to use all cores, few enough for the memory of a phone.
const PROMPT_BATCH: usize = 32;

/// What encodes tokenized texts.
pub(crate) trait TextEncoder {
    /// Tokens of a row up to the last one that its feature depends on.
    fn n_computed(&self, ids: &[u32]) -> usize;

    /// Features `[B, E]` f32 of token rows of one length, rows of unit length.
    fn text_features(&self, input_ids: &[Vec<u32>]) -> Result<Tensor>;

    /// Number of texts in a batch.
    fn texts_at_once(&self) -> usize;
}

impl TextEncoder for TextTower {
    fn n_computed(&self, ids: &[u32]) -> usize {
        Self::n_computed(self, ids)
    }

    fn text_features(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        Self::text_features(self, input_ids)
    }

    fn texts_at_once(&self) -> usize {
        PROMPT_BATCH
    }
}

impl TextEncoder for Box<dyn TowerEngine> {
    fn n_computed(&self, ids: &[u32]) -> usize {
        text_length(ids)
    }

    fn text_features(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        let raw = self.as_ref().raw_text_features(input_ids)?;
        finite::check_features("text features", &raw)?;
        unit_length(&raw)
    }

    fn texts_at_once(&self) -> usize {
        self.as_ref().texts_at_once()
    }
}

/// Tokenized texts that are encoded one batch after the other, so that the caller can stop between two.
///
/// Equal texts are encoded once. Texts of similar length share a batch, so that little padding is computed.
pub struct TextBatches<'a> {
    text: &'a dyn TextEncoder,
    /// The different rows, the shortest first.
    distinct: Vec<Vec<u32>>,
    /// For each text, its row in `distinct`.
    places: Vec<u32>,
    n_encoded: usize,
    features: Vec<Tensor>,
}

impl<'a> TextBatches<'a> {
    pub(crate) fn new(text: &'a dyn TextEncoder, rows: &[Vec<u32>]) -> Self {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let length = |row: usize| text.n_computed(&rows[row]);
        order.sort_by(|&a, &b| length(a).cmp(&length(b)).then_with(|| rows[a].cmp(&rows[b])));

        let mut distinct: Vec<Vec<u32>> = Vec::new();
        let mut places = vec![0u32; rows.len()];
        for index in order {
            if distinct.last() != Some(&rows[index]) {
                distinct.push(rows[index].clone());
            }
            places[index] = distinct.len() as u32 - 1;
        }
        Self { text, distinct, places, n_encoded: 0, features: Vec::new() }
    }

    /// Encodes the next batch; returns false if there was none.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) and [`Error::Tensor`](crate::Error::Tensor).
    pub fn encode_next(&mut self) -> Result<bool> {
        let rest = &self.distinct[self.n_encoded..];
        let batch = &rest[..rest.len().min(self.text.texts_at_once().max(1))];
        if batch.is_empty() {
            return Ok(false);
        }
        self.features.push(self.text.text_features(batch)?.to_device(&Device::Cpu)?);
        self.n_encoded += batch.len();
        Ok(true)
    }

    /// Returns how many of the different texts are encoded.
    pub fn n_encoded(&self) -> usize {
        self.n_encoded
    }

    /// Returns the number of different texts.
    pub fn n_distinct(&self) -> usize {
        self.distinct.len()
    }

    /// Encodes what is left; returns the features `[n, E]` f32 of all texts in their order, rows of unit length.
    ///
    /// # Errors
    /// As [`Self::encode_next`]; when there is no text.
    pub fn into_features(mut self) -> Result<Tensor> {
        while self.encode_next()? {}
        Ok(Tensor::cat(&self.features, 0)?.index_select(&Tensor::new(self.places, &Device::Cpu)?, 0)?)
    }
}

/// Encodes tokenized texts; returns their features `[n, E]` f32 in order, rows of unit length.
///
/// `progress` is called after each batch with the numbers of finished and of all different texts.
///
/// # Errors
/// As [`TextBatches::into_features`].
pub(crate) fn encode_rows(
    text: &dyn TextEncoder,
    rows: &[Vec<u32>],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Tensor> {
    let mut batches = TextBatches::new(text, rows);
    while batches.encode_next()? {
        progress(batches.n_encoded(), batches.n_distinct());
    }
    batches.into_features()
}
