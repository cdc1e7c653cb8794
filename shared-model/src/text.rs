//! The text tower: token ids to one vector a text.

use crate::config::ClipConfig;
use crate::linear::{Embedding, Linear};
use crate::ops::LayerNorm;
use crate::transformer::{Observer, Transformer, TransformerConfig, unit_length};
use crate::weights::{Placement, Weights};
use crate::{Error, Result, finite};
use candle_core::{DType, Device, Tensor};

/// open_clip's `TextTransformer` with causal attention, pooled at the end token.
pub struct TextTower {
    token_embedding: Embedding,
    positional_embedding: Tensor,
    transformer: Transformer,
    ln_final: LayerNorm,
    text_projection: Linear,
    context_length: usize,
    vocab_size: usize,
    placement: Placement,
}

impl TextTower {
    /// Builds the tower from a checkpoint that has it, alone or beside the vision tower.
    ///
    /// # Errors
    /// [`Error::CheckpointMismatch`] with every tensor that is missing, unexpected or misshapen.
    pub fn load(weights: &Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        weights.check(&config.text_parameters(), &config.vision_parameters())?;
        let text = &config.text;
        let blocks = TransformerConfig {
            layers: text.layers,
            heads: text.heads,
            activation: config.activation,
            is_causal: true,
        };
        let projection = weights.projection("text_projection", placement)?.t()?;
        Ok(Self {
            token_embedding: Embedding::load(weights, "token_embedding.weight", placement)?,
            positional_embedding: weights.tensor("positional_embedding", placement)?,
            transformer: Transformer::load(weights, "transformer.resblocks", &blocks, placement)?,
            ln_final: LayerNorm::load(weights, "ln_final", placement)?,
            text_projection: Linear::dense(projection),
            context_length: text.context_length,
            vocab_size: text.vocab_size,
            placement: placement.clone(),
        })
    }

    /// Encodes tokenised texts.
    ///
    /// Attention is causal, so what stands behind a text's end token cannot change its feature: the batch is cut
    /// behind its last end token before anything is computed.
    ///
    /// # Shapes
    /// - `input_ids`: one row a text, all of one length up to `context_length`
    /// - returns `[B, E]` f32, rows of unit length
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the weights lead to values that are NaN or infinite.
    pub fn text_features(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        let raw = self.raw_text_features(input_ids)?;
        finite::check_features("text features", &raw)?;
        unit_length(&raw)
    }

    /// [`Self::text_features`] before normalisation to unit length.
    pub fn raw_text_features(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        self.encode_observed(&cut_behind_last_eot(input_ids), &mut |_, _| {})
    }

    /// Raw features `[B, E]` f32 of the rows as they are, uncut, showing each stage's activations to `observe`.
    ///
    /// # Errors
    /// When the rows are empty, of different lengths, longer than the context or hold unknown ids.
    pub fn encode_observed(&self, input_ids: &[Vec<u32>], observe: Observer<'_>) -> Result<Tensor> {
        let tokens = self.transformer.forward(self.embed(input_ids)?, observe)?;
        let tokens = self.ln_final.forward(&tokens)?;
        observe("ln_final", &tokens);
        self.project_eot(&tokens, input_ids)
    }

    /// What enters the blocks, `[B, L, D]`.
    fn embed(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        let (batch, length) = self.check_rows(input_ids)?;
        let ids = Tensor::from_vec(input_ids.concat(), (batch, length), &Device::Cpu)?;
        let ids = ids.to_device(&self.placement.device)?;
        let positions = self.positional_embedding.narrow(0, 0, length)?;
        Ok(self.token_embedding.forward(&ids)?.broadcast_add(&positions)?)
    }

    fn project_eot(&self, tokens: &Tensor, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        let length = tokens.dim(1)?;
        let pooled_rows: Vec<u32> =
            input_ids.iter().enumerate().map(|(row, ids)| (row * length + eot_position(ids)) as u32).collect();
        let pooled_rows = Tensor::new(pooled_rows, &self.placement.device)?;
        let pooled = tokens.flatten_to(1)?.index_select(&pooled_rows, 0)?;
        Ok(self.text_projection.forward(&pooled)?.to_dtype(DType::F32)?)
    }

    fn check_rows(&self, input_ids: &[Vec<u32>]) -> Result<(usize, usize)> {
        let length = input_ids.first().map_or(0, Vec::len);
        let fail = |detail: String| Err(Error::Tensor(candle_core::Error::Msg(detail)));
        if length == 0 || length > self.context_length || input_ids.iter().any(|row| row.len() != length) {
            return fail(format!("token rows must share one length of 1 to {}", self.context_length));
        }
        if let Some(id) = input_ids.iter().flatten().find(|&&id| id as usize >= self.vocab_size) {
            return fail(format!("token id {id} is outside the vocabulary of {}", self.vocab_size));
        }
        Ok((input_ids.len(), length))
    }
}

/// Token rows of one length, cut where the longest of them ends: causal attention makes what follows inert.
pub fn cut_behind_last_eot(input_ids: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let longest = input_ids.iter().map(|row| text_length(row)).max().unwrap_or(0);
    input_ids.iter().map(|row| row[..longest.min(row.len())].to_vec()).collect()
}

/// Tokens of a text up to its end token, which is counted; what follows is padding.
pub fn text_length(ids: &[u32]) -> usize {
    eot_position(ids) + 1
}

/// The first position of the largest id: the end token, which has the largest id of the vocabulary.
fn eot_position(ids: &[u32]) -> usize {
    let mut position = 0;
    for (index, &id) in ids.iter().enumerate() {
        if id > ids[position] {
            position = index;
        }
    }
    position
}
